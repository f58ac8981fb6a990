"""Rows of like lengths in one batch, and no row twice in it."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

R = TypeVar("R", bound=Hashable)

_FARTHEST = 2**32  # more than two rows' lengths ever differ by
_NEVER = np.iinfo(np.int64).max


def of_like_lengths(rows: Sequence[R], lengths: Callable[[R], tuple[int, int]], batch_size: int) -> list[list[R]]:
    """Batches with little padding on both sides: strips of like length on one side, each sorted by the other.

    How many strips, and which side first, is tried out: it depends on how the two lengths go together.
    """
    sizes = {id(row): lengths(row) for row in rows}
    per_side = math.sqrt(len(rows) / batch_size)
    tried = {max(1, round(share * per_side)) for share in (0.0, 0.5, 1.0, 1.5, 2.0)}
    candidates = [_in_strips(rows, sizes, first, strips) for first in (0, 1) for strips in sorted(tried)]
    batches = [[order[i : i + batch_size] for i in range(0, len(order), batch_size)] for order in candidates]
    return min(batches, key=lambda some: sum(_padded(batch, sizes) for batch in some))


def _in_strips(rows: Sequence[R], sizes: Mapping[int, tuple[int, int]], first: int, strips: int) -> list[R]:
    by_first = sorted(rows, key=lambda row: sizes[id(row)][first])
    height = math.ceil(len(rows) / strips)
    ordered: list[R] = []
    for number, start in enumerate(range(0, len(rows), height)):
        strip = by_first[start : start + height]
        # Neighbouring strips in opposite order, so that a batch across two of them is still of like lengths.
        ordered += sorted(strip, key=lambda row: sizes[id(row)][1 - first], reverse=number % 2 == 1)
    return ordered


def _padded(batch: Sequence[R], sizes: Mapping[int, tuple[int, int]]) -> int:
    return len(batch) * sum(max(sizes[id(row)][side] for row in batch) for side in (0, 1))


class Copies(Generic[R]):
    """Keeps the copies of a row, which are of like length, out of its batch: the loss would count the row twice there.

    Args:
        copied: the rows that a pass over all rows draws a second time.
        spare: rows that may take a copy's place.
        lengths: of a row, on both sides.
    """

    def __init__(self, copied: Sequence[R], spare: Sequence[R], lengths: Callable[[R], tuple[int, int]]) -> None:
        self._spare, self._lengths = spare, lengths
        self._places: dict[R, list[int]] = {}  # among the spare rows
        for place, row in enumerate(spare):
            self._places.setdefault(row, []).append(place)
        times = Counter(copied)
        self._times = np.array([times[row] for row in spare], dtype=np.int64)

    def apart(self, batch: list[R]) -> list[R]:
        """The batch with another row in a copy's place: of those drawn least often, the one of the nearest lengths."""
        if len(set(batch)) == len(batch):
            return batch
        free = np.ones(len(self._spare), dtype=bool)
        for row in batch:
            free[self._places.get(row, [])] = False
        kept: list[R] = []
        seen: set[R] = set()
        for row in batch:
            chosen = row
            if row in seen and free.any():
                chosen = self._spare[int(np.where(free, self._costs(row), _NEVER).argmin())]
                free[self._places[chosen]] = False
                self._times[self._places[chosen]] += 1
                self._times[self._places.get(row, [])] -= 1
            kept.append(chosen)
            seen.add(chosen)
        return kept

    @cached_property
    def _sides(self) -> NDArray[np.int64]:
        """(spare rows, 2)"""
        return np.array([self._lengths(row) for row in self._spare], dtype=np.int64)

    def _costs(self, row: R) -> NDArray[np.int64]:
        """Of each spare row: how often it was drawn, and among equals how far its lengths are."""
        apart: NDArray[np.int64] = np.abs(self._sides - np.array(self._lengths(row))).sum(axis=1)
        return self._times * _FARTHEST + apart
