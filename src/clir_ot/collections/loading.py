"""What a file holds, as `dict` and `list` where the file is small and from the disk where it is large.

Reading is cached by file, as long as it does not change: a collection is read by the data module, the evaluation and
the statistics of one run.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

from clir_ot.collections.reading import (
    listed_negatives,
    read_judgements,
    read_pairs,
    read_texts,
    repeated_id,
    score_changed,
)
from clir_ot.errors import UserError
from clir_ot.files import stamp

T = TypeVar("T")

LARGE = 32 * 2**20
"""Bytes of text above which a file is read from the disk."""

_PACKED = 4  # times as much text as a compressed file has bytes, about


def _cached(read: Callable[[Path], T]) -> Callable[[Path], T]:
    @lru_cache(maxsize=64)
    def remembered(path: Path, size: int, changed: int) -> T:
        return read(path)

    @wraps(read)
    def from_cache(path: Path) -> T:
        return remembered(path, *stamp(path))

    return from_cache


def is_large(path: Path) -> bool:
    """Whether the texts of a file are to stay on disk."""
    return path.stat().st_size * (_PACKED if path.suffix in (".gz", ".zst", ".parquet") else 1) > LARGE


@_cached
def load_texts(path: Path) -> Mapping[str, str]:
    """`{_id: text}` in file order.

    Raises:
        UserError: see `read_texts`; an `_id` occurs a second time.
    """
    if is_large(path):
        from clir_ot.collections.arrow_store import stored_texts

        return stored_texts(path)
    return load_small_texts(path)


def load_small_texts(path: Path) -> dict[str, str]:
    """The same in memory, whatever the file's size, and read at every call."""
    texts: dict[str, str] = {}
    for text in read_texts(path):
        if text.name in texts:
            raise UserError(repeated_id(text))
        texts[text.name] = text.text
    return texts


@_cached
def load_negatives(path: Path) -> dict[str, list[str]]:
    """`{query: documents}` of the records of a queries file that list `"negatives"`."""
    return {text.name: listed_negatives(path, text) for text in read_texts(path) if text.negatives is not None}


@_cached
def load_pairs(path: Path) -> Sequence[tuple[str, str]]:
    """`[(English, foreign)]` in file order.

    Raises:
        UserError: see `read_pairs`.
    """
    if is_large(path):
        from clir_ot.collections.arrow_store import stored_pairs

        return stored_pairs(path)
    return [(pair.english, pair.foreign) for pair in read_pairs(path)]


@_cached
def load_judgements(path: Path) -> dict[str, dict[str, int]]:
    """`{query: {document: score}}` in file order.

    Raises:
        UserError: see `read_judgements`; a document has two scores for a query.
    """
    judgements: dict[str, dict[str, int]] = {}
    for judgement in read_judgements(path):
        if (
            judgements.setdefault(judgement.query, {}).setdefault(judgement.document, judgement.score)
            != judgement.score
        ):
            raise UserError(score_changed(judgement))
    return judgements
