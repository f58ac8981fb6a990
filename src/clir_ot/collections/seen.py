"""Which texts have been seen before, in a few bytes each."""

from collections.abc import Sequence

import numpy as np

from clir_ot.collections.id_index import hashed

_RECENT = 2**20


class SeenTexts:
    """A set of texts by 64-bit hashes: 8 bytes a text, and as much again while recent ones are merged.

    That two of n different texts share a hash has the probability n^2 / 2^65: 3 in a million for ten million texts.

    Args:
        recent: hashes kept in a Python set before they are merged into the sorted array of the others.
    """

    def __init__(self, recent: int = _RECENT) -> None:
        self._old = np.empty(0, dtype=np.uint64)  # (texts seen,), sorted
        self._recent: set[int] = set()
        self._room = recent

    def __len__(self) -> int:
        return len(self._old) + len(self._recent)

    def add(self, texts: Sequence[str]) -> list[bool]:
        """Add texts; whether each is new, neither added before nor further up in `texts`."""
        hashes = np.array([hashed(text) for text in texts], dtype=np.uint64)
        places = np.searchsorted(self._old, hashes)
        within = places < len(self._old)
        old = np.zeros(len(hashes), dtype=bool)
        old[within] = self._old[places[within]] == hashes[within]
        new = []
        for value, is_old in zip(hashes.tolist(), old.tolist(), strict=True):
            new.append(not is_old and value not in self._recent)
            if new[-1]:
                self._recent.add(value)
        if len(self._recent) >= self._room:
            merged = np.concatenate([self._old, np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))])
            merged.sort()
            self._old, self._recent = merged, set()
        return new
