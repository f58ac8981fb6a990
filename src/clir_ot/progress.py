"""How far something slow has come, as lines on the terminal."""

import time
from collections.abc import Callable


def counting(what: str, seconds: float = 10.0) -> Callable[[int], None]:
    """A `progress` for `encode` or `translate`: prints `1024 documents encoded` every so many seconds.

    Args:
        what: such as `documents encoded`.
        seconds: between two lines, and before the first: what is done sooner says nothing.
    """
    count, due = 0, time.monotonic() + seconds

    def progress(done: int) -> None:
        nonlocal count, due
        count += done
        if time.monotonic() >= due:
            print(f"{count} {what}", flush=True)
            due = time.monotonic() + seconds

    return progress
