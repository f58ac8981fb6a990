"""How a collection's TSV files are read where that is not as they stand: said by `check`, and part of a fingerprint."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from clir_ot.collections.folder_files import FolderFiles
from clir_ot.collections.quoting import Quoting, find_quoting
from clir_ot.collections.tables import read_rows
from clir_ot.collections.text_files import PAIRS, TEXTS, Layout, column_names
from clir_ot.errors import UserError
from clir_ot.files import stamp


@dataclass(frozen=True)
class TableReading:
    """How a TSV file is read where a field is more than what stands between tabs, and a record more than a line.

    Attributes:
        path: of the file.
        quoting: what its quotes say.
        begins_with_names: whether its first record names the columns.
        names: `FILE:1: ` and that record, if it names the languages of a bitext and not the columns of the format.
    """

    path: Path
    quoting: Quoting
    begins_with_names: bool
    names: str | None

    @property
    def is_plain(self) -> bool:
        """Whether every line is read as it stands."""
        return not self.quoting.quoted and not self.names

    def notes(self) -> Iterator[str]:
        """What a user should know of it, a line each."""
        yield from self.quoting.notes(self.path)
        if self.names:
            yield f"{self.names} are names of columns, and no pair"


def table_reading(path: Path, layout: Layout) -> TableReading:
    """Look at a TSV file as `read_records` does.

    Raises:
        UserError: the file cannot be read.
    """
    quoting = find_quoting(path)
    place, fields = next(read_rows(path, quoting.is_csv, report=lambda path, problem: None), ("", [""]))
    begins_with_names = column_names(path, place, fields, layout) is not None
    own = begins_with_names and layout is PAIRS and not {*layout.columns} <= {*fields}
    return TableReading(path, quoting, begins_with_names, f"{place}: {', '.join(fields)}" if own else None)


def is_read_plainly(path: Path, layout: Layout) -> bool:
    """Whether a file's lines are read as they stand; a file that cannot be read is not read otherwise."""
    return not _is_table(path) or _is_read_plainly(path, layout, *stamp(path))


@lru_cache(maxsize=1024)
def _is_read_plainly(path: Path, layout: Layout, size: int, changed: int) -> bool:
    with suppress(UserError):
        return table_reading(path, layout).is_plain
    return True


def _is_table(path: Path) -> bool:
    return ".tsv" in path.suffixes[-2:]


def table_notes(files: FolderFiles) -> Iterator[str]:
    """What a user should know of the TSV files of a folder, a line each; files that cannot be read say nothing."""
    for layout, paths in ((TEXTS, (*files.corpora.values(), *files.queries.values())), (PAIRS, files.bitexts.values())):
        for path in filter(_is_table, paths):
            with suppress(UserError):
                yield from table_reading(path, layout).notes()
