"""Reading and writing files: gzip where the name says so, and never a half-written result."""

import contextlib
import errno
import gzip
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clir_ot.errors import UserError

DISK_FULL = os.strerror(errno.ENOSPC)


def open_text(path: Path) -> IO[str]:
    """Open a UTF-8 text file for reading; `.gz` is decompressed on the fly, a byte order mark is skipped."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="\n")
    return path.open(encoding="utf-8-sig", newline="\n")


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield `("FILE:LINE", text)` for every non-blank line, without its line end.

    Raises:
        UserError: the file cannot be read or is not UTF-8; names file and line.
    """
    number = 0
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                text = line.rstrip("\r\n")
                if text.strip():
                    yield f"{path}:{number}", text
    except UnicodeDecodeError as error:
        raise UserError(f"{path}:{number + 1}: not UTF-8 ({error.reason}); save the file as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:  # the last two: a .gz cut short or damaged
        raise UserError(f"{path}: cannot be read ({error})") from error


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`, file or folder, and rename it to `target` on success.

    On any failure, an interrupt included, the temporary path is removed and `target` is as it was. What takes its place
    is on the disk before: a machine that loses power has the old one or the new one, never half of it.

    Raises:
        UserError: the disk is full or the place is not writable.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        temporary = scratch / target.name
        yield temporary
        _to_disk(temporary)
        if temporary.is_dir() and target.is_dir():
            # A folder cannot be renamed over a folder: move the old one aside first.
            os.replace(target, scratch / "old")
        os.replace(temporary, target)
    except OSError as error:
        raise _cannot_write(target, error) from error
    except Exception as error:
        # Libraries wrap the system's error in one of their own; safetensors does.
        if DISK_FULL not in str(error):
            raise
        raise _cannot_write(target, OSError(errno.ENOSPC, DISK_FULL)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def remove_leftovers(target: Path) -> None:
    """Remove what a kill in the middle of `replacing(target)` left beside it; nobody else may be writing `target`."""
    for scratch in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 `text` to `target`, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _to_disk(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def _cannot_write(target: Path, error: OSError) -> UserError:
    if error.errno == errno.ENOSPC:
        free = shutil.disk_usage(next(p for p in target.absolute().parents if p.exists())).free
        return UserError(f"{target}: the disk is full ({free / 1e6:.0f} MB free); make room, or choose another place")
    return UserError(f"{target}: cannot be written ({error.strerror or error})")
