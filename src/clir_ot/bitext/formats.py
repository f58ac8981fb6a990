"""Bitext as others publish it, told apart by the name of the file; read as a stream of (English, foreign).

| name | what it is |
|---|---|
| `.tsv`, `.txt` | a pair a line, tab between the columns |
| `x.en` and `x.yo` | a Moses pair: lines that translate each other |
| `.zip` | a Moses pair in a zip, as OPUS publishes it |
| `.tmx` | a translation memory |
| `.jsonl`, `.json` | `{"translation": {"en": "...", "yo": "..."}}` a line |
| `.parquet`, a folder | Hugging Face's translation feature |

Each but the last two also with `.gz` or `.zst` behind it.
"""

import glob
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clir_ot.bitext.moses import read_moses, read_opus_zip
from clir_ot.bitext.tmx import read_tmx
from clir_ot.bitext.translation_sets import read_translation_parquet, read_translation_set, sides
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import same_language
from clir_ot.errors import UserError
from clir_ot.files import read_lines

Sides = tuple[str, str]
"""English, foreign; as they are in the file."""

_ENDINGS = {".tsv": "tsv", ".txt": "tsv", ".tmx": "tmx", ".jsonl": "jsonl", ".json": "jsonl", ".zip": "zip"}
_ENDINGS |= {".parquet": "parquet"}
FIRST_TWO = ("1", "2")
_COMPRESSIONS = (".gz", ".zst")


@dataclass(frozen=True)
class BitextSource:
    """One file, folder, or Moses pair.

    Attributes:
        name: for messages.
        read: begins at its first pair at every call; raises UserError in a line.
    """

    name: str
    read: Callable[[], Iterator[Sides]]


def find_sources(
    paths: Sequence[Path], language: str, columns: tuple[str, str] = FIRST_TWO, form: str | None = None
) -> list[BitextSource]:
    """What the paths hold, by their names; nothing is read.

    Args:
        paths: of a Moses pair one half is enough where the other lies beside it.
        language: of the foreign side, canonical.
        columns: of TSV files, that of English first: numbers from 1, or names in their first line.
        form: one of `format_names.FORMATS`, for names that do not say it.

    Raises:
        UserError: a path is not there, or its name says no format; half of a Moses pair is missing; columns are given,
            but no table.
    """
    sources, paired, tables = [], set[Path](), False
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file")
        kind = form or ("folder" if path.is_dir() else _ENDINGS.get(bare_name(path).suffix.lower()))
        if kind is None:
            if path not in paired:
                halves = _moses_halves(path, paths, language)
                paired.update(halves)
                sources.append(BitextSource(f"{halves[0]} and {halves[1].name}", partial(read_moses, *halves)))
            continue
        read: dict[str, Callable[[], Iterator[Sides]]] = {
            "tsv": partial(read_tsv, path, columns),
            "tmx": partial(read_tmx, path, language),
            "jsonl": partial(read_json_lines, path, language),
            "zip": partial(read_opus_zip, path, language),
            "parquet": partial(read_translation_parquet, path, language),
            "folder": partial(read_translation_set, path, language),
        }
        tables = tables or kind == "tsv"
        sources.append(BitextSource(str(path), read[kind]))
    if columns != FIRST_TWO and not tables:
        raise UserError(f"--columns {','.join(columns)}: none of the sources is a .tsv file, leave it out")
    return sources


def read_tsv(path: Path, columns: tuple[str, str], even: bool = True) -> Iterator[Sides]:
    """Two columns of a file in which a tab ends a field; there is no quoting. Blank lines are skipped.

    Args:
        columns: English and foreign: numbers from 1, or names in the file's first line.
        even: every line must have as many fields as the first, for a tab inside a text would cut it short; else only
            the two columns.

    Raises:
        UserError: no such column; a line with more or fewer fields.
    """
    places: tuple[int, int] | None = None
    width = 0
    for place, line in read_lines(path):
        fields = line.split("\t")
        if places is None:
            width = len(fields)
            places = _columns(place, fields, columns)
            if not all(column.isdecimal() for column in columns):
                continue
        if len(fields) != width and (even or len(fields) <= max(places)):
            raise UserError(
                f"{place}: expected {width} fields, as the first line has, found {len(fields)}; a tab inside a text "
                "must become a space"
            )
        yield fields[places[0]], fields[places[1]]


def read_json_lines(path: Path, language: str) -> Iterator[Sides]:
    """`{"translation": {"en": "...", "yo": "..."}}` a line, and the other layouts of `translation_sets`.

    Raises:
        UserError: a line is not that, or holds half a character.
    """
    for place, line in read_lines(path):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(
                f'{place}: expected {{"translation": {{"{ENGLISH}": "...", "{language}": "..."}}}}, one line ({error})'
            ) from error
        english, foreign = sides(row if type(row) is dict else {}, language, place)
        try:
            # JSON can spell half of a character beyond U+FFFF, which no file can hold.
            (english + foreign).encode()
        except UnicodeEncodeError as error:
            raise UserError(f"{place}: holds half a character (a lone surrogate); write it whole") from error
        yield english, foreign


def _columns(place: str, fields: list[str], columns: tuple[str, str]) -> tuple[int, int]:
    numbers = [int(column) for column in columns if column.isdecimal()]
    if len(numbers) == 2:
        if not all(1 <= number <= len(fields) for number in numbers):
            raise UserError(
                f"{place}: expected a tab between {ENGLISH} and foreign, in columns {columns[0]} and {columns[1]}; "
                f"found {len(fields)} field(s)"
            )
        return numbers[0] - 1, numbers[1] - 1
    if absent := next((column for column in columns if column not in fields), None):
        raise UserError(f"{place}: has no column {absent!r}; the first line has {', '.join(fields)}")
    return fields.index(columns[0]), fields.index(columns[1])


def _moses_halves(path: Path, paths: Iterable[Path], language: str) -> tuple[Path, Path]:
    bare = bare_name(path)
    code = bare.suffix[1:]
    is_english = same_language(code, ENGLISH)
    if not is_english and not same_language(code, language):
        raise UserError(
            f"{path}: its name says no format, nor does it end in .{ENGLISH} or .{language}; expected one of "
            f"{', '.join(_ENDINGS)}, or say which with --format"
        )
    wanted = language if is_english else ENGLISH
    # Other folders last: they may hold pairs of the same name.
    beside = sorted(path.parent.glob(f"{glob.escape(bare.stem)}.*"))
    near = [*(other for other in paths if other.parent == path.parent), *beside, *paths]
    for other in near:
        name = bare_name(other)
        if name.stem == bare.stem and same_language(name.suffix[1:], wanted) and other.is_file():
            return (path, other) if is_english else (other, path)
    raise UserError(f"{path}: is half of a Moses pair; its other half {bare.stem}.{wanted} is not given, nor beside it")


def bare_name(path: Path) -> Path:
    """The name without the ending of a compression."""
    return Path(path.stem) if path.suffix in _COMPRESSIONS else Path(path.name)
