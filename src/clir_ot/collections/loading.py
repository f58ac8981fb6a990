"""What a file holds, as `dict` and `list` where the file is small and from the disk where it is large.

Reading is cached by file, as long as it does not change: a collection is read by the data module, the evaluation and
the statistics of one run.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import TypeVar

from clir_ot.collections.reading import (
    first_repeated,
    listed_negatives,
    read_judgements,
    read_pairs,
    read_texts,
    score_changed,
)
from clir_ot.errors import Report, UserError
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


@dataclass(frozen=True)
class Documents:
    """What a corpus file holds.

    Attributes:
        texts: `{_id: text}` in file order, of those that have a text.
        blank: `_id`s of the others; nothing is read of them, and no search finds them.
        doubles: records that are there a second time, `_id` and text, and are read once.
    """

    texts: Mapping[str, str]
    blank: tuple[str, ...]
    doubles: int

    def notes(self, path: Path) -> Iterator[str]:
        """What is read otherwise than it stands in the file, a line each."""
        return corpus_notes(path, len(self.blank), next(iter(self.blank), ""), self.doubles)


def corpus_notes(path: Path, blank: int, first: str, doubles: int) -> Iterator[str]:
    """See `Documents.notes`."""
    if blank:
        some, which = ("1 document has", f"it: {first!r}")
        if blank > 1:
            some, which = f"{blank} documents have", f"them: {first!r} first"
        yield f"{path}: {some} no text, and no search finds {which}"
    if doubles:
        some = "1 record is" if doubles == 1 else f"{doubles} records are"
        yield f"{path}: {some} there a second time, _id and text, and read once"


@_cached
def load_documents(path: Path) -> Documents:
    """A corpus file.

    Raises:
        UserError: see `read_texts`; an `_id` has two texts; no document has a text.
    """
    if is_large(path):
        from clir_ot.collections.arrow_store import stored_texts

        stored = stored_texts(path)
        found = Documents(stored, stored.blank, stored.doubles)
    else:
        found = _in_memory(path, lambda path, problem: None)
    if not found.texts:
        raise UserError(f"{path}: none of its {len(found.blank)} documents has a text")
    return found


@_cached
def load_texts(path: Path) -> Mapping[str, str]:
    """`{_id: text}` in file order, none of them blank: queries.

    Raises:
        UserError: see `read_texts`; an `_id` has two texts.
    """
    if not is_large(path):
        return load_small_texts(path)
    from clir_ot.collections.arrow_store import stored_texts

    stored = stored_texts(path)
    if stored.blank:
        for _ in read_texts(path):  # as far as the first blank one, which it raises
            pass
    return stored


def load_small_texts(path: Path) -> dict[str, str]:
    """The same in memory, whatever the file's size, and read at every call."""
    return dict(_in_memory(path, None).texts)


def _in_memory(path: Path, blank: Report | None) -> Documents:
    texts: dict[str, str] = {}
    doubles = 0
    for text in read_texts(path, blank=blank):
        if text.name not in texts:
            texts[text.name] = text.text
        elif texts[text.name] == text.text:
            doubles += 1
        else:
            raise UserError(first_repeated(path))
    empty = tuple(name for name, text in texts.items() if not text)
    return Documents({name: text for name, text in texts.items() if text} if empty else texts, empty, doubles)


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
