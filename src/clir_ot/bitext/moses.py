"""Moses pairs: two text files whose lines translate each other, `x.en` and `x.yo`, on their own or in OPUS's zip."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import IO

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import same_language
from clir_ot.errors import UserError
from clir_ot.files import open_bytes


def read_moses(english: Path, foreign: Path) -> Iterator[tuple[str, str]]:
    """Line n of one file with line n of the other, blank ones too.

    Raises:
        UserError: a file cannot be read, is not UTF-8, or has fewer lines than the other.
    """
    try:
        with open_bytes(english) as first, open_bytes(foreign) as second:
            yield from _lines((str(english), str(foreign)), (first, second))
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{english} and {foreign.name}: cannot be read ({error})") from error


def read_opus_zip(path: Path, language: str) -> Iterator[tuple[str, str]]:
    """The Moses pair inside a zip as OPUS publishes it: `CORPUS.en-yo.en`, `CORPUS.en-yo.yo`, and others beside them.

    Raises:
        UserError: no such pair, naming what is in the zip; otherwise as `read_moses`.
    """
    try:
        with zipfile.ZipFile(path) as archive, ExitStack() as stack:
            names = archive.namelist()
            parts = [(name, *name.rpartition(".")[::2]) for name in names]
            english = {stem: name for name, stem, code in parts if same_language(code, ENGLISH)}
            pairs = [(english[s], name) for name, s, code in parts if s in english and same_language(code, language)]
            if not pairs:
                raise UserError(
                    f"{path}: holds no pair NAME.{ENGLISH} and NAME.{language}, only {', '.join(names) or 'nothing'}"
                )
            for pair in pairs:
                files = [stack.enter_context(archive.open(name)) for name in pair]
                yield from _lines((f"{path}:{pair[0]}", f"{path}:{pair[1]}"), (files[0], files[1]))
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be read as a zip ({error})") from error


def _lines(names: tuple[str, str], files: tuple[IO[bytes], IO[bytes]]) -> Iterator[tuple[str, str]]:
    for number, (first, second) in enumerate(zip_longest(*files), start=1):
        if first is None or second is None:
            shorter, longer = names if first is None else names[::-1]
            raise UserError(
                f"{shorter}: ends after line {number - 1}, but {longer} goes on; expected that line n of one "
                "translates line n of the other"
            )
        yield _text(names[0], number, first), _text(names[1], number, second)


def _text(name: str, number: int, line: bytes) -> str:
    try:
        text = line.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{name}:{number}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
    return text.removeprefix("\ufeff") if number == 1 else text
