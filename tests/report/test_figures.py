"""Pictures as they are drawn: nothing is cut off, however long the names and however many there are."""

import pytest

from clir_ot.evaluation.seeds import Seeds
from clir_ot.evaluation.systems import Measured
from clir_ot.report.figures import curve
from clir_ot.report.study import Row


def row(value: float, languages: list[str]) -> Row:
    measured = [Measured("x", name, {"RR": {"a": value, "b": 1.0}}) for name in languages]
    return Row("x", {found.language: Seeds([found]) for found in measured}, {})


@pytest.mark.parametrize(
    "languages", [["yo"], ["yo", "sw", "ha", "de"], ["zh-Hant-HK", "sr-Latn-RS", "az-Cyrl-AZ"] * 4]
)
def test_the_legend_lies_within_the_picture_and_leaves_room(languages: list[str]) -> None:
    points = [(float(x), row(x / 4, languages)) for x in (1, 2, 3)]
    figure = curve(points, languages, "RR", "alpha")
    figure.canvas.draw()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(languages)
    box = legend.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= -1
    (axes,) = figure.axes
    assert axes.get_window_extent().height > 2.5 * figure.dpi
