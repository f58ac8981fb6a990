"""What a collection's files hold, line by line: texts, pairs and judgements, checked and in Unicode NFC."""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeGuard

from clir_ot.collections.text_files import PAIRS, TEXTS, read_records
from clir_ot.errors import Report, stop
from clir_ot.files import read_lines

# JSON can spell half of a character beyond U+FFFF; no file, tokenizer or index can hold it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


class Text(NamedTuple):
    """One document or query.

    Attributes:
        place: `FILE:LINE`, or `FILE:row N`.
        name: its `_id`, as it is in the file.
        text: in NFC; a title, where there is one, goes before it on a line of its own.
        negatives: what the file has under that name, see `listed_negatives`.
    """

    place: str
    name: str
    text: str
    negatives: object = None


class Pair(NamedTuple):
    """One pair of a bitext, both sides in NFC and without space around them."""

    place: str
    english: str
    foreign: str


class Judgement(NamedTuple):
    """One line of judgements."""

    place: str
    query: str
    document: str
    score: int


def read_texts(path: Path, report: Report = stop) -> Iterator[Text]:
    """Documents or queries in file order.

    Args:
        report: takes what is no text. If it returns, a text that has an `_id` is yielded all the same, for others may
            refer to it; what has none is left out.

    Raises:
        UserError: see `read_records`.
    """
    for place, record in read_records(path, TEXTS, report):
        name, text, title = record["_id"], record["text"], record.get("title") or ""
        if not _is_text(name) or not name:
            report(path, f'{place}: "_id" and "text" must be non-empty strings')
            continue
        if not _is_text(text) or not _is_text(title) or not f"{title}{text}".strip():
            report(path, f'{place}: "_id" and "text" must be non-empty strings')
            text = title = ""
        elif _has_half_character(name + title + text):
            report(path, f"{place}: holds half a character (a lone surrogate, \\ud800 to \\udfff); write it whole")
            text = title = ""
        whole = f"{title}\n{text}" if title else text
        yield Text(place, name, unicodedata.normalize("NFC", whole), record.get("negatives"))


def repeated_id(text: Text) -> str:
    """The problem of a text whose `_id` an earlier one of its file has."""
    return f"{text.place}: _id {text.name!r} occurs a second time; every _id must be unique in its file"


def listed_negatives(path: Path, query: Text, report: Report = stop) -> list[str]:
    """The documents that a query's record lists as `"negatives"`; none where it lists none."""
    listed = query.negatives
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(map(_is_text, listed)):
        report(path, f'{query.place}: "negatives" must be a list of document _ids')
        return []
    return listed


def read_pairs(path: Path, report: Report = stop) -> Iterator[Pair]:
    """A bitext in file order.

    Args:
        report: takes what is no pair, which is left out if it returns.

    Raises:
        UserError: see `read_records`.
    """
    for place, record in read_records(path, PAIRS, report):
        sides = record["english"], record["foreign"]
        english, foreign = (unicodedata.normalize("NFC", side).strip() if _is_text(side) else "" for side in sides)
        if not english or not foreign:
            which = "English" if not english else "foreign"
            report(path, f"{place}: expected English TAB foreign, both non-empty; the {which} side is empty")
        elif _has_half_character(english + foreign):
            report(path, f"{place}: holds half a character (a lone surrogate, \\ud800 to \\udfff); write it whole")
        else:
            yield Pair(place, english, foreign)


def read_judgements(path: Path, report: Report = stop) -> Iterator[Judgement]:
    """Judgements in file order, those of a line with the names of the columns left out.

    Args:
        report: takes what is no judgement, which is left out if it returns.
    """
    empty = True
    for row, (place, line) in enumerate(read_lines(path, report)):
        fields = line.split("\t")
        if row == 0 and fields[0] == "query-id":
            continue
        empty = False
        try:
            query, document, score = fields
            judgement = Judgement(place, query, document, int(score))
        except ValueError:
            report(path, f"{place}: expected query-id TAB corpus-id TAB whole number")
            continue
        yield judgement
    if empty:
        report(path, f"{path}: holds no judgement; expected query-id TAB corpus-id TAB score")


def score_changed(judgement: Judgement) -> str:
    """The problem of a judgement that an earlier line contradicts."""
    return (
        f"{judgement.place}: document {judgement.document!r} is judged a second time for query {judgement.query!r}, "
        "with another score; keep one line"
    )


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def _has_half_character(text: str) -> bool:
    return not text.isascii() and _HALF_CHARACTER.search(text) is not None
