"""What becomes of a builder's contents: grades and titles stay, what cannot be used is left out and counted."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.collections.writing import write_qrels
from clir_ot.errors import UserError
from clir_ot.sources.assembly import About, Contents, Document, assemble
from clir_ot.sources.hub_files import Judgement
from clir_ot.sources.triples import MOST_NEGATIVES, read_triples

ABOUT = About("A set", "Find it.", "somewhere", "commit c0ffee", "CC0", ("Made for a test",))
DOCUMENTS: list[Document] = [("d1", "", "one"), ("d2", "Title", "two"), ("d3", "", " ")]
QUERIES = [("q1", "first?"), ("q2", "second?"), ("q3", "never judged?"), ("q1", "first?")]


def contents(rows: Iterable[Judgement], **more: object) -> Contents:
    judged = list(rows)
    return Contents(
        {"en": lambda: DOCUMENTS}, {"en": lambda: QUERIES}, {"test": lambda: judged}, **more  # type: ignore[arg-type]
    )  # fmt: skip


MANY: list[Judgement] = [("q1", "d1", 3), ("q2", "d2", 0)] * 100


def test_grades_titles_negatives_and_bitext_are_written(tmp_path: Path) -> None:
    rows: list[Judgement] = [("q1", "d1", 3), ("q2", "d2", 0), ("q2", "d1", -1)]
    negatives = {"q1": ["d2", "d9"], "q2": ["d3"]}
    bitext = {"yo": lambda: [("an\tEnglish", "other \n one")]}
    assemble(tmp_path / "built", contents(rows, negatives=negatives, bitext=bitext), ABOUT)
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert dict(built.documents()) == {"d1": "one", "d2": "Title\ntwo"}
    assert dict(built.queries()) == {"q1": "first?", "q2": "second?"}
    assert built.qrels("test") == {"q1": {"d1": 3}, "q2": {"d2": 0, "d1": -1}}
    assert built.negatives() == {"q1": ["d2"]}  # d9 is not there, d3 is blank
    assert list(built.bitext("yo")) == [("an English", "other one")]
    readme = (tmp_path / "built" / "README.md").read_text()
    for said in (
        "# A set", "somewhere", "commit c0ffee", "CC0", "Made for a test", "Documents in `en`: 2.",
        "Judgements in `test`: 3.", "Left out: 1 texts without a visible character.",
        "Left out: 1 queries that no split judges.",
    ):  # fmt: skip
        assert said in readme


def test_a_few_judgements_of_missing_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    assemble(tmp_path / "built", contents([*MANY, ("q1", "d3", 1), ("q9", "d1", 1)]), ABOUT)
    assert Collection(tmp_path / "built").qrels("test") == {"q1": {"d1": 3}, "q2": {"d2": 0}}
    said = "Left out: 2 judgements of a text that is not there, such as document 'd3'."
    assert said in (tmp_path / "built" / "README.md").read_text()


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (lambda: contents([*MANY, *[("q1", "d7", 1)] * 3]), "such as document 'd7' (3 of 203 judgements so far)"),
        (lambda: contents([("q7", "d1", 1)]), "such as query 'q7'"),
        (lambda: contents([]), "qrels/test: the published files hold no judgement"),
        (
            lambda: Contents({"en": lambda: [("d 1", "", "x")]}, {"en": lambda: QUERIES}, {}),
            "_id 'd 1' holds white space",
        ),
        (
            lambda: Contents({"en": lambda: DOCUMENTS}, {"en": lambda: [*QUERIES, ("q1", "other")]}, {}),
            "query 'q1' has two texts in the published files, 'first?' and 'other'",
        ),
    ],
)
def test_what_cannot_be_right_leaves_no_folder(tmp_path: Path, broken: Callable[[], Contents], expected: str) -> None:
    with pytest.raises(UserError) as caught:
        assemble(tmp_path / "built", broken(), ABOUT)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == []


def test_corpora_are_written_as_they_are_read(tmp_path: Path) -> None:
    """By the number of documents that are alive at once."""
    alive, most = 0, 0

    class Text(str):
        def __new__(cls, text: str) -> "Text":
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().__new__(cls, text)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def many() -> Iterable[Document]:
        return ((f"d{n}", "", Text("text")) for n in range(2000))

    assemble(
        tmp_path / "built", Contents({"en": many}, {"en": lambda: QUERIES}, {"test": lambda: [("q1", "d1", 1)]}), ABOUT
    )
    assert len(Collection(tmp_path / "built").documents()) == 2000
    assert most < 5


def test_half_characters_are_replaced(tmp_path: Path) -> None:
    documents: list[Document] = [("d1", "", "a\ud83d b \U0001f600")]
    judged: list[Judgement] = [("q1", "d1", 1)]
    assemble(
        tmp_path / "built",
        Contents({"en": lambda: documents}, {"en": lambda: QUERIES}, {"test": lambda: judged}),
        ABOUT,
    )
    assert dict(Collection(tmp_path / "built").documents()) == {"d1": "a\ufffd b \U0001f600"}


def test_qrels_without_grades_have_grade_1(tmp_path: Path) -> None:
    assert write_qrels(tmp_path, "train.yo", [("q1", "d1"), ("q1", "d2", 2)]) == 2
    written = (tmp_path / "qrels" / "train.yo.tsv").read_text()
    assert written == "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t2\n"


def test_triples_give_judgements_and_some_negatives() -> None:
    rows = [("q1", "p1", f"n{n % 20}") for n in range(40)] + [("q1", "p2", "p1"), ("q2", "p1", "p2"), ("q3", "p", "p")]
    judged, negatives = read_triples(rows)
    assert judged == [("q1", "p1", 1), ("q1", "p2", 1), ("q2", "p1", 1), ("q3", "p", 1)]
    assert negatives == {"q1": [f"n{n}" for n in range(MOST_NEGATIVES)], "q2": ["p2"]}
