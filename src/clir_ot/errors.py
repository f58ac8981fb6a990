"""The one exception that a user is meant to read."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn


class UserError(Exception):
    """A problem the user can mend; its text is the one line that is printed."""


Report = Callable[[Path, str], None]
"""Takes a problem of a file, the whole line that says it; what reads goes on behind it if this returns."""


def stop(path: object, problem: str) -> NoReturn:
    """The report that ends reading at the first problem."""
    raise UserError(problem)
