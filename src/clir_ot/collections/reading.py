"""What a collection's files hold, line by line: texts, pairs and judgements, checked and in Unicode NFC."""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from clir_ot.collections.content import has_content
from clir_ot.collections.text_files import PAIRS, TEXTS, read_records
from clir_ot.collections.trec_fields import id_problem, whole_number
from clir_ot.errors import Report, stop
from clir_ot.files import read_lines

# JSON can spell half of a character beyond U+FFFF; no file, tokenizer or index can hold it.
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_HALF = "holds half a character (a lone surrogate, \\ud800 to \\udfff); write it whole"
_EXPECTED = '"_id" and "text" must be non-empty strings, and "title" a string or null'


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
    """One pair of a bitext, both sides in NFC and without space around them; both have content."""

    place: str
    english: str
    foreign: str


class Judgement(NamedTuple):
    """One line of judgements."""

    place: str
    query: str
    document: str
    score: int


def read_texts(path: Path, report: Report = stop, blank: Report | None = None) -> Iterator[Text]:
    """Documents or queries in file order.

    A title or text that is null, or NaN as pandas writes it, is one that is not there.

    Args:
        report: takes what is no text. If it returns, a text that has an `_id` is yielded all the same, for others may
            refer to it; what has none is left out.
        blank: takes a text without a visible character, as published corpora have them; it is yielded as `""`. None for
            `report`.

    Raises:
        UserError: see `read_records`.
    """
    are_queries = path.name.startswith("queries")
    for place, record in read_records(path, TEXTS, report):
        name, texts = record["_id"], {"title": record.get("title"), "text": record["text"]}
        if not isinstance(name, str) or not name:
            report(path, f'{place}: "_id" is {_said(name)}; {_EXPECTED}')
            continue
        if _has_half_character(name):
            report(path, f"{place}: {_HALF}")
            continue
        if problem := id_problem(name, leads=are_queries):
            report(path, f"{place}: {problem}")
        whole = ""
        there = {column: "" if _is_nothing(value) else value for column, value in texts.items()}
        title, text = there["title"], there["text"]
        if not isinstance(title, str) or not isinstance(text, str):
            column = "text" if isinstance(title, str) else "title"
            report(path, f'{place}: "{column}" is {_said(there[column])}; {_EXPECTED}')
        elif not has_content(f"{title}{text}"):
            (blank or report)(path, f"{place}: the text of {name!r} is {_said(texts['text'])}; {_EXPECTED}")
        elif _has_half_character(title + text):
            report(path, f"{place}: {_HALF}")
        else:
            whole = f"{title}\n{text}" if title else text
        yield Text(place, name, unicodedata.normalize("NFC", whole), record.get("negatives"))


def repeated_id(text: Text, before: str) -> str:
    """The problem of a text whose `_id` an earlier one of its file has, at `before`, with another text."""
    return (
        f"{text.place}: _id {text.name!r} occurs a second time, with another text than at {before}; every _id must be "
        "unique in its file"
    )


def first_repeated(path: Path) -> str:
    """The problem of the first text whose `_id` an earlier one has with another text; there is one."""
    seen: dict[str, tuple[str, int]] = {}
    for text in read_texts(path, blank=lambda path, problem: None):
        place, content = seen.setdefault(text.name, (text.place, hash(text.text)))
        if content != hash(text.text):
            return repeated_id(text, place)
    raise AssertionError(f"{path}: no _id is there twice")


def listed_negatives(path: Path, query: Text, report: Report = stop) -> list[str]:
    """The documents that a query's record lists as `"negatives"`; none where it lists none."""
    listed = query.negatives
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(
        isinstance(name, str) and not _has_half_character(name) for name in listed
    ):
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
        english, foreign = (
            unicodedata.normalize("NFC", side).strip() if isinstance(side, str) else "" for side in sides
        )
        if not has_content(english) or not has_content(foreign):
            which, blank = ("foreign", foreign) if has_content(english) else ("English", english)
            what = f"holds no character that can be seen ({blank!a})" if blank else "is empty"
            report(path, f"{place}: expected English TAB foreign, both non-empty; the {which} side {what}")
        elif _has_half_character(english + foreign):
            report(path, f"{place}: {_HALF}")
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
            judgement = Judgement(place, query, document, whole_number(score))
        except ValueError:
            hint = "" if len(fields) == 3 else f"; found {len(fields)} field{'s' * (len(fields) > 1)}"
            report(path, f"{place}: expected query-id TAB corpus-id TAB whole number{hint}")
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


def _is_nothing(value: object) -> bool:
    return value is None or value != value  # NaN alone is not equal to itself


def _said(value: object) -> str:
    return "empty" if isinstance(value, str) else json.dumps(value, default=str)[:40]


def _has_half_character(text: str) -> bool:
    return not text.isascii() and _HALF_CHARACTER.search(text) is not None
