"""Which Arrow stores of the cache are still of use: each notes when it was opened last, and for which file."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_USED = "used"  # holds the path of the file that it was opened for; its time is when
_DAY = 24 * 60 * 60.0
_FOR_NOBODY = 30 * _DAY
_OF_CHANGED_FILE = _DAY  # a process that opened it before the change may go on for a while


def note_use(store: Path, source: Path) -> None:
    """Note that a store was opened for a file; a cache that cannot be written is read all the same."""
    with suppress(OSError):
        (store / _USED).write_text(str(source.resolve()), encoding="utf-8")


def sweep(stores: Path, source: Path, kept: Path) -> None:
    """Remove what nobody has opened for a month, and stores of earlier contents of a file after a day.

    A process that still reads a removed store goes on reading: the system keeps what is mapped.

    Args:
        stores: folder of them.
        source: file that was just stored.
        kept: its store.
    """
    for store in sorted(path for path in stores.iterdir() if path.is_dir() and path != kept):
        with suppress(OSError, Timeout):  # another process removes it, or has it
            if _age(store) > (_OF_CHANGED_FILE if _source(store) == str(source.resolve()) else _FOR_NOBODY):
                with FileLock(f"{store}.lock", blocking=False):
                    # Aside first, as what a kill in the middle of writing leaves: a store is whole or not there.
                    shutil.rmtree(store.rename(store.with_name(f".{store.name}.removed")))


def _age(store: Path) -> float:
    """Seconds since it was opened, or, before that was noted, since it was written."""
    noted = store / _USED
    return time.time() - (noted if noted.is_file() else store).stat().st_mtime


def _source(store: Path) -> str:
    try:
        return (store / _USED).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
