"""Translation memories (TMX 1.4): `<tu>` holds one `<tuv>` a language, its text in `<seg>`."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import same_language
from clir_ot.errors import UserError
from clir_ot.files import open_bytes

_LANGUAGE = ("{http://www.w3.org/XML/1998/namespace}lang", "lang")  # the second: TMX before 1.4
# What these hold is the markup of the program that wrote the text, not text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})


def read_tmx(path: Path, language: str) -> Iterator[tuple[str, str]]:
    """English and foreign side of each unit that has both; of several in one language, the first.

    A unit is forgotten once it is read, so that a file may be larger than memory. Entities that the file itself does
    not define are refused: nothing outside it is read.

    Args:
        path: `.tmx`, plain or compressed.
        language: of the foreign side; see `same_language` for the codes that are taken for it.

    Raises:
        UserError: not well-formed, with the line; no unit has both languages, with those that there are.
    """
    found, seen = False, set[str]()
    parents: list[ElementTree.Element] = []
    try:
        with open_bytes(path) as file:
            for event, element in ElementTree.iterparse(file, ("start", "end")):
                if event == "start":
                    parents.append(element)
                    continue
                parents.pop()
                if _name(element) != "tu":
                    continue
                sides = _sides(element)
                seen.update(code for code, _ in sides)
                english = next((text for code, text in sides if same_language(code, ENGLISH)), None)
                foreign = next((text for code, text in sides if same_language(code, language)), None)
                if parents:
                    parents[-1].remove(element)
                if english is not None and foreign is not None:
                    found = True
                    yield english, foreign
    except ElementTree.ParseError as error:
        line, column = error.position
        raise UserError(f"{path}:{line}: no well-formed TMX ({error.msg.split(':')[0]}, column {column})") from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error
    if not found:
        codes = ", ".join(sorted(seen)) or "none"
        raise UserError(f"{path}: no <tu> has both {ENGLISH} and {language}; the languages in it are: {codes}")


def _sides(unit: ElementTree.Element) -> list[tuple[str, str]]:
    """`[(language code, text)]` in file order."""
    sides = []
    for variant in unit:
        if _name(variant) == "tuv":
            code = next((variant.attrib[name] for name in _LANGUAGE if name in variant.attrib), "")
            sides += [(code, _text(segment)) for segment in variant if _name(segment) == "seg"]
    return sides


def _text(element: ElementTree.Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if _name(child) not in _CODES:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
