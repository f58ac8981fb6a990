"""Rows of like lengths in one batch, and no row twice in it."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

R = TypeVar("R", bound=Hashable)


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
        self._times, self._spare, self._lengths = Counter(copied), spare, lengths

    def apart(self, batch: list[R]) -> list[R]:
        """The batch with another row in a copy's place: of those drawn least often, the one of the nearest lengths."""
        if len(set(batch)) == len(batch):
            return batch
        kept: list[R] = []
        for row in batch:
            taken = {*batch, *kept}
            others = [other for other in self._spare if other not in taken] if row in kept else []
            kept.append(min(others, key=partial(self._cost, row), default=row))
            self._times.update([kept[-1]])
            self._times.subtract([row])
        return kept

    def _cost(self, row: R, other: R) -> tuple[int, int]:
        sides = zip(self._lengths(row), self._lengths(other), strict=True)
        return self._times[other], sum(abs(a - b) for a, b in sides)
