"""The one exception that a user is meant to read."""

import math
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


def require(
    name: str,
    value: float | None,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float = math.inf,
    hint: str = "",
) -> None:
    """Refuse a number of a configuration that cannot be one; None, which is a default, is let through.

    Args:
        name: of its key, such as `model.epsilon`.
        value: finite, or it is refused.
        above: that it must be above.
        least: that it may be and must not be below.
        most: likewise above.
        hint: what else to say, such as `, or null for all at once`.

    Raises:
        UserError: names key, value and bound.
    """
    if value is None:
        return
    bound = f"above {above}" if above is not None else f"at least {least}"
    bound += f" and at most {most}" if math.isfinite(most) else ""
    is_within = value > above if above is not None else least is None or value >= least
    if not math.isfinite(value) or not is_within or value > most:
        raise UserError(f"{name} is {value}; it must be {bound}{hint}")


def require_share(name: str, value: float | None) -> None:
    """Refuse a number outside [0, 1]; None is let through.

    Raises:
        UserError: names key and value.
    """
    if value is not None and not 0 <= value <= 1:
        raise UserError(f"{name} is {value}; it is a share and must lie in [0, 1]")
