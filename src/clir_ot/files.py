"""Reading and writing files: compressed where the name says so, and never a half-written result."""

import codecs
import contextlib
import errno
import fcntl
import gzip
import hashlib
import io
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, TypeVar

from clir_ot.errors import UserError, stop

DISK_FULL = os.strerror(errno.ENOSPC)
_OLD = "old"
_LOCK = ".lock"  # in the temporary folder, held by who writes there as long as that process lives

_POINTER = b"version https://git-lfs.github.com/spec/v1"

Readable = Path | zipfile.Path
"""A file, or one inside a zip."""

P = TypeVar("P", bound=Readable)


@contextlib.contextmanager
def opened(path: Readable) -> Iterator[IO[bytes]]:
    """Open a file for reading; `.gz` and `.zst` are decompressed on the fly.

    Raises:
        UserError: it cannot be read, or not to its end: it is damaged or was cut short; it is a Git-LFS pointer.
    """
    try:
        with path.open("rb") as file:
            refuse_pointer(path, file.peek(len(_POINTER)))  # type: ignore[attr-defined]
            if path.suffix == ".gz":
                yield gzip.GzipFile(fileobj=file)  # type: ignore[misc]
            elif path.suffix == ".zst":
                import pyarrow

                # Not zstandard's reader: it takes a file that was cut short for a whole one.
                yield io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.PythonFile(file), "zstd"))
            else:
                yield file
    # EOFError and zlib's: a .gz cut short or damaged; the last: a way to pack a zip that Python has not.
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from error


def refuse_pointer(path: Readable, start: bytes) -> None:
    """Refuse what stands for a large file where a repository was cloned without Git-LFS, by its first bytes.

    Raises:
        UserError: it is such a pointer.
    """
    if start.startswith(_POINTER):
        raise UserError(
            f"{path}: is a Git-LFS pointer, not the file itself; run `git lfs pull` where it was cloned, or fetch it "
            "again"
        )


def compressed(content: bytes, path: Path) -> bytes:
    """What to write to `path`: compressed as its name says, the same bytes on any day."""
    if path.suffix == ".gz":
        return gzip.compress(content, mtime=0)
    if path.suffix == ".zst":
        import pyarrow

        packed: bytes = pyarrow.compress(content, codec="zstd", asbytes=True)
        return packed
    return content


def text_lines(path: P, report: Callable[[P, str], None] = stop) -> Iterator[tuple[str, str]]:
    """Yield `("FILE:LINE", text)` for every line, without its line end and a byte order mark before it.

    A line ends with a line feed, or with carriage return and line feed. Unicode's other line separators are text.

    Args:
        path: UTF-8 text; `.gz` and `.zst` are decompressed.
        report: takes a line that is not UTF-8 or holds NUL, which is left out if it returns; `stop` raises.

    Raises:
        UserError: the file cannot be read, is UTF-16, or its lines end in carriage returns alone.
    """
    name = str(path)
    with opened(path) as file:
        for number, line in enumerate(file, start=1):
            place = f"{name}:{number}"
            line = line.rstrip(b"\r\n")
            if number == 1:
                _refuse_other_lines(place, line)
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                report(path, f"{place}: not UTF-8 ({error.reason}); save the file as UTF-8")
                continue
            if "\0" in text:
                report(path, f"{place}: holds a NUL character, as UTF-16 and damaged files do; save the file as UTF-8")
                continue
            # Files that were put together have such a mark before later lines, too.
            yield place, text.removeprefix("\ufeff")


def _refuse_other_lines(place: str, first: bytes) -> None:
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{place}: not UTF-8 but UTF-16, by its byte order mark; save the file as UTF-8")
    if b"\r" in first:
        raise UserError(f"{place}: holds carriage returns, which end no line by themselves; save it with line feeds")


def read_lines(path: P, report: Callable[[P, str], None] = stop) -> Iterator[tuple[str, str]]:
    """The lines of `text_lines` that are not blank."""
    return ((place, text) for place, text in text_lines(path, report) if text and not text.isspace())


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file says.

    Raises:
        UserError: it is missing, no YAML, or no mapping; names the line where it is no YAML.
    """
    import yaml

    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UserError(f"{path}{line}: cannot be read as YAML: {error.problem}") from error
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read as YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(said, dict):
        raise UserError(f"{path}: expected a mapping, such as method: grid")
    return said


@lru_cache(maxsize=1024)
def _sha256(path: Path, size: int, changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def sha256(path: Path) -> bytes:
    """SHA-256 of a file's bytes, never more than a piece of it in memory; read again only when it has changed."""
    return _sha256(path, *stamp(path))


