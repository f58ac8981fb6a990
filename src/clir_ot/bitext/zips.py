"""Bitext inside a zip: a Moses pair, or one file of another format."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clir_ot.errors import UserError

# What systems and publishers put beside the texts.
_BESIDE = ("README", "LICEN")


@contextmanager
def zip_members(path: Path) -> Iterator[list[zipfile.Path]]:
    """The files in a zip in their order, without hidden ones, what macOS adds, and READMEs; to read while it is open.

    Raises:
        UserError: it is none, or damaged; a file in it is protected by a password.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = [entry for entry in archive.infolist() if not entry.is_dir() and not _is_beside(entry.filename)]
            if locked := next((entry.filename for entry in found if entry.flag_bits & 1), None):
                raise UserError(f"{path}: {locked} in it is protected by a password; unpack it, and give the file")
            yield [zipfile.Path(archive, entry.filename) for entry in found]
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{path}: cannot be read as a zip ({error})") from error


def _is_beside(name: str) -> bool:
    *folders, file = name.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in (*folders, file))
    return hidden or file.upper().startswith(_BESIDE)
