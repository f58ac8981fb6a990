"""At which row of a file an `_id` stands: sorted 64-bit hashes, 16 bytes an `_id`, in memory or on disk."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

_HASHES, _ROWS = "hashes.npy", "rows.npy"


def hashed(name: str) -> int:
    """64 bits that depend on the `_id` alone."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


class IdIndex:
    """Rows by hash; whether a row has the `_id` itself, and not only its hash, is for the caller to see.

    Attributes:
        hashes: (n,) uint64, ascending.
        rows: (n,) int64, of each hash; those of equal hashes ascend.
    """

    def __init__(self, hashes: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> None:
        self.hashes, self.rows = hashes, rows

    @classmethod
    def of(cls, hashes: Iterable[int]) -> "IdIndex":
        """Of the hashes of rows 0, 1, ...; an array of type `Q` takes 8 bytes each."""
        found = np.frombuffer(hashes if type(hashes) is array else array("Q", hashes), dtype=np.uint64)
        rows = np.argsort(found, kind="stable")
        return cls(found[rows], rows)

    @classmethod
    def load(cls, folder: Path) -> "IdIndex":
        """What `save` has written, left on disk."""
        hashes, rows = (np.load(folder / name, mmap_mode="r") for name in (_HASHES, _ROWS))
        # Plain arrays of the same memory: looking something up in a `memmap` takes several times as long.
        return cls(np.asarray(hashes), np.asarray(rows))

    def save(self, folder: Path) -> None:
        """Write two files into the folder."""
        np.save(folder / _HASHES, self.hashes)
        np.save(folder / _ROWS, self.rows)

    def rows_of(self, name: str) -> Sequence[int]:
        """The rows that have the hash of the `_id`, nearly always one or none."""
        wanted = np.uint64(hashed(name))
        start = int(self.hashes.searchsorted(wanted))
        end = start
        while end < len(self.hashes) and self.hashes[end] == wanted:
            end += 1
        found: list[int] = self.rows[start:end].tolist()
        return found

    def __contains__(self, name: str) -> bool:
        """Whether a row has the hash of the `_id`: in ten million others it stands by chance once in 10^12."""
        wanted = np.uint64(hashed(name))
        start = int(self.hashes.searchsorted(wanted))
        return start < len(self.hashes) and bool(self.hashes[start] == wanted)

    def repeated_pairs(self) -> list[tuple[int, int]]:
        """Rows whose hash an earlier row has, ascending, each behind the first that has it."""
        again = self.hashes[1:] == self.hashes[:-1]
        starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(self.rows)), bool), ~again]))
        groups = starts.repeat(np.diff(starts, append=len(self.rows)))
        firsts, rows = self.rows[groups][1:][again], self.rows[1:][again]
        order = np.argsort(rows)
        return list(zip(firsts[order].tolist(), rows[order].tolist(), strict=True))

    def repeated_rows(self) -> npt.NDArray[np.int64]:
        """Rows whose hash an earlier row has, ascending."""
        return np.sort(self.rows[1:][self.hashes[1:] == self.hashes[:-1]])

    def repeated(self, name_of: Callable[[int], str]) -> Iterator[int]:
        """Rows whose `_id` an earlier row has, in no order.

        Args:
            name_of: the `_id` of a row; asked only where hashes are equal.
        """
        group, names = -1, set[str]()
        for i in np.flatnonzero(self.hashes[1:] == self.hashes[:-1]).tolist():
            if (value := int(self.hashes[i])) != group:
                group, names = value, {name_of(int(self.rows[i]))}
            row = int(self.rows[i + 1])
            if (name := name_of(row)) in names:
                yield row
            names.add(name)


def union(indexes: Sequence[IdIndex]) -> IdIndex:
    """Where only `in` is asked: all the hashes, each once; the rows mean nothing."""
    hashes = np.unique(np.concatenate([np.empty(0, np.uint64), *(index.hashes for index in indexes)]))
    return IdIndex(hashes, np.empty(0, np.int64))
