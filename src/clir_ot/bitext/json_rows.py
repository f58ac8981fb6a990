"""JSON of translations: a row a line, or a list of rows."""

import json
from collections.abc import Iterator

from clir_ot.bitext.translation_sets import sides
from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.files import Readable, read_lines, text_lines


def read_json(path: Readable, language: str) -> Iterator[tuple[str, str]]:
    """`{"translation": {"en": "...", "yo": "..."}}` and the other rows of `translation_sets`.

    A list of them is held in memory; of lines, one at a time is.

    Raises:
        UserError: a row is not that, or holds half a character.
    """
    for place, row in _rows(path, language):
        english, foreign = sides(row if type(row) is dict else {}, language, place)
        try:
            # JSON can spell half of a character beyond U+FFFF, which no file can hold.
            (english + foreign).encode()
        except UnicodeEncodeError as error:
            raise UserError(f"{place}: holds half a character (a lone surrogate); write it whole") from error
        yield english, foreign


def _rows(path: Readable, language: str) -> Iterator[tuple[str, object]]:
    expected = f'{{"translation": {{"{ENGLISH}": "...", "{language}": "..."}}}}'
    for place, line in read_lines(path):
        if line.lstrip().startswith("["):
            yield from _list(path, f"a list of {expected}")
            return
        try:
            yield place, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{place}: expected {expected}, one line ({error})") from error


def _list(path: Readable, expected: str) -> Iterator[tuple[str, object]]:
    try:
        rows = json.loads("\n".join(line for _, line in text_lines(path)))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: expected {expected} ({error.msg})") from error
    except RecursionError as error:
        raise UserError(f"{path}: expected {expected} ({error})") from error
    yield from ((f"{path}: item {number}", row) for number, row in enumerate(rows, start=1))
