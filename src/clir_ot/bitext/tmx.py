"""Translation memories (TMX 1.4): `<tu>` holds one `<tuv>` a language, its text in `<seg>`."""

import codecs
import re
from collections.abc import Callable, Iterator
from xml.parsers import expat

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import find_code
from clir_ot.errors import UserError
from clir_ot.files import Readable, opened

_LANGUAGE = ("xml:lang", "lang")  # the second: TMX before 1.4
# What these hold is the markup of the program that wrote the text, not text.
_CODES = frozenset({"bpt", "ept", "it", "ph", "ut"})

_PIECE = 2**16  # bytes parsed together
# Stand for what cannot be read, so that the parser goes on and the unit is known: characters that are none.
_BROKEN, _ABSENT = "\ufdd0", "\ufdd1"
_BARE = {"&": "\ufdd2", "<": "\ufdd3"}
_WRITTEN = str.maketrans({sign: character for character, sign in _BARE.items()})
_PROBLEMS = {
    _BROKEN: "a control character, an undefined entity or bytes that are not in the file's encoding",
    _ABSENT: "a <tuv> without <seg>",
    **{sign: f"a bare {character}, where XML has an entity" for character, sign in _BARE.items()},
}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos);)(?:#x([0-9a-fA-F]{1,8});|#([0-9]{1,8});|\w{1,32};|)|<(?![\w:/?!])"
)
_CUT_REFERENCE = re.compile(r"(?:&[#\w]{0,32}|<)\Z")
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"']+)["']""")

# By the first bytes: byte order marks, and `<?` without one.
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
    b"<\0?\0": "utf-16-le", b"\0<\0?": "utf-16-be",
}  # fmt: skip

codecs.register_error("clir_ot.broken", lambda error: (_BROKEN, error.end))  # type: ignore[attr-defined]


def read_tmx(path: Readable, language: str, say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """English and foreign side of each unit that has both; of several in one language, the first.

    A unit is forgotten once it is read, so that a file may be larger than memory. One that holds a character that XML
    does not allow, or bytes that are none in its encoding, or that lacks a text, is left out and counted. A file that
    declares entities is refused: a few can stand for any amount of text, or for another file.

    Args:
        path: `.tmx`, plain or compressed.
        language: of the foreign side; see `find_code` for the codes that are taken for it.
        say: takes a line about units that were left out.

    Raises:
        UserError: not well-formed, with the line; no unit has both languages, with those that there are.
    """
    units, seen = _Units(path), set[str]()
    read = left_out = 0
    first = ""
    for unit in _parsed(path, units):
        seen.update(unit.texts)
        place = f"{path}:{unit.line}"
        codes = find_code(unit.texts, ENGLISH, place), find_code(unit.texts, language, place)
        if None in codes:
            continue
        english, foreign = (unit.texts[code] for code in codes if code is not None)
        if problem := next((said for sign, said in _PROBLEMS.items() if sign in english + foreign), None):
            left_out += 1
            first = first or f"the first at line {unit.line}, which has {problem}"
        else:
            read += 1
            yield english, foreign
    if read and left_out:
        say(f"{path}: {left_out} of {read + left_out} units left out, {first}")
    elif left_out:
        raise UserError(f"{path}: none of its units with {ENGLISH} and {language} can be read, {first}")
    elif not read:
        languages = ", ".join(sorted(seen)) or "none"
        raise UserError(f"{path}: no <tu> has both {ENGLISH} and {language}; the languages in it are: {languages}")


class _Unit:
    def __init__(self, line: int) -> None:
        self.line = line
        self.texts: dict[str, str] = {}  # by language code, the first of each, in file order


class _Units:
    """Handlers of the parser, which collect units."""

    def __init__(self, path: Readable) -> None:
        self.path, self.done = path, list[_Unit]()
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartCdataSectionHandler = lambda: self._in_cdata(True)
        parser.EndCdataSectionHandler = lambda: self._in_cdata(False)
        parser.EntityDeclHandler = self._entity
        self._unit: _Unit | None = None
        self._code = ""  # of the <tuv> that is read
        self._text: list[str] | None = None  # of the <seg> that is read
        self._inside = 0  # markup elements of that
        self._cdata = False

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "tu":
            self._unit = _Unit(self.parser.CurrentLineNumber)
        elif name == "tuv" and self._unit:
            self._code = next((attributes[name] for name in _LANGUAGE if name in attributes), "")
            self._unit.texts.setdefault(self._code, _ABSENT)
        elif name == "seg" and self._unit and self._unit.texts:
            self._text, self._inside = [], 0
        elif name in _CODES:
            self._inside += 1

    def _end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name == "tu" and self._unit:
            self.done.append(self._unit)
            self._unit = None
        elif name == "seg" and self._unit and self._text is not None:
            if self._unit.texts[self._code] == _ABSENT:
                self._unit.texts[self._code] = "".join(self._text)
            self._text = None
        elif name in _CODES:
            self._inside -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None and not self._inside:
            self._text.append(text.translate(_WRITTEN) if self._cdata else text)

    def _in_cdata(self, inside: bool) -> None:
        """Where `&` and `<` are text."""
        self._cdata = inside

    def _entity(self, name: str, *declared: object) -> None:
        raise UserError(
            f"{self.path}:{self.parser.CurrentLineNumber}: declares the entity {name}; a translation memory needs "
            "none, write its text where it is used"
        )


def _parsed(path: Readable, units: _Units) -> Iterator[_Unit]:
    parser, rest = units.parser, ""
    try:
        with opened(path) as file:
            piece = file.read(_PIECE)
            decoder = codecs.getincrementaldecoder(_encoding(path, piece))("clir_ot.broken")
            while True:
                text = rest + decoder.decode(piece, final=not piece)
                cut = _CUT_REFERENCE.search(text) if piece else None
                text, rest = (text[: cut.start()], text[cut.start() :]) if cut else (text, "")
                # As text: whatever encoding the file declares, it has been decoded.
                parser.Parse(_REFERENCE.sub(_allowed, _NOT_XML.sub(_BROKEN, text)), not piece)
                yield from units.done
                units.done.clear()
                if not piece:
                    return
                piece = file.read(_PIECE)
    except expat.ExpatError as error:
        said = expat.ErrorString(error.code)
        raise UserError(f"{path}:{error.lineno}: no well-formed TMX ({said}, column {error.offset})") from error


def _allowed(reference: re.Match[str]) -> str:
    """The number of a character that XML allows; no entity, for the file declares none; no bare sign."""
    if reference[0] in _BARE:
        return _BARE[reference[0]]
    number = int(reference[1], 16) if reference[1] else int(reference[2] or 0)
    return _BROKEN if number > 0x10FFFF or _NOT_XML.match(chr(number)) else reference[0]


def _encoding(path: Readable, start: bytes) -> str:
    """The encoding by the byte order mark, else by the declaration, else UTF-8."""
    if marked := next((name for signs, name in _ENCODINGS.items() if start.startswith(signs)), None):
        return marked
    declared = _DECLARED.match(start)
    name = declared[1].decode("ascii", "replace") if declared else "utf-8"
    try:
        codecs.getincrementaldecoder(name)
        # A declaration that is read as ASCII is not in UTF-16.
        if "<?".encode(name) != b"<?":
            raise LookupError(name)
    except (LookupError, ValueError, UnicodeError) as error:
        raise UserError(
            f"{path}:1: is declared to be in the encoding {name!r}, in which it cannot be read; save it as UTF-8, and "
            "declare that"
        ) from error
    return name
