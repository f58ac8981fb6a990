"""What every picture starts from and ends in: an empty figure, its pixels, its file."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from clir_ot.errors import UserError
from clir_ot.files import replacing

_FORMATS = (".png", ".svg", ".pdf")


def canvas(size: tuple[float, float], layout: Any = "constrained") -> tuple[Figure, Axes]:
    """A figure of one pair of axes, `size` inches wide and high.

    By matplotlib's object interface, not pyplot: no global state, no display, nothing to close.
    """
    figure = Figure(figsize=size, layout=layout)
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def pixels(figure: Figure, dpi: int = 100) -> np.ndarray:
    """A figure as RGB uint8 (height, width, 3)."""
    figure.set_dpi(dpi)
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    return np.asarray(drawn.buffer_rgba())[..., :3].copy()


def check_picture_name(path: Path) -> None:
    """See that a picture can be called so.

    Raises:
        UserError: not the name of a picture.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UserError(f"{path}: not a picture's name; let it end in {', '.join(_FORMATS)}")


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all; what is there is replaced.

    Raises:
        UserError: see `check_picture_name`; the place is not writable.
    """
    check_picture_name(path)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
