"""Rankings of a run: searched once, kept where they belong, over the index of the teacher."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from clir_ot import Collection, TokenEncoder
from clir_ot.collections.trec import read_run
from clir_ot.errors import UserError
from clir_ot.evaluation.query_noise import drop_diacritics
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import encode
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.rankings import Queries, kind_of, run_searchers


def make_run(folder: Path, encoder: Path, collection: Path, languages: str, teacher: Path | None = None) -> RunFolder:
    """What training leaves, without training: another projection for every run."""
    torch.manual_seed(len(folder.name))
    TokenEncoder.from_pretrained(encoder, dimensions=8).save_pretrained(folder / "encoder")
    config = {"model": {"init_args": {"teacher": str(teacher)} if teacher else {}}, "data": {"languages": languages}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    facts = {"collection_fingerprint": Collection(collection).fingerprint()}
    (folder / "run.json").write_text(json.dumps(facts))
    return RunFolder(folder)


@pytest.fixture
def teacher(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "teacher", encoder_folder, collection_folder, "en")


@pytest.fixture
def student(encoder_folder: Path, collection_folder: Path, tmp_path: Path, teacher: RunFolder) -> RunFolder:
    return make_run(tmp_path / "student-yo", encoder_folder, collection_folder, "yo", teacher.encoder)


@pytest.mark.parametrize(
    ("teacher", "languages", "kind"),
    [("x", "yo", "distilled"), (None, "en", "teacher"), (None, "en,yo", "hybrid"), (None, "yo", "hybrid")],
)
def test_the_kind_of_a_run(teacher: str | None, languages: str, kind: str) -> None:
    assert kind_of({"model": {"init_args": {"teacher": teacher}}, "data": {"languages": languages}}) == kind


def test_a_student_searches_its_teachers_index(teacher: RunFolder, student: RunFolder, collection_folder: Path) -> None:
    collection = Collection(collection_folder)
    own, above = run_searchers(student, collection)
    assert above is not None
    found = own.ranking(Queries("yo"))
    encoders = [TokenEncoder.from_pretrained(run.encoder) for run in (student, teacher)]
    texts, _ = collection.judged("test", "yo")
    documents = encode(encoders[1], encoders[1].tokenizer.documents, collection.documents())
    expected = search(encode(encoders[0], encoders[0].tokenizer.queries, texts), documents)
    assert found == expected
    assert (teacher.path / "index").is_dir()
    assert not (student.path / "index").exists()
    # The teacher's rankings lie with the teacher, the student's with the student.
    above.ranking(Queries("yo"))
    assert [path.name for path in teacher.rankings.iterdir()] == ["teacher.yo.test.trec"]
    assert [path.name for path in student.rankings.iterdir()] == ["distilled.yo.test.trec"]


def test_a_ranking_that_is_there_needs_no_encoder(student: RunFolder, collection_folder: Path) -> None:
    queries = Queries("yo", "dev", "diacritics")
    before = run_searchers(student, Collection(collection_folder))[0].ranking(queries)
    shutil.rmtree(student.encoder)
    again = run_searchers(student, Collection(collection_folder))[0]
    assert again.ranking(queries) == before == read_run(student.rankings / "distilled.yo.dev.diacritics.trec")
    with pytest.raises(UserError):
        again.ranking(Queries("yo", "test"))


def test_rankings_of_another_collection_lie_apart(student: RunFolder, collection_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(collection_folder, other)
    path = other / "queries.yo.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    first, second = (run_searchers(student, Collection(folder))[0] for folder in (collection_folder, other))
    first.ranking(Queries("yo"))
    second.ranking(Queries("yo"))
    assert second.path(Queries("yo")) == student.rankings / Collection(other).fingerprint() / "distilled.yo.test.trec"
    assert len(read_run(first.path(Queries("yo")))) == len(read_run(second.path(Queries("yo")))) + 1


def test_queries_are_read_as_asked(own_collection: Path) -> None:
    collection = Collection(own_collection)
    texts, qrels = Queries("yo", "test").read(collection)
    with pytest.raises(UserError, match="clir-ot translate"):
        Queries("yo", "test", translated=True).read(collection)
    lines = [json.dumps({"_id": name, "text": f"english {name}"}) for name in texts]
    (own_collection / "queries.yo-en.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(UserError, match=f"lacks 1 of {len(texts)} queries, {next(iter(texts))!r} first"):
        Queries("yo", "test", translated=True).read(Collection(own_collection))
    (own_collection / "queries.yo-en.jsonl").write_text("\n".join(lines))
    translated = Queries("yo", "test", translated=True)
    assert translated.read(Collection(own_collection)) == ({name: f"english {name}" for name in texts}, qrels)
    assert str(translated) == "yo-en.test"
    marked = own_collection / "queries.yo.jsonl"
    marked.write_text(re.sub(r"\bx", "ẹ́", marked.read_text()))
    collection = Collection(marked.parent)
    plain, _ = Queries("yo", "test", "diacritics").read(collection)
    assert plain == {name: drop_diacritics(text) for name, text in Queries("yo").read(collection)[0].items()}
    assert "e" in next(iter(plain.values()))
