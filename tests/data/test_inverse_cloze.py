import pytest

from clir_ot.data.inverse_cloze import inverse_cloze

DOCUMENT = "a b c\nthe query\nd e f"


@pytest.mark.parametrize(
    ("words", "leave_out", "expected"),
    [
        (100, True, "a b c d e f"),
        (100, False, "a b c the query d e f"),
        (2, True, "c d"),
        (4, True, "b c d e"),
    ],
)
def test_the_surroundings_of_the_query(words: int, leave_out: bool, expected: str) -> None:
    assert inverse_cloze(DOCUMENT, "the query", words=words, leave_out=leave_out) == expected


def test_room_left_on_one_side_goes_to_the_other() -> None:
    assert inverse_cloze("the query\na b c d", "the query", words=4, leave_out=True) == "a b c d"
    assert inverse_cloze("a b c d\nthe query", "the query", words=4, leave_out=True) == "a b c d"


def test_a_query_that_is_the_whole_document_stays() -> None:
    assert inverse_cloze("the query", "the query", words=9, leave_out=True) == "the query"


def test_a_query_from_elsewhere_gives_the_beginning() -> None:
    assert inverse_cloze(DOCUMENT, "nothing like it", words=2, leave_out=True) == "a b"
