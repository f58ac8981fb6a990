"""Documents without text and documents twice: read, counted and said, from memory and from the disk."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.collections import loading
from clir_ot.collections.arrow_store import ArrowTexts
from clir_ot.collections.check import find_problems
from clir_ot.collections.trec import read_run
from clir_ot.errors import UserError
from clir_ot.retrieval.token_index import encode

ROWS = [
    {"_id": "d1", "text": "Lagos is a port", "title": float("nan")},
    {"_id": "d2", "text": "Ibadan market", "title": None},
    {"_id": "d3", "text": "", "title": ""},
    {"_id": "d1", "text": "Lagos is a port"},
    {"_id": "d4", "text": None, "title": "Oyo"},
    {"_id": "d5", "text": float("nan")},
    {"_id": "d3", "text": " "},
    {"_id": "d2", "text": "Ibadan market"},
]


def write(folder: Path, rows: list[dict[str, object]], *judged: str) -> Path:
    """A collection; `json` writes NaN as pandas does."""
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "port"}\n{"_id": "q2", "text": "market"}\n')
    lines = ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q2\td2\t1.0", *judged]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(params=["memory", "disk"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path / "cache"))
    if request.param == "disk":
        monkeypatch.setattr(loading, "LARGE", 10)
    return str(request.param)


def test_they_are_left_out_and_counted(tmp_path: Path, stored: str) -> None:
    collection = Collection(write(tmp_path / "mine", ROWS))
    for _ in range(2):  # the second time from the cache
        assert dict(collection.documents()) == {"d1": "Lagos is a port", "d2": "Ibadan market", "d4": "Oyo\n"}
        assert collection.blank_documents() == ("d3", "d5")
        corpus = tmp_path / "mine" / "corpus.jsonl"
        assert collection.notes() == [
            f"{corpus}: 2 documents have no text, and no search finds them: 'd3' first",
            f"{corpus}: 3 records are there a second time, _id and text, and read once",
        ]
        assert isinstance(collection.documents(), ArrowTexts) is (stored == "disk")


def test_another_text_of_an_id_is_named_with_both_lines(tmp_path: Path, stored: str) -> None:
    for other in ({"_id": "d2", "text": "another"}, {"_id": "d3", "text": "not blank here"}):
        folder = write(tmp_path / other["text"], [*ROWS, other])
        with pytest.raises(UserError) as caught:
            Collection(folder).documents()
        corpus, line = folder / "corpus.jsonl", {"d2": 2, "d3": 3}[other["_id"]]
        said = f"{corpus}:9: _id {other['_id']!r} occurs a second time, with another text than at {corpus}:{line}; "
        assert str(caught.value).startswith(said)
        assert next(find_problems(folder, []).lines()).startswith(said)


def test_blank_documents_alone_are_refused(tmp_path: Path, stored: str) -> None:
    folder = write(tmp_path / "mine", ROWS[2:3])
    with pytest.raises(UserError, match="none of its 1 documents has a text"):
        Collection(folder).documents()
    assert any("none of its 1 documents has a text" in line for line in find_problems(folder, []).lines())


def test_a_query_has_text_and_a_blank_one_is_named(tmp_path: Path, stored: str) -> None:
    folder = write(tmp_path / "mine", ROWS)
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q1", "text": "port"}\n')
    assert dict(Collection(folder).queries()) == {"q1": "port", "q2": "market"}
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q3", "text": NaN}\n')
    with pytest.raises(UserError, match=r"queries\.jsonl:4: the text of 'q3' is NaN; "):
        Collection(folder).queries()


def test_the_check_notes_them_and_those_judged_relevant(tmp_path: Path, clir: Callable[..., str]) -> None:
    folder = write(tmp_path / "mine", ROWS, "q1\td3\t1", "q2\td5\t2", "q2\td3\t0")
    printed = clir("collection", "check", folder).splitlines()
    assert printed == [
        f"note: {folder}/corpus.jsonl: 2 documents have no text, and no search finds them: 'd3' first",
        f"note: {folder}/corpus.jsonl: 3 records are there a second time, _id and text, and read once",
        f"note: {folder}/qrels/test.tsv: judges 2 documents relevant that have no text, 'd3' of query 'q1' first: it "
        "counts as never found",
        f"{folder}: no problem found",
    ]
    # One that has a text in another language can be found there.
    (folder / "corpus.yo.jsonl").write_text('{"_id": "d3", "text": "Èkó"}\n{"_id": "d5", "text": ""}\n')
    assert "judges 1 document relevant that has no text, 'd5' of query 'q2': it counts" in clir(
        "collection", "check", folder
    )


def test_search_and_evaluation_go_through_and_find_none(
    tmp_path: Path, encoder_folder: Path, clir: Callable[..., str]
) -> None:
    folder = write(tmp_path / "mine", ROWS, "q1\td3\t1")
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(tmp_path / "encoder")
    encoder = ["--encoder", tmp_path / "encoder"]
    for how in (["--bm25"], encoder, [*encoder, "--index", tmp_path / "index"]):
        run = tmp_path / "found.trec"
        printed = clir("search", *how, "--collection", folder, "--language", "en", "--output", run)
        assert "note: " in printed
        assert {d for scores in read_run(run).values() for d in scores} <= {"d1", "d2", "d4"}
        table = clir("evaluate", run, "--collection", folder, "--measures", "R@10,MRR@10")
        assert "0.750" in table  # of q1's two relevant documents one can be found
    # Another system may rank them.
    run.write_text("q1 Q0 d3 1 2.0 x\nq1 Q0 d1 2 1.0 x\n")
    assert "| found.trec |" in clir("evaluate", run, "--collection", folder)


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_what_encodes_a_blank_text_gives_numbers(encoder_folder: Path, scoring: str) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring=scoring)
    found = encode(encoder, encoder.tokenizer.documents, {"a": "", "b": "bara", "c": " "})
    assert torch.isfinite(found.vectors).all()
    assert found.lengths.min() > 0


def test_training_passes_them_over(tmp_path: Path, encoder_folder: Path, clir: Callable[..., str]) -> None:
    folder = write(tmp_path / "mine", ROWS, "q1\td3\t1")
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "train.tsv")
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "port", "negatives": ["d3", "d2"]}\n{"_id": "q2", "text": "market"}\n'
    )
    config = Path(__file__).parents[2] / "experiments" / "teacher.yaml"
    small = [
        "--model.dimensions",
        8,
        "--data.batch_size",
        2,
        "--trainer.logger",
        "false",
        "--trainer.callbacks",
        "null",
    ]
    hard = ["--data.hard_negatives", "collection", "--data.negatives", 1]
    fit = ["fit", "--config", config, "--model.encoder", encoder_folder, "--data.collection", folder]
    printed = clir(*fit, "--run", tmp_path / "run", *small, *hard)
    assert "trained 1 steps" in printed
    assert "note: " in printed
    printed = clir(
        "index", "--encoder", tmp_path / "run" / "encoder", "--collection", folder, "--output", tmp_path / "index"
    )
    assert "2 documents have no text" in printed


def test_a_large_compressed_file_has_them_too(tmp_path: Path, stored: str) -> None:
    folder = write(tmp_path / "mine", ROWS)
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress((folder / "corpus.jsonl").read_bytes()))
    (folder / "corpus.jsonl").unlink()
    assert list(Collection(folder).documents()) == ["d1", "d2", "d4"]
