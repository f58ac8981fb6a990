"""Tables of text: what is quoted, what names columns, and that what is written is read again as it was."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clir_ot import CLIRDataModule, Collection
from clir_ot.collections.loading import load_pairs, load_texts
from clir_ot.collections.quoting import find_quoting
from clir_ot.collections.tables import named_columns
from clir_ot.collections.writing import write_bitext
from clir_ot.errors import UserError

Command = Callable[..., str]

PAIRS = [('She said "go", twice.', 'Wathi "hambani".'), ("One line.", "Umugqa owodwa."), ("Two, here", "Lapha")]


def written(path: Path, quoting: int, *, header: bool = False, pairs: list[tuple[str, str]] = PAIRS) -> Path:
    """As pandas or Excel write it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]
        writer.writerows([*([("english", "zulu")] if header else []), *pairs])
    return path


@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_quoted_file_is_read_without_its_quotes(tmp_path: Path, quoting: int, header: bool) -> None:
    assert load_pairs(written(tmp_path / "zu.tsv", quoting, header=header)) == PAIRS


def test_a_field_may_hold_line_ends_and_tabs(tmp_path: Path) -> None:
    pairs = [("One.", "Kunye."), ("Two\n\nlines.", "Imigqa\nemibili"), ("a\ttab", "ithebhu"), ("x", "y")]
    path = written(tmp_path / "zu.tsv", csv.QUOTE_MINIMAL, pairs=pairs)
    assert load_pairs(path) == pairs
    # What is wrong behind them is named by the line that it begins at.
    path.write_bytes(path.read_bytes() + b"only one\r\n")
    with pytest.raises(UserError, match=r"zu\.tsv:8: expected English TAB foreign.*found 1 field"):
        load_pairs(path)


def test_excel_quotes_what_has_a_comma_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "zu.tsv"
    path.write_text('"Yes, go"\tYebo\nNo\t"Cha, hhayi"\n')
    assert load_pairs(path) == [("Yes, go", "Yebo"), ("No", "Cha, hhayi")]


