"""Bitext as others publish it, told apart by the name of the file; read as a stream of (English, foreign).

| name | what it is |
|---|---|
| `.tsv`, `.txt` | a pair a line, tab between the columns; quoted as CSV if the whole file is |
| `.csv` | a pair a record |
| `x.en` and `x.yo`, `x_en.txt` and `x_yo.txt`, ... | a Moses pair: lines that translate each other |
| `.tmx` | a translation memory |
| `.jsonl`, `.json` | `{"translation": {"en": "...", "yo": "..."}}` a line, or a list of them |
| `.parquet`, a folder | Hugging Face's translation feature |
| `.zip` | a Moses pair in a zip, as OPUS publishes it, or one file of the above |

Each but the last three also with `.gz` or `.zst` behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clir_ot.bitext.json_rows import read_json
from clir_ot.bitext.moses import moses_pairs, other_half, read_moses
from clir_ot.bitext.tables import Columns, read_csv, read_tsv
from clir_ot.bitext.tmx import read_tmx
from clir_ot.bitext.translation_sets import read_translation_parquet, read_translation_set
from clir_ot.bitext.zips import zip_members
from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.files import Readable

Sides = tuple[str, str]
"""English, foreign; as they are in the file."""

Say = Callable[[str], None]
"""Takes a line that a user should know of a file that is read."""

_ENDINGS = {".tsv": "tsv", ".txt": "tsv", ".csv": "csv", ".tmx": "tmx", ".jsonl": "jsonl", ".json": "jsonl"}
_ENDINGS |= {".parquet": "parquet", ".zip": "zip"}
_TABLES = ("tsv", "csv")
_TEXTS = (None, "tsv")  # what the halves of a Moses pair may be called
_COMPRESSIONS = (".gz", ".zst")
_SPREADSHEETS = (".xlsx", ".xls", ".ods")


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
    paths: Sequence[Path], language: str, columns: Columns | None = None, form: str | None = None, say: Say = print
) -> list[BitextSource]:
    """What the paths hold, by their names; nothing is read.

    Args:
        paths: of a Moses pair one half is enough where the other lies beside it.
        language: of the foreign side, canonical.
        columns: of TSV and CSV files, that of English first; None is those that the first line names, else 1 and 2.
        form: one of `format_names.FORMATS`, for names that do not say it.
        say: called while a source is read.

    Raises:
        UserError: a path is not there, or its name says no format; half of a Moses pair is missing; columns are given,
            but no table.
    """
    sources, paired, tables = [], set[Path](), False
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such file")
        kind = form or ("folder" if path.is_dir() else _kind(path))
        halves = None if form or kind not in _TEXTS else _halves(path, paths, language)
        if halves is None and kind is None:
            raise UserError(_unknown(path, language))
        if halves and path not in paired:
            paired.update(halves)
            sources.append(BitextSource(f"{halves[0]} and {halves[1].name}", partial(read_moses, *halves)))
        elif not halves and kind:
            tables = tables or kind in (*_TABLES, "zip")
            sources.append(BitextSource(str(path), partial(_read, path, kind, language, columns, say)))
    if not tables:
        _refuse_columns(None, columns)
    return sources


def _refuse_columns(path: Path | None, columns: Columns | None) -> None:
    if columns is not None:
        which = f"{path} holds no" if path else "none of the sources is a"
        raise UserError(f"--columns {','.join(columns)}: {which} table such as .tsv, leave it out")


def _read(path: Readable, kind: str, language: str, columns: Columns | None, say: Say) -> Iterator[Sides]:
    read: dict[str, Callable[[], Iterator[Sides]]] = {
        "tsv": lambda: read_tsv(path, language, columns, say),
        "csv": lambda: read_csv(path, language, columns, say),
        "tmx": lambda: read_tmx(path, language, say),
        "jsonl": lambda: read_json(path, language),
        "parquet": lambda: read_translation_parquet(path, language),
    }
    if isinstance(path, Path):
        read |= {
            "zip": partial(_read_zip, path, language, columns, say),
            "folder": partial(read_translation_set, path, language),
        }
    return read[kind]()


def _read_zip(path: Path, language: str, columns: Columns | None, say: Say) -> Iterator[Sides]:
    with zip_members(path) as members:
        by_name = {member.at: member for member in members}
        texts = [name for name, member in by_name.items() if _kind(member) in _TEXTS]
        if pairs := moses_pairs(texts, language, str(path)):
            _refuse_columns(path, columns)
            for english, foreign in pairs:
                yield from read_moses(by_name[english], by_name[foreign])
            return
        readable = {member.at: kind for member in members if (kind := _kind(member)) not in (None, "zip")}
        if len(readable) != 1:
            raise UserError(
                f"{path}: holds several files, unpack it and give those that are meant: {', '.join(readable)}"
                if readable
                else f"{path}: holds no pair NAME.{ENGLISH} and NAME.{language}, nor a file of another format, only "
                f"{', '.join(by_name) or 'a README, or nothing'}"
            )
        ((name, kind),) = readable.items()
        if kind not in _TABLES:
            _refuse_columns(path, columns)
        yield from _read(by_name[name], str(kind), language, columns, say)


def _halves(path: Path, paths: Sequence[Path], language: str) -> tuple[Path, Path] | None:
    """The Moses pair of which a path is a half; the other is given, or lies beside it."""
    given = [other for other in paths if other.parent == path.parent]
    beside = [other for other in sorted(path.parent.iterdir()) if other.is_file()]
    # Other folders last: they may hold pairs of the same name.
    for others in (given, [*given, *beside], paths):
        names = {_bare_name(other): other for other in (*reversed(others), path)}
        for english, foreign in moses_pairs(names, language, str(path.parent)):
            if path in (names[english], names[foreign]):
                return names[english], names[foreign]
    return None


def _kind(path: Readable) -> str | None:
    """The format by the name."""
    return _ENDINGS.get(Path(_bare_name(path)).suffix.lower())


def _unknown(path: Path, language: str) -> str:
    """What is wrong with a name that says no format."""
    if path.suffix.lower() in _SPREADSHEETS:
        return f"{path}: is a spreadsheet, which is not read; save its sheet as .csv or tab-separated .tsv"
    if other := other_half(_bare_name(path), language):
        return f"{path}: is half of a Moses pair; its other half {other} is not given, nor beside it"
    return (
        f"{path}: its name says no format, nor does it end in .{ENGLISH} or .{language}; expected one of "
        f"{', '.join(_ENDINGS)}, or say which with --format"
    )


def _bare_name(path: Readable) -> str:
    """The name without the ending of a compression."""
    return path.name.removesuffix(path.suffix) if path.suffix in _COMPRESSIONS else path.name