def stamp(path: Path) -> tuple[int, int]:
    """Bytes of a file, and when it was last changed in nanoseconds: what is read of it is the same while they are.

    Raises:
        UserError: there is no such file.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    return found.st_size, found.st_mtime_ns


def user_path(name: str | Path) -> Path:
    """A path as a user writes it: `~` is the home folder also where no shell has seen to it, as in `--run=~/run`."""
    try:
        return Path(name).expanduser()
    except RuntimeError:  # nobody of that name
        return Path(name)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`, file or folder, and rename it to `target` on success.

    On any failure, an interrupt included, the temporary path is removed and `target` is as it was. What takes its place
    is on the disk before: a machine that loses power has the old one or the new one, never half of it.

    Raises:
        UserError: the disk is full or the place is not writable.
    """
    target = Path(target)
    with scratch_beside(target) as scratch:
        try:
            temporary = scratch / target.name
            yield temporary
            _to_disk(temporary)
            if temporary.is_dir() and target.is_dir():
                # A folder cannot be renamed over a folder: move the old one aside first.
                os.replace(target, scratch / _OLD)
            os.replace(temporary, target)
        except OSError as error:
            raise _cannot_write(target, error) from error
        except Exception as error:
            # Libraries wrap the system's error in one of their own, as safetensors does, or raise another after it, as
            # torch does.
            if (refused := _no_room(error)) is None:
                raise
            raise _cannot_write(target, refused) from error


def _no_room(error: BaseException | None) -> OSError | None:
    """The system's error behind one of a library: a disk that is full, a user's share of it, or a file at its limit."""
    while error is not None:
        for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            if os.strerror(number) in str(error):
                return OSError(number, os.strerror(number))
        error = error.__context__
    return None


@contextlib.contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A folder beside `target`, on the same disk, for what is to become it; it goes with the block.

    What a kill leaves of it, `remove_leftovers` knows by the lock in it.

    Raises:
        UserError: the disk is full or the place is not writable.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        lock = (scratch / _LOCK).open("w")
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        with contextlib.suppress(OSError):  # on a disk without locks, whoever removes leftovers must know
            fcntl.lockf(lock, fcntl.LOCK_EX)
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        lock.close()


def require_place(target: Path, *, folder: bool = False) -> None:
    """Stop before anything slow if `target` could not be written after it.

    Args:
        folder: it is to be one.

    Raises:
        UserError: as `replacing`; or the place is taken by the other kind.
    """
    try:
        taken = target.exists() and target.is_dir() != folder
    except OSError as error:
        raise _cannot_write(target, error) from error
    if taken:
        kinds = ("file", "folder") if folder else ("folder", "file")
        raise UserError(f"{target}: cannot be written (it is a {kinds[0]}); give the name of a new {kinds[1]}")
    with scratch_beside(target):
        pass


def remove_leftovers(target: Path) -> None:
    """Remove what a kill in the middle of `replacing(target)` left beside it; nobody else may be writing `target`.

    What another process of this machine is writing stays, and so does what only has such a name.
    """
    name = re.compile(rf"\.{re.escape(target.name)}\.[a-z0-9_]{{8}}")
    with contextlib.suppress(OSError):
        for scratch in [path for path in target.absolute().parent.iterdir() if name.fullmatch(path.name)]:
            there = {path.name for path in scratch.iterdir()}
            if (_LOCK in there or there <= {target.name, _OLD}) and not _is_held(scratch / _LOCK):
                shutil.rmtree(scratch, ignore_errors=True)


def placed(folders: Sequence[Path], name: str) -> Path:
    """Where a file or folder is, or where it can be made: in the first that has it, else the first one writable."""
    there = next((folder / name for folder in folders if (folder / name).exists()), None)
    return there or next((folder for folder in folders if is_writable(folder)), folders[-1]) / name


def is_writable(folder: Path) -> bool:
    """Whether this user may write into a folder, or make it where it is not there."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 `text` to `target`, whole or not at all; names in it that are no UTF-8 are spelt by their bytes."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _is_held(lock: Path) -> bool:
    """Whether another process has it."""
    try:
        with lock.open("r+") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        return error.errno == errno.EACCES  # what some systems say instead
    return False


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
