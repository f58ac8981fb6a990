"""Moses pairs: two text files whose lines translate each other, told by their names, which differ in the code alone.

`x.en` and `x.yo`, `x.en-yo.en` and `x.en-yo.yo` as in OPUS's zips, `x_en.txt` and `x_yo.txt`, `eng_Latn.dev` and
`yor_Latn.dev` as FLORES has them.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import find_code, same_language
from clir_ot.errors import UserError
from clir_ot.files import Readable, text_lines

# A code stands alone or behind a sign, and before the name's end or an ending.
_CODE = re.compile(r"(?=(?:^|(?<=[._/-]))([A-Za-z]{2,3}(?:[-_][A-Za-z]{2,4}){0,2})(?=\.|$))")


def moses_pairs(names: Iterable[str], language: str, place: str) -> list[tuple[str, str]]:
    """The English and the foreign name of each pair among the names, in order.

    Args:
        language: canonical, of the foreign side.
        place: where the names are from, for messages.

    Raises:
        UserError: several files may be meant by the language.
    """
    alike: dict[tuple[str, str], dict[str, str]] = {}  # by what stands before and behind the code
    for name in names:
        for match in _CODE.finditer(name):
            start, end = match.span(1)
            alike.setdefault((name[:start], name[end:]), {}).setdefault(match[1], name)
    found = []
    for codes in alike.values():
        english = find_code(codes, ENGLISH, place)
        foreign = find_code(codes, language, place) if english is not None else None
        if english is not None and foreign is not None:
            found.append((codes[english], codes[foreign]))
    return found


def other_half(name: str, language: str) -> str | None:
    """What the other half of a pair would be called; None if a name has neither code."""
    for match in _CODE.finditer(name):
        start, end = match.span(1)
        for own, other in ((ENGLISH, language), (language, ENGLISH)):
            if same_language(match[1], own):
                return f"{name[:start]}{other}{name[end:]}"
    return None


def read_moses(english: Readable, foreign: Readable) -> Iterator[tuple[str, str]]:
    """Line n of one file with line n of the other, blank ones too.

    Raises:
        UserError: a file cannot be read, is not UTF-8, or has fewer lines than the other.
    """
    lines = zip_longest(text_lines(english), text_lines(foreign), fillvalue=None)
    for number, (first, second) in enumerate(lines):
        if first is None or second is None:
            shorter, longer = (english, foreign) if first is None else (foreign, english)
            raise UserError(
                f"{shorter}: ends after line {number}, but {longer} goes on; expected that line n of one translates "
                "line n of the other"
            )
        yield first[1], second[1]
