"""Reading published files a row at a time: Parquet and JSON lines by column, tables by field, TREC's judgements."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clir_ot.collections.trec_fields import whole_number
from clir_ot.errors import UserError
from clir_ot.files import read_lines

Judgement = tuple[str, str, int]
"""(query, document, grade)."""

_ROWS = 4096  # of a Parquet file, held in memory together


class Row(dict[str, Any]):
    """A row, and where it stands: `FILE:LINE`, or `FILE:row N` of a Parquet file."""

    place: str = ""


def records(paths: Iterable[Path], columns: Sequence[str], others: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of Parquet files, or of JSON lines (plain, `.gz` or `.zst`), with the columns asked for.

    Args:
        columns: of text, the first of them the row's id. Null, and NaN as pandas writes it, are `""`; whole numbers are
            text.
        others: of anything.

    Raises:
        UserError: a column is missing: names it and what there is; a line is no JSON object; a file cannot be read; an
            id is not there, or a text is none: names the row.
    """
    for path in paths:
        reader = _parquet if path.suffix == ".parquet" else _json_lines
        for place, found in reader(path, [*columns, *others]):
            row = Row(found)
            row.place = place
            for column in columns:
                row[column] = _text(found[column], column, place)
            if not row[columns[0]]:
                raise UserError(f"{place}: its {columns[0]!r} is empty; every row must have one")
            yield row


def _text(value: object, column: str, place: str) -> str:
    if isinstance(value, str):
        return value
    if value is None or value != value:  # NaN alone is not equal to itself
        return ""
    if type(value) is int:
        return str(value)
    raise UserError(f"{place}: its {column!r} is {json.dumps(value, default=str)[:40]}; expected text")


def table(paths: Iterable[Path], fields: int) -> Iterator[list[str]]:
    """The rows of files without a header whose fields are divided by tabs.

    Raises:
        UserError: a row has another number of fields: names file and line.
    """
    for path in paths:
        for place, line in read_lines(path):
            row = line.split("\t")
            if len(row) != fields:
                raise UserError(f"{place}: expected {fields} fields divided by tabs, found {len(row)}")
            yield row


def topics(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(query, text) of TREC topics as `qid TAB query`."""
    for name, text in table(paths, 2):
        yield name.strip(), text.strip()


def judgements(paths: Iterable[Path]) -> Iterator[Judgement]:
    """Judgements in TREC's format, `query 0 document grade`, or in BEIR's, `query TAB document TAB grade`.

    Raises:
        UserError: a row is in neither format: names file and line.
    """
    for path in paths:
        for number, (place, line) in enumerate(read_lines(path)):
            fields = line.split()
            if number == 0 and fields[0] == "query-id":
                continue
            try:
                query, document, grade = (fields[0], *fields[2:]) if len(fields) == 4 else fields
                yield query, document, whole_number(grade)
            except ValueError as error:
                raise UserError(
                    f"{place}: expected query, 0, document, grade (or query, document, grade), found {line[:60]!r}"
                ) from error


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    try:
        # The buffer: without it a whole row group of a column is read at once.
        with parquet.ParquetFile(path, buffer_size=2**20) as file:
            _check_columns(path, columns, file.schema_arrow.names)
            rows = (row for batch in file.iter_batches(_ROWS, columns=list(columns)) for row in batch.to_pylist())
            for number, row in enumerate(rows, start=1):
                yield f"{path}:row {number}", row
    except (OSError, pyarrow.ArrowException) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]}); fetch it again") from error


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    # Not datasets' own reader, which guesses the type of every column (a text that looks like a date becomes one) and
    # cannot say in which line a problem is.
    for place, line in read_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{place}: expected a JSON object on one line ({error})") from error
        if type(record) is not dict:
            raise UserError(f"{place}: expected a JSON object on one line (found {line[:40]!r})")
        _check_columns(place, columns, [*record])
        yield place, {column: record[column] for column in columns}


def _check_columns(place: object, columns: Sequence[str], there: Sequence[str]) -> None:
    if missing := [column for column in columns if column not in there]:
        raise UserError(
            f"{place}: no column {missing[0]!r}; there are {', '.join(there) or 'none'}: the set's layout has changed, "
            "give a copy in the old one with --from"
        )
