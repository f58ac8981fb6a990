"""Tables of pairs: TSV, quoted as CSV or not, and CSV."""

from collections.abc import Callable, Iterator
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.quoting import find_quoting
from clir_ot.collections.tables import named_columns, read_rows
from clir_ot.errors import UserError
from clir_ot.files import Readable, read_lines

Columns = tuple[str, str]
"""English and foreign: numbers from 1, or names in the file's first line."""

_DELIMITERS = ",;\t"  # of CSV, in this order; Excel writes the second where a comma stands in numbers


def read_tsv(
    path: Readable, language: str, columns: Columns | None, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """Two columns of a file in which a tab ends a field; quoted as in CSV if the whole file is.

    Args:
        language: of the foreign side, by which a line of column names is recognised.
        columns: None is those that the first line names, and the first two where it names none.
        say: takes what a user should know of how the file is read, a line each.

    Raises:
        UserError: no such column; a line with more or fewer fields than the first, for a tab inside a text would cut it
            short.
    """
    quoting = find_quoting(path)
    for note in quoting.notes(path):
        say(note)
    yield from _pairs(read_rows(path, quoting.is_csv), language, columns, say)


def read_csv(
    path: Readable, language: str, columns: Columns | None, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    """Two columns of a CSV file; arguments and errors as of `read_tsv`."""
    if not path.is_file():
        raise UserError(f"{path}: is no file; CSV is not read from a pipe")
    for delimiter in _DELIMITERS:
        if len(next(read_rows(path, True, delimiter), ("", []))[1]) > 1:
            yield from _pairs(read_rows(path, True, delimiter), language, columns, say)
            return
    raise UserError(f"{path}: expected two columns, with a comma between {ENGLISH} and foreign; found one")


def read_columns(path: Path, columns: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """Two columns of many, by number from 1, of tab-separated lines that are read as they stand.

    Raises:
        UserError: a line lacks one of them.
    """
    english, foreign = columns
    for place, line in read_lines(path):
        fields = line.split("\t")
        if len(fields) < max(columns):
            raise UserError(
                f"{place}: expected at least {max(columns)} fields, a tab between them; found {len(fields)}"
            )
        yield fields[english - 1], fields[foreign - 1]


def _pairs(
    rows: Iterator[tuple[str, list[str]]], language: str, columns: Columns | None, say: Callable[[str], None]
) -> Iterator[tuple[str, str]]:
    width = 0
    for place, fields in rows:
        if not width:
            width = len(fields)
            (english, foreign), is_pair = _places(place, fields, language, columns)
            if not is_pair:
                said = f"English {fields[english]!r}, {language} {fields[foreign]!r}"
                say(f"{place}: names the columns, and is no pair; {said}")
                continue
        if len(fields) != width:
            raise UserError(
                f"{place}: expected {width} fields, as the first line has, found {len(fields)}; a tab inside a text "
                "must become a space"
            )
        yield fields[english], fields[foreign]


def _places(place: str, fields: list[str], language: str, columns: Columns | None) -> tuple[tuple[int, int], bool]:
    """Where English and foreign stand, and whether they do in the first record, or only their names."""
    if columns is None:
        named = named_columns(fields, language, place)
        return named or _numbered(place, fields, (1, 2)), named is None
    numbers = [int(column) for column in columns if column.isdecimal()]
    if len(numbers) == 2:
        english, foreign = _numbered(place, fields, (numbers[0], numbers[1]))
        named = named_columns([fields[english], fields[foreign]], language, place)
        if named == (1, 0):
            raise UserError(
                f"{place}: names column {numbers[1]} as English, {fields[foreign]!r}, and not column {numbers[0]}; "
                f"expected --columns {numbers[1]},{numbers[0]}"
            )
        return (english, foreign), named is None
    if absent := next((column for column in columns if column not in fields), None):
        raise UserError(f"{place}: has no column {absent!r}; the first line has {', '.join(fields)}")
    return (fields.index(columns[0]), fields.index(columns[1])), False


def _numbered(place: str, fields: list[str], numbers: tuple[int, int]) -> tuple[int, int]:
    if not all(1 <= number <= len(fields) for number in numbers):
        raise UserError(
            f"{place}: expected a tab between {ENGLISH} and foreign, in columns {numbers[0]} and {numbers[1]}; found "
            f"{len(fields)} field(s)"
        )
    return numbers[0] - 1, numbers[1] - 1
