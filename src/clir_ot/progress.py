"""How far something slow has come, as lines on the terminal or in a log."""

import time
from collections.abc import Callable

Done = Callable[[int], None]
"""Takes how many are done since the last call."""

Counter = Callable[[str, int], Done]
"""Of what, and how many there are: `counting`, or `silent`."""


def counting(what: str, total: int | None = None, seconds: float = 10.0) -> Done:
    """A `progress` for `encode` or `translate`: prints a line every so many seconds.

    `1024 of 8000 documents encoded, about 3 min left` where the total is known, else `1024 documents encoded`.

    Args:
        what: such as `documents encoded`.
        total: how many there are.
        seconds: between two lines, and before the first: what is done sooner says nothing.
    """
    count, begun = 0, time.monotonic()
    due = begun + seconds

    def progress(done: int) -> None:
        nonlocal count, due
        count += done
        now = time.monotonic()
        if now < due:
            return
        due = now + seconds
        if total is None:
            print(f"{count} {what}", flush=True)
        else:
            print(f"{count} of {total} {what}{_left((now - begun) / max(1, count) * (total - count))}", flush=True)

    return progress


def silent(what: str, total: int) -> Done:
    """Says nothing."""
    return lambda done: None


def _left(seconds: float) -> str:
    if seconds <= 0:
        return ""
    if seconds < 90:
        return f", about {max(1, round(seconds))} s left"
    return f", about {round(seconds / 60)} min left" if seconds < 90 * 60 else f", about {seconds / 3600:.1f} h left"
