"""Query languages against document languages, as a picture."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from clir_ot.collections.languages import language_name
from clir_ot.pictures.canvas import canvas


def heat_map(values: Mapping[str, Mapping[str, float]], what: str) -> Figure:
    """Query languages down, document languages across, the value in every cell that has one."""
    rows, columns = list(values), list(dict.fromkeys(column for cells in values.values() for column in cells))
    matrix = np.array([[values[row].get(column, np.nan) for column in columns] for row in rows])
    most = max(1e-9, float(np.nanmax(matrix)))
    figure, axes = canvas((5.4, 1.6 + 0.42 * len(rows)))
    image = axes.imshow(matrix, cmap="Blues", vmin=0, vmax=most, aspect="auto")
    axes.set_xticks(range(len(columns)), list(map(language_name, columns)), rotation=50, ha="right")
    axes.set_yticks(range(len(rows)), list(map(language_name, rows)))
    axes.set_xlabel("documents")
    axes.set_ylabel("queries")
    for (i, j), value in np.ndenumerate(matrix):
        if np.isnan(value):
            continue
        dark = value > 0.6 * most
        axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
    figure.colorbar(image, label=what)
    return figure
