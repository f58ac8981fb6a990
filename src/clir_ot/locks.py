"""One process at a time: who has a folder is said in a line, and what a killed process leaves is no obstacle."""

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from clir_ot.errors import UserError

# What flock answers on file systems that do not have it.
_NO_FLOCK = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
_ENDING = 0.5  # seconds for a process that is just giving the lock up


@contextmanager
def hold(path: Path, what: str, advice: str = "wait until it ends", *, wait: bool = False) -> Iterator[None]:
    """While this is open, no other process has the lock file `path`, which is removed afterwards.

    The system gives a lock up with the process that has it, however that ends (flock). On a file system without flock,
    `path` with `.soft` behind it is the lock as long as it exists: one that a killed process has left there is seen
    through on the same host; of another host, nobody can know.

    Args:
        path: in a folder that is made if it is not there.
        what: is going on under the lock, such as `runs/yo: is being trained`; others are told.
        advice: to whom it is refused.
        wait: until the other process ends, and say so, instead of being refused.

    Raises:
        UserError: another process has it: which one, where and since when; or the folder cannot be written.
    """
    lock = _acquire(path, what, advice, wait)
    try:
        with suppress(OSError):  # the disk is full: nobody is told who
            if not isinstance(lock, SoftFileLock):
                record = [what, os.getpid(), socket.gethostname(), _spelt(datetime.now())]
                path.write_text(json.dumps(record), encoding="utf-8")
        yield
    finally:
        # Before it is given up: whoever waits for a file that is gone makes a new one.
        path.unlink(missing_ok=True)
        lock.release()


def lock_of(target: Path) -> Path:
    """Of a file or folder that is yet to be made: a hidden file beside it."""
    target = target.absolute()
    return target.with_name(f".{target.name}.lock")


def _acquire(path: Path, what: str, advice: str, wait: bool) -> FileLock | SoftFileLock:
    lock = FileLock(path, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _try(lock, what, advice, wait)
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            path.unlink(missing_ok=True)
            soft = SoftFileLock(f"{path}.soft")
            _try(soft, what, f"{advice}, or remove {soft.lock_file} if it has ended", wait)
            return soft
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from error
    return lock


def _try(lock: FileLock | SoftFileLock, what: str, advice: str, wait: bool) -> None:
    try:
        lock.acquire(timeout=_ENDING)
    except Timeout:
        said = _holder(Path(lock.lock_file), what)
        if not wait:
            raise UserError(f"{said}; {advice}") from None
        print(f"{said}; waiting for it", flush=True)
        lock.acquire(poll_interval=_ENDING)


def _holder(path: Path, what: str) -> str:
    """`runs/yo: is being trained by process 17 on node3 since 2026-11-28 18:50`, as far as it is known.

    Args:
        what: this process wants it for, where it is not known what the other one does.
    """
    try:
        said = path.read_text(encoding="utf-8")
        if path.suffix == ".soft":  # filelock's own: process and host, a line each
            process, host, *_ = said.splitlines()
            host = host.partition("?pidns-")[0]  # of a container
            since = _spelt(datetime.fromtimestamp(path.stat().st_mtime))
        else:
            what, process, host, since = json.loads(said)
    except (OSError, ValueError):  # it is only just being written, or just removed
        return f"{what} by another process"
    return f"{what} by process {process} on {host} since {since}"


def _spelt(when: datetime) -> str:
    return when.isoformat(sep=" ", timespec="minutes")
