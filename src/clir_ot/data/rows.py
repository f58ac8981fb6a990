"""Rows of batches, and a pass over millions of sentence pairs whose rows are made when they are asked for."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, overload

import numpy as np

from clir_ot.collections.collection import ENGLISH


class Row(NamedTuple):
    """One row of a batch.

    Attributes:
        item: `_id` of the query, or `(language, position)` of the pair in its bitext file.
        query_language: of the query, or of the side the student reads: the pair's language, or `en` in a row that
            keeps English in place.
        document_language: of the document, or `en`, the side the teacher reads.
        draw: uniform in [0, 1): all later random choices about this row come from it, so that they do not depend on
            worker processes or ranks.
    """

    item: Any
    query_language: str
    document_language: str
    draw: float


class BitextRows(Sequence[Row]):
    """One row for each pair, language after language: eight bytes each, where a `Row` has two hundred.

    Args:
        sizes: `{language: pairs}`.
        random: a number is drawn from it for each row, in order.
    """

    def __init__(self, sizes: Mapping[str, int], random: np.random.Generator) -> None:
        self._languages, self._ends = list(sizes), list(accumulate(sizes.values()))
        self._draws = random.random(sum(sizes.values()))

    def __len__(self) -> int:
        return len(self._draws)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        rows = range(len(self))[place]
        return [self._row(row) for row in rows] if isinstance(rows, range) else self._row(rows)

    def _row(self, row: int) -> Row:
        number = bisect_right(self._ends, row)
        language, start = self._languages[number], self._ends[number - 1] if number else 0
        return Row((language, row - start), language, ENGLISH, float(self._draws[row]))
