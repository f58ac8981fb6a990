"""JSON Lines, TSV and Parquet files as records, each with the place that it stands at."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clir_ot.collections.quoting import find_quoting
from clir_ot.collections.tables import named_columns, read_rows
from clir_ot.errors import Report, UserError, stop
from clir_ot.files import read_lines

Record = Mapping[str, object]

_ROWS = 4096  # of a Parquet file, held in memory together


@dataclass(frozen=True)
class Layout:
    """What a file's records are made of.

    Attributes:
        columns: that every record has, in the order of a TSV file without a header.
        optional: that it may have.
        json, tsv: how a line is to look, for messages.
    """

    columns: tuple[str, ...]
    optional: tuple[str, ...]
    json: str
    tsv: str


TEXTS = Layout(("_id", "text"), ("title", "negatives"), '{"_id": "...", "text": "..."} on one line', "_id TAB text")
PAIRS = Layout(("english", "foreign"), (), '{"english": "...", "foreign": "..."} on one line', "English TAB foreign")


def read_records(path: Path, layout: Layout, report: Report = stop) -> Iterator[tuple[str, Record]]:
    """Yield `("FILE:LINE", record)`, or `("FILE:row N", record)` of a Parquet file, in file order.

    A TSV file may begin with a line of column names: one whose first field is `_id`, that names all of the layout's
    columns, or of a bitext both languages (`named_columns`). A field ends at the next tab, unless the whole file is
    quoted as CSV is (`find_quoting`). Blank lines are skipped.

    Args:
        path: `.jsonl`, `.tsv`, both also `.gz` or `.zst`, or `.parquet`.
        layout: which columns.
        report: takes a line or row that is no record, which is left out if it returns.

    Raises:
        UserError: the file as a whole cannot be read: it is damaged or empty, or lacks a column.
    """
    name = path.name.removesuffix(".gz").removesuffix(".zst")
    reader = {".jsonl": _json_lines, ".tsv": _tab_separated, ".parquet": _parquet}[Path(name).suffix]
    empty = True

    def noted(path: Path, problem: str) -> None:
        nonlocal empty
        empty = False
        report(path, problem)

    for placed in reader(path, layout, noted):
        empty = False
        yield placed
    if empty:
        raise UserError(f"{path}: is empty; expected {layout.tsv if reader is _tab_separated else layout.json}")


def _json_lines(path: Path, layout: Layout, report: Report) -> Iterator[tuple[str, Record]]:
    for place, line in read_lines(path, report):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            report(path, f"{place}: expected {layout.json} ({error})")
            continue
        if type(record) is not dict:
            report(path, f"{place}: expected {layout.json}, an object")
        elif absent := [column for column in layout.columns if column not in record]:
            report(path, f'{place}: expected {layout.json}; it has no "{absent[0]}"')
        else:
            yield place, record


def _tab_separated(path: Path, layout: Layout, report: Report) -> Iterator[tuple[str, Record]]:
    columns, expected = layout.columns, layout.tsv
    for number, (place, fields) in enumerate(read_rows(path, find_quoting(path).is_csv, report=report)):
        if number == 0 and (names := column_names(path, place, fields, layout)):
            columns, expected = names, " TAB ".join(fields)
        elif len(fields) != len(columns):
            hint = "; a tab inside a text must become a space" if len(fields) > len(columns) else ""
            report(path, f"{place}: expected {expected}, none of them empty; found {len(fields)} field(s){hint}")
        else:
            yield place, dict(zip(columns, fields, strict=True))


def column_names(path: Path, place: str, fields: list[str], layout: Layout) -> tuple[str, ...] | None:
    """What the columns hold, if a record names them."""
    if fields[0] == "_id" or {*layout.columns} <= {*fields}:
        return _header(place, fields, layout)
    if layout is PAIRS and (named := named_columns(fields, path.name.partition(".")[0], place)):
        return tuple(layout.columns[named.index(i)] if i in named else f"column {i}" for i in range(len(fields)))
    return None


def _header(place: str, fields: list[str], layout: Layout) -> tuple[str, ...]:
    allowed = {*layout.columns, *layout.optional} - {"negatives"}
    if not {*layout.columns} <= {*fields} <= allowed or len({*fields}) < len(fields):
        raise UserError(
            f"{place}: a line of column names that are {', '.join(fields)}; expected {', '.join(layout.columns)}, each "
            f"once, and of others only {', '.join(sorted(allowed.difference(layout.columns))) or 'none'}"
        )
    return tuple(fields)


def _parquet(path: Path, layout: Layout, report: Report) -> Iterator[tuple[str, Record]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # The buffer: without it a whole row group of a column is read at once.
        with parquet.ParquetFile(path, buffer_size=2**20) as file:
            columns = _parquet_columns(path, file.schema_arrow, layout)
            row = 0
            for batch in file.iter_batches(_ROWS, columns=columns):
                yield from _rows(path, batch, row, report)
                row += len(batch)
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as Parquet ({said})") from error


def _rows(path: Path, batch: Any, start: int, report: Report) -> Iterator[tuple[str, Record]]:
    try:
        for row, record in enumerate(batch.to_pylist(), start=start + 1):
            yield f"{path}:row {row}", record
    except UnicodeDecodeError:
        for i in range(len(batch)):
            place = f"{path}:row {start + i + 1}"
            try:
                (record,) = batch.slice(i, 1).to_pylist()
            except UnicodeDecodeError as error:
                report(path, f"{place}: not UTF-8 ({error.reason}); write its texts as UTF-8")
            else:
                yield place, record


def _parquet_columns(path: Path, schema: Any, layout: Layout) -> list[str]:
    import pyarrow as pa

    if absent := [column for column in layout.columns if column not in schema.names]:
        raise UserError(f"{path}: has no column {absent[0]!r}; it has {', '.join(schema.names) or 'none'}")
    found = [column for column in (*layout.columns, *layout.optional) if column in schema.names]
    for column in found:
        kind = schema.field(column).type
        if column != "negatives" and not any(
            of(kind)
            for of in (
                pa.types.is_string,
                pa.types.is_large_string,
                pa.types.is_string_view,
                pa.types.is_dictionary,
                pa.types.is_null,
            )
        ):
            raise UserError(f"{path}: column {column!r} is of type {kind}; expected string")
    return found
