"""Some pairs of a bitext, read where they are."""

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray


class ChosenPairs(Sequence[tuple[str, str]]):
    """`[(English, foreign)]` at some positions of a bitext; a slice of it is a list.

    Args:
        pairs: all of them.
        positions: (n,) int64, in the order that they are to have.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], positions: NDArray[np.int64]) -> None:
        self._pairs, self._positions = pairs, positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, place: int) -> tuple[str, str]: ...
    @overload
    def __getitem__(self, place: slice) -> list[tuple[str, str]]: ...
    def __getitem__(self, place: int | slice) -> tuple[str, str] | list[tuple[str, str]]:
        if isinstance(place, slice):
            return [self._pairs[position] for position in self._positions[place].tolist()]
        return self._pairs[int(self._positions[place])]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))