@pytest.mark.parametrize(
    "lines",
    [
        ['He said "no"\tWathi "cha"', '"Go!"\t"Hamba!"'],  # whole sentences in quotes
        ['"Hello, he said.\tSawubona', 'And "bye".\tKahle'],  # a quote that the next sentence closes
        ['"Hello\tSawubona', 'bye."\tkahle'],  # the same, both halves at the edge of a field
        ['6" nails\tizipikili', '"Go," she said\tHamba'],
        ['a\t"Yes, go"', "No, stay\tb"],  # commas without quotes beside
        ["a\tb", '"a\tb'],
    ],
)
def test_plain_text_keeps_its_quotes(tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "zu.tsv"
    path.write_text("".join(f"{line}\n" for line in lines))
    assert load_pairs(path) == [tuple(line.split("\t")) for line in lines]


def test_where_files_were_put_together_doubled_quotes_tell(tmp_path: Path, own_collection: Path, clir: Command) -> None:
    path = own_collection / "bitext" / "zu.tsv"
    path.write_text('"Go," he said.\t"Hamba!"\n"The ""virus"" spread."\tIgciwane\n')
    assert load_pairs(path) == [('"Go," he said.', '"Hamba!"'), ('The "virus" spread.', "Igciwane")]
    said = f"note: {path}: 1 field(s) are quoted as in CSV and read without the quotes; line 1 is not"
    assert said in clir("collection", "check", own_collection)


def test_documents_are_read_in_the_same_way(tmp_path: Path) -> None:
    path = written(tmp_path / "corpus.tsv", csv.QUOTE_MINIMAL, pairs=[("d1", 'A "word"'), ("d2", "two\nlines")])
    assert load_texts(path) == {"d1": 'A "word"', "d2": "two\nlines"}


def test_quotes_that_nothing_closes_do_not_swallow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "zu.tsv.gz"
    path.write_bytes(gzip.compress(b'"open\tvula\n' + b"a, b\tc\n" * 3000))
    assert find_quoting(path).plain == 1
    assert len(load_pairs(path)) == 3001


def test_a_field_of_a_megabyte_is_read(tmp_path: Path) -> None:
    long = 'a "b" ' * 200_000
    assert load_pairs(written(tmp_path / "zu.tsv", csv.QUOTE_MINIMAL, pairs=[(long, "x")])) == [(long.strip(), "x")]


@pytest.mark.parametrize(
    ("fields", "language", "expected"),
    [
        (["English", "Yoruba"], "yo", (0, 1)),
        (["en", "yo"], "yo", (0, 1)),
        (["yor_Latn", "eng_Latn"], "yo", (1, 0)),
        (["source", "target"], "yo", (0, 1)),
        (["SRC", "TGT"], "yo", (0, 1)),
        (["english", "non_english"], "yo", (0, 1)),
        (["id", "english_text", "Swahili text"], "sw", (1, 2)),
        (["en", "fr-CA", "fr"], "fr", (0, 2)),
        (["English", "Norwegian"], "nb", (0, 1)),
        # Pairs all the same: words for English, and texts that happen to be words of the trade.
        (["English", "Kiingereza"], "sw", None),
        (["English", "Gẹ̀ẹ́sì"], "yo", None),
        (["Source", "Quelle"], "de", None),
        (["Text", "Text"], "de", None),
        (["Good morning", "Ẹ káàárọ̀"], "yo", None),
        (["no", "non"], "fr", None),
    ],
)
def test_what_names_columns(fields: list[str], language: str, expected: tuple[int, int] | None) -> None:
    assert named_columns(fields, language, "f:1") == expected


@pytest.mark.parametrize("names", ["English\tYoruba", "en\tyor", "source\ttarget"])
def test_a_collection_does_not_train_on_a_line_of_names(own_collection: Path, clir: Command, names: str) -> None:
    path = own_collection / "bitext" / "yo.tsv"
    pairs, before = load_pairs(path), Collection(own_collection).fingerprint("bitext", "yo")
    path.write_text(f"{names}\n{path.read_text()}")
    data = CLIRDataModule(own_collection, "yo", bitext_rate=1.0)
    data.setup("fit")
    assert data.texts.bitext["yo"] == pairs
    assert clir("collection", "check", own_collection).splitlines() == [
        f"note: {path}:1: {names.replace(chr(9), ', ')} are names of columns, and no pair",
        f"{own_collection}: no problem found",
    ]
    assert Collection(own_collection).fingerprint("bitext", "yo") != before


def test_names_in_the_other_order_turn_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "yo.tsv"
    path.write_text("id\tyoruba\tenglish\n1\tẸ káàárọ̀\tGood morning\n")
    assert load_pairs(path) == [("Good morning", "Ẹ káàárọ̀")]


def test_names_of_another_language_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sw.tsv"
    path.write_text("English\tFrench\nyes\toui\n")
    with pytest.raises(UserError, match=r"sw\.tsv:1: names the columns English and French; expected one in sw"):
        load_pairs(path)


_SIDES = st.text(st.sampled_from('ab",.!\u2028é '), min_size=1, max_size=8).map(str.strip).filter(bool)
_NAMES = st.sampled_from(["English", "Yoruba", "en", "yo", "fr", "source", "target", "english", "foreign", '"a ""b"""'])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(_SIDES | _NAMES, _SIDES | _NAMES), min_size=1, max_size=4))
@example(pairs=[('"', '"a ""b"""'), ("a", "a")])  # a quote that nothing closes before fields that look quoted
@example(pairs=[("english", "foreign")])
@example(pairs=[("English", "French")])
def test_what_is_written_is_read(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    write_bitext(tmp_path, "yo", ["\t".join(pair) for pair in pairs])
    assert load_pairs(tmp_path / "bitext" / "yo.tsv") == pairs


_FIELDS = st.text(st.sampled_from('ab"\n,. '), min_size=1, max_size=6).filter(lambda text: bool(text.strip(" \n")))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(_FIELDS, _FIELDS), min_size=1, max_size=4))
def test_what_pandas_quotes_is_read_as_it_was(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    expected = [(english.strip(), foreign.strip()) for english, foreign in pairs]
    assert load_pairs(written(tmp_path / "yo.tsv", csv.QUOTE_MINIMAL, pairs=pairs)) == expected
