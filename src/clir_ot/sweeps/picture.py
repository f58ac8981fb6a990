"""Trials as lines across their parameters."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from clir_ot.pictures.canvas import canvas
from clir_ot.sweeps.sweep_file import SweepFile

_WIDTH, _HEIGHT = 1.6, 4.2  # inches: of an axis, of the picture
_PAPER = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}  # behind numbers, which lines cross


def parallel_coordinates(file: SweepFile, trials: Sequence[tuple[dict[str, Any], float]]) -> Figure | None:
    """One upright axis a swept parameter and one for the metric, one line a trial, coloured by the metric.

    Args:
        file: what is swept; a parameter drawn on a logarithmic scale has a logarithmic axis.
        trials: `(values, figure)`, without those that have no figure.

    Returns:
        None where there is nothing to draw.
    """
    names = [name for name in file.swept if all(name in values for values, _ in trials)]
    if not trials or not names:
        return None
    figures = [figure for _, figure in trials]
    logarithmic = {name for name, how in file.config["parameters"].items() if "log" in how.get("distribution", "")}
    axes_of = [_Axis([values[name] for values, _ in trials], name in logarithmic) for name in names]
    axes_of.append(_Axis(figures, False))
    figure, axes = canvas((1.5 + _WIDTH * len(axes_of), _HEIGHT))
    low, high = min(figures), max(figures)
    norm = Normalize(low, high if high > low else low + 1e-9)
    colours = colormaps["viridis"]
    # The best last, on top of the others.
    for at in sorted(range(len(trials)), key=lambda i: figures[i] if file.is_maximized else -figures[i]):
        heights = [axis.heights[at] for axis in axes_of]
        axes.plot(range(len(axes_of)), heights, color=colours(norm(figures[at])), marker="o", markersize=3, alpha=0.9)
    for place, axis in enumerate(axes_of):
        axes.axvline(place, color="#444444", linewidth=0.8)
        for height, text in axis.ticks:
            axes.annotate(
                text, (place, height), xytext=(4, 0), textcoords="offset points", fontsize=7, va="center", bbox=_PAPER
            )
    axes.set_xticks(range(len(axes_of)), [*names, file.metric], rotation=15, ha="right", fontsize=8)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(axes_of) - 0.4)
    axes.spines[:].set_visible(False)
    figure.colorbar(ScalarMappable(norm, colours), ax=axes, label=file.metric)
    return figure


class _Axis:
    """Values as heights in [0, 1], and what is written beside them.

    Attributes:
        heights: one a value.
        ticks: `(height, text)`.
    """

    def __init__(self, values: Sequence[Any], logarithmic: bool) -> None:
        # bool is a number to Python; on an axis it is one of two names.
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if not numbers:
            names = list(dict.fromkeys(map(str, values)))
            span = max(1, len(names) - 1)
            self.heights = [names.index(str(value)) / span for value in values]
            self.ticks = [(at / span, name) for at, name in enumerate(names)]
            return
        logarithmic = logarithmic and min(values) > 0
        scaled = [math.log(value) if logarithmic else float(value) for value in values]
        low, high = min(scaled), max(scaled)
        self.heights = [(value - low) / (high - low) if high > low else 0.5 for value in scaled]
        ends = sorted(set(zip(self.heights, values, strict=True)))
        self.ticks = [(height, f"{value:.3g}") for height, value in (ends[0], ends[-1])][: len(ends)]
