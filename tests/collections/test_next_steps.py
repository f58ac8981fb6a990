"""What comes next works on what is there: the commands are run."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.next_steps import next_steps

ROOT = Path(__file__).parents[2]
SMALL = ["--data.batch_size", 12, "--trainer.logger", "false", "--trainer.callbacks", "null", "--trainer.max_steps", 1]

Run = Callable[[Path], list[str]]


@pytest.fixture
def run_all(clir: Callable[..., str], encoder_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run what is said in an empty folder; the commands."""

    def run(folder: Path) -> list[str]:
        monkeypatch.chdir(tmp_path)
        said = [line.strip() for line in next_steps(Collection(folder)).splitlines()]
        for line in said:
            words = shlex.split(line, comments=True)[1:]
            if words[0] == "fit":
                words = [str(ROOT / word) if word.startswith("experiments/") else word for word in words]
                base = (
                    [] if "--model.teacher" in words else ["--model.encoder", encoder_folder, "--model.dimensions", 8]
                )
                words += [*base, *SMALL]
            assert not clir(*words).startswith("FAILED"), line
        return said

    return run


def test_what_can_be_trained_and_measured_is_made(collection_folder: Path, own_collection: Path) -> None:
    folder = collection_folder
    steps = f"make teacher COLLECTION={folder}\n      make distill LANG=yo COLLECTION={folder}"
    assert next_steps(Collection(folder)) == steps
    assert next_steps(Collection(folder), "sw") == f"make teacher COLLECTION={folder}"  # no bitext
    (own_collection / "bitext" / "yo.tsv").unlink()
    assert next_steps(Collection(own_collection)) == f"make teacher COLLECTION={own_collection}"


def test_a_folder_that_make_takes_for_two_words_is_said_in_full(own_collection: Path, run_all: Run) -> None:
    folder = own_collection.rename(own_collection.parent / "my toy's $1")
    quoted = shlex.quote(str(folder))
    teacher, measured, student, _ = run_all(folder)
    assert teacher.startswith("clir-ot fit --config experiments/teacher.yaml --data.collection " + quoted)
    assert measured.endswith(f"--collection {quoted} --split test")
    assert "--data.languages yo --model.teacher" in student


def test_without_test_queries_the_teacher_is_measured_on_dev(own_collection: Path, run_all: Run) -> None:
    (own_collection / "qrels" / "test.tsv").unlink()
    train, evaluate = run_all(own_collection)
    assert evaluate.endswith("--split dev")
    (own_collection / "qrels" / "dev.tsv").unlink()
    assert next_steps(Collection(own_collection)) == train


@pytest.mark.parametrize("english", ["", "queries.jsonl", "corpus.jsonl"])
@pytest.mark.parametrize("split", ["test", "dev"])
def test_without_training_queries_there_is_a_search(
    own_collection: Path, run_all: Run, english: str, split: str
) -> None:
    for name in ("train", "dev" if split == "test" else "test"):
        (own_collection / "qrels" / f"{name}.tsv").unlink()
    if english:
        (own_collection / english).unlink()
    search, evaluate = run_all(own_collection)
    language = "sw" if english else "en"
    assert search.startswith(f"clir-ot search --bm25 --collection {own_collection} --language {language}")
    assert ("--split dev" in search) == ("--split dev" in evaluate) == (split == "dev")
    assert ("--documents sw" in search) == ("--documents sw" in evaluate) == bool(english)


def test_across_languages_words_find_nothing_and_an_encoder_is_named(own_collection: Path) -> None:
    (own_collection / "qrels" / "train.tsv").unlink()
    for name in ("queries.jsonl", "corpus.yo.jsonl", "corpus.sw.jsonl"):
        (own_collection / name).unlink()
    hybrid, search, evaluate = next_steps(Collection(own_collection)).splitlines()
    assert hybrid.startswith("make hybrid ")
    assert "--encoder runs/starter/hybrid/encoder" in search
    assert evaluate.strip() == f"clir-ot evaluate sw.trec --collection {own_collection} --language sw"


def test_nothing_judged_is_looked_at(own_collection: Path, run_all: Run) -> None:
    for path in (own_collection / "qrels").iterdir():
        path.unlink()
    (own_collection / "qrels" / "train.tsv").write_text("d0.0\td0\t1\n")
    (own_collection / "corpus.jsonl").write_text('{"_id": "other", "text": "a"}\n')
    (own_collection / "corpus.yo.jsonl").write_text('{"_id": "d9", "text": "a"}\n')
    (own_collection / "corpus.sw.jsonl").unlink()
    (own_collection / "qrels" / "train.tsv").unlink()
    assert run_all(own_collection) == [f"clir-ot collection stats {own_collection}"]


def test_what_search_says_comes_next_works(own_collection: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    (own_collection / "qrels" / "test.tsv").unlink()
    options = ["--language", "yo", "--documents", "yo", "--split", "dev", "--output", tmp_path / "run"]
    said = clir("search", "--bm25", "--collection", own_collection, *options)
    command = shlex.split(said.partition("next: ")[2])
    assert "| run " in clir(*command[1:])


def test_after_bitext_for_what_cannot_be_trained_the_lack_is_said(
    own_collection: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    (pairs := tmp_path / "pairs.tsv").write_text("a b c\td e f\n")
    command = ["collection", "bitext", pairs, "--language", "ha", "--output", own_collection]
    assert f"make teacher COLLECTION={own_collection}" in clir(*command)
    (own_collection / "qrels" / "train.tsv").unlink()
    assert "has no English training queries for a teacher" in clir(*command, "--replace")
    (own_collection / "qrels" / "test.tsv").write_text("no judgement\n")
    assert f"next: clir-ot collection check {own_collection}" in clir(*command, "--replace")
