"""SQuAD in the hub's Parquet: paragraphs once, sentences half-open, as LAReQA's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from clir_ot import Collection
from clir_ot.collections.check import find_problems

ADA = " Ada wrote a note. It ran in 1843. Dr. Smith read it."
RAIN = "Rain fell."


def row(name: str, context: str, answer: str, start: int | None = None) -> dict[str, Any]:
    begin = context.index(answer) if start is None else start
    return {
        "id": name, "title": "Ada_Lovelace", "context": context, "question": f" {name}?",
        "answers": {"text": [answer, answer], "answer_start": [begin, begin]},
    }  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "squad" / "plain_text"
    folder.mkdir(parents=True)
    train = [row("q1", ADA, "Ada"), row("q2", ADA, "1843"), row("q3", ADA, "Smith")]
    parquet.write_table(pyarrow.Table.from_pylist(train), folder / "train-00000-of-00001.parquet")
    parquet.write_table(
        pyarrow.Table.from_pylist([row("q4", RAIN, "Rain")]), folder / "validation-00000-of-00001.parquet"
    )
    return tmp_path / "squad"


def test_paragraphs_come_once_with_their_title(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    clir("collection", "build", "squad", tmp_path / "built", "--from", source, "--quiet")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert dict(built.documents()) == {"train-1": f"Ada Lovelace\n{ADA.strip()}", "dev-1": f"Ada Lovelace\n{RAIN}"}
    assert dict(built.queries()) == {f"q{n}": f"q{n}?" for n in (1, 2, 3, 4)}
    assert built.qrels("train") == {f"q{n}": {"train-1": 1} for n in (1, 2, 3)}
    assert built.qrels("dev") == {"q4": {"dev-1": 1}}
    assert "CC BY-SA 4.0" in (tmp_path / "built" / "README.md").read_text()


def test_a_sentence_holds_the_answer_that_begins_in_it(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    clir("collection", "build", "squad-sentences", tmp_path / "built", "--from", source, "--quiet")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert dict(built.documents()) == {
        "train-1-1": "Ada wrote a note.", "train-1-2": "It ran in 1843.", "train-1-3": "Dr. Smith read it.",
        "dev-1-1": "Rain fell.",
    }  # fmt: skip
    assert built.qrels("train") == {"q1": {"train-1-1": 1}, "q2": {"train-1-2": 1}, "q3": {"train-1-3": 1}}


def test_problems_are_one_line(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    command = ("collection", "build", "squad", tmp_path / "built", "--from", source)
    path = source / "plain_text" / "validation-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([row("q4", RAIN, "Rain", 10)]), path)
    assert "question 'q4': its answer, at 10, is outside its paragraph of 10 characters" in clir(*command)
    parquet.write_table(pyarrow.Table.from_pylist([{"id": "q4", "context": "x"}]), path)
    assert f"{path}: no column 'title'; there are id, context" in clir(*command)
    path.unlink()
    assert "no file plain_text/validation-*.parquet, as rajpurkar/squad has; there is plain_text" in clir(*command)
    assert "squad has no language 'yo'; it has en" in clir(*command, "--languages", "yo")
    assert not (tmp_path / "built").exists()
