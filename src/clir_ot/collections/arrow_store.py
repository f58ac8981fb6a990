"""Texts and pairs of files too large for memory: Arrow files in the cache, written once and mapped from the disk."""

import json
import mmap
from array import array
from collections.abc import Callable, Container, ItemsView, Iterator, Mapping, Sequence, ValuesView
from itertools import islice
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
from filelock import FileLock

from clir_ot.collections.arrow_cache import note_use, sweep
from clir_ot.collections.cache import cache_folder
from clir_ot.collections.id_index import IdIndex, hashed
from clir_ot.collections.reading import first_repeated, read_pairs, read_texts
from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers, replacing, sha256
from clir_ot.progress import counting

_FORMAT = 2  # of what is written; another one is written anew
_TABLE = "table.arrow"
_LEFT_OUT = "left_out.json"  # there if something is
_ROWS = 2048  # written, and read by iteration, together
_HELD = 256 * 2**20  # bytes of the file that may stay in resident memory
_TOUCHED = 256 * 2**10  # bytes that a lookup brings there at most: pages around an _id and a text


class _Table:
    """An Arrow file mapped from the disk, whose pages are let go again and again.

    The system would keep every page that was read as long as there is memory, and count it as resident.
    """

    def __init__(self, folder: Path) -> None:
        from datasets.table import InMemoryTable

        try:
            with (folder / _TABLE).open("rb") as file:
                self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            # Not a whole `Dataset`: that imports torch, only to name itself.
            self._columns = InMemoryTable.from_buffer(pa.py_buffer(self._pages)).columns
        except (OSError, ValueError, pa.ArrowException) as error:
            raise UserError(f"{folder}: cannot be read ({error}); remove the folder, it will be made again") from error
        self._touched = 0

    def __len__(self) -> int:
        return len(self._columns[0])

    def cell(self, column: int, row: int) -> str:
        """One value."""
        self._touch(_TOUCHED)
        value: str = self._columns[column][row].as_py()
        return value

    def rows(self, *columns: int) -> Iterator[tuple[str, ...]]:
        """Values of these columns, in file order."""
        for chunks in zip(*(self._columns[column].iterchunks() for column in columns), strict=True):
            self._touch(sum(chunk.nbytes for chunk in chunks))
            yield from zip(*(chunk.to_pylist() for chunk in chunks), strict=True)

    def _touch(self, size: int) -> None:
        self._touched += size
        # Of a file that is only read, a page that was let go is read again when it is needed.
        if self._touched > _HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._pages.madvise(mmap.MADV_DONTNEED)
            self._touched = 0


