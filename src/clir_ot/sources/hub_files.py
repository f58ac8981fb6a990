"""Reading published files a row at a time: Parquet and JSON lines by column, tables by field, TREC's judgements."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.files import read_lines

Judgement = tuple[str, str, int]
"""(query, document, grade)."""


def records(paths: Iterable[Path], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of Parquet files, or of JSON lines (plain, `.gz` or `.zst`), with the columns asked for.

    Raises:
        UserError: a column is missing: names it and what there is; a line is no JSON object; a file cannot be read.
    """
    for path in paths:
        yield from (_parquet if path.suffix == ".parquet" else _json_lines)(path, columns)


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
                yield query, document, int(grade)
            except ValueError as error:
                raise UserError(
                    f"{place}: expected query, 0, document, grade (or query, document, grade), found {line[:60]!r}"
                ) from error


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    import datasets
    import pyarrow
    from pyarrow import parquet

    try:
        _check_columns(path, columns, parquet.read_schema(path).names)
        rows = datasets.load_dataset("parquet", data_files=[str(path)], split="train", streaming=True)
        yield from rows.select_columns(list(columns))
    except (OSError, pyarrow.ArrowException, datasets.exceptions.DatasetGenerationError) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]}); fetch it again") from error


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    # Not datasets' own reader, which guesses the type of every column (a text that looks like a date becomes one) and
    # cannot say in which line a problem is.
    for place, line in read_lines(path):
        try:
            record = json.loads(line)
            if type(record) is not dict:
                raise TypeError(f"found {line[:40]!r}")
            if any(column not in record for column in columns):
                _check_columns(place, columns, [*record])
            yield {column: record[column] for column in columns}
        except (json.JSONDecodeError, TypeError) as error:
            raise UserError(f"{place}: expected a JSON object on one line ({error})") from error


def _check_columns(place: object, columns: Sequence[str], there: Sequence[str]) -> None:
    if missing := [column for column in columns if column not in there]:
        raise UserError(
            f"{place}: no column {missing[0]!r}; there are {', '.join(there) or 'none'}: the set's layout has changed, "
            "give a copy in the old one with --from"
        )