class ArrowTexts(Mapping[str, str]):
    """`{_id: text}` in file order, on disk; the same to the reader as a `dict` of it, and read-only.

    Going through it costs about what reading lines does, and looking an `_id` up some ten microseconds. Another process
    gets the folder's name and maps the same file.

    Args:
        folder: that `stored_texts` has written.

    Attributes:
        blank: `_id`s of texts without a visible character, which are left out.
        doubles: how many texts that were there a second time are left out.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._table, self._index = folder, _Table(folder), IdIndex.load(folder)
        path = folder / _LEFT_OUT
        left_out: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.blank: tuple[str, ...] = tuple(left_out.get("blank", ()))
        self.doubles: int = left_out.get("doubles", 0)

    def __reduce__(self) -> tuple[type["ArrowTexts"], tuple[Path]]:
        return ArrowTexts, (self.folder,)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return (name for (name,) in self._table.rows(0))

    def __contains__(self, name: object) -> bool:
        return self._row(name) is not None

    def __getitem__(self, name: str) -> str:
        if (row := self._row(name)) is None:
            raise KeyError(name)
        return self._table.cell(1, row)

    def items(self) -> ItemsView[str, str]:
        """As of a `dict`; goes through the file once, not by `_id`."""
        return _Items(self, self._table)

    def values(self) -> ValuesView[str]:
        """As of a `dict`; goes through the file once, not by `_id`."""
        return _Values(self, self._table)

    def _row(self, name: object) -> int | None:
        if type(name) is not str:
            return None
        return next((row for row in self._index.rows_of(name) if self._table.cell(0, row) == name), None)


class _Items(ItemsView[str, str]):
    def __init__(self, texts: ArrowTexts, table: _Table) -> None:
        super().__init__(texts)
        self._table = table

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, text) for name, text in self._table.rows(0, 1))


class _Values(ValuesView[str]):
    def __init__(self, texts: ArrowTexts, table: _Table) -> None:
        super().__init__(texts)
        self._table = table

    def __iter__(self) -> Iterator[str]:
        return (text for (text,) in self._table.rows(1))


class ArrowPairs(Sequence[tuple[str, str]]):
    """`[(English, foreign)]` in file order, on disk; read-only, a slice of it is a list.

    Args:
        folder: that `stored_pairs` has written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._table = folder, _Table(folder)

    def __reduce__(self) -> tuple[type["ArrowPairs"], tuple[Path]]:
        return ArrowPairs, (self.folder,)

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((english, foreign) for english, foreign in self._table.rows(0, 1))

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        # As of a `range`: negative numbers count from the end, and what is not there is an IndexError.
        rows = range(len(self))[place]
        if isinstance(rows, range):
            return [self._pair(row) for row in rows]
        return self._pair(rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def _pair(self, row: int) -> tuple[str, str]:
        return self._table.cell(0, row), self._table.cell(1, row)


def stored_texts(path: Path) -> ArrowTexts:
    """The documents or queries of a file, written into the cache if they are not there.

    Raises:
        UserError: see `read_texts`; an `_id` occurs a second time; the cache is not writable or the disk full.
    """
    return ArrowTexts(_stored("texts", path, _write_texts))


def stored_pairs(path: Path) -> ArrowPairs:
    """The bitext of a file, written into the cache if it is not there.

    Raises:
        UserError: see `read_pairs`; the cache is not writable or the disk full.
    """
    return ArrowPairs(_stored("pairs", path, _write_pairs))


def _stored(kind: str, path: Path, write: Callable[[Path, Path], None]) -> Path:
    """The folder in the cache, by the file's content: whole or not there, whatever happens, and written by one."""
    # The name says how the bytes are read: as `.tsv` they are other texts than as `.jsonl`.
    endings = "".join(path.suffixes[-2:] if path.suffix in (".gz", ".zst") else path.suffixes[-1:])
    target = cache_folder() / "arrow" / f"{kind}{endings}-{_FORMAT}-{sha256(path).hex()[:32]}"
    if target.is_dir():
        note_use(target, path)
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{target}.lock").acquire()
    except OSError as error:
        said = error.strerror or error
        raise UserError(f"{target}: cannot be written ({said}); set CLIR_OT_CACHE to another folder") from error
    with lock:
        if not target.is_dir():
            remove_leftovers(target)
            with replacing(target) as temporary:
                temporary.mkdir()
                write(path, temporary)
    note_use(target, path)
    sweep(target.parent, path, target)
    return target


def _write_texts(path: Path, folder: Path) -> None:
    """Texts that are there a second time are found when all are written; without them, all is written once more."""
    hashes, blank, doubles = _write_rows(path, folder, frozenset())
    index, table = IdIndex.of(hashes), _Table(folder)

    def first_text(name: str) -> str:
        return next(table.cell(1, row) for row in index.rows_of(name) if table.cell(0, row) == name)

    repeated = frozenset(index.repeated(lambda row: table.cell(0, row)))
    if any(name in index for name in blank) or any(
        table.cell(1, row) != first_text(table.cell(0, row)) for row in repeated
    ):
        raise UserError(first_repeated(path))
    if repeated:
        (folder / _TABLE).unlink()  # not written over: it is mapped
        hashes, blank, doubles = _write_rows(path, folder, repeated)
        index = IdIndex.of(hashes)
    index.save(folder)
    if blank or doubles or repeated:
        left_out = {"blank": blank, "doubles": doubles + len(repeated)}
        (folder / _LEFT_OUT).write_text(json.dumps(left_out), encoding="utf-8")


def _write_rows(path: Path, folder: Path, left_out: Container[int]) -> tuple["array[int]", list[str], int]:
    """Write the table but for some rows; hashes of the `_id`s in it, blank texts, and how often these come again."""
    hashes, blank, doubles = array("Q"), dict[str, None](), 0

    def rows() -> Iterator[tuple[str, str]]:
        nonlocal doubles
        row = -1
        for text in read_texts(path, blank=lambda path, problem: None):
            if not text.text:
                doubles += text.name in blank
                blank[text.name] = None
                continue
            row += 1
            if row not in left_out:
                hashes.append(hashed(text.name))
                yield text.name, text.text

    _write_table(folder, ("_id", "text"), rows(), counting(f"texts of {path} read"))
    return hashes, list(blank), doubles


def _write_pairs(path: Path, folder: Path) -> None:
    rows = ((pair.english, pair.foreign) for pair in read_pairs(path))
    _write_table(folder, ("english", "foreign"), rows, counting(f"pairs of {path} read"))


def _write_table(
    folder: Path, columns: tuple[str, ...], rows: Iterator[tuple[str, ...]], progress: Callable[[int], None]
) -> None:
    from datasets import Features, Value
    from datasets.arrow_writer import ArrowWriter

    features = Features({column: Value("string") for column in columns})
    with ArrowWriter(path=str(folder / _TABLE), features=features) as writer:
        while some := list(islice(rows, _ROWS)):
            values = zip(*some, strict=True)
            writer.write_table(pa.table(dict(zip(columns, map(list, values), strict=True))), _ROWS)
            progress(len(some))
        writer.finalize()
