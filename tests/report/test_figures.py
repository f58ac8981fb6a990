"""Pictures as they are drawn: nothing is cut off, however long the names and however many there are."""

import pytest

from clir_ot.evaluation.systems import Measured, compare_all
from clir_ot.report.figures import curve, differences, noise
from clir_ot.report.study import ZERO_SHOT, Row, Study


def row(value: float, languages: list[str]) -> Row:
    measured = [Measured("x", name, {"x": {"RR": {"a": value, "b": 1.0}}}) for name in languages]
    return Row("x", {found.language: found for found in measured}, {})


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


def measured(*values: float) -> Measured:
    return Measured("x", "yo", {"x": {"RR": {str(query): value for query, value in enumerate(values)}}})


def study_of(zero_shot: Row, **systems: Row) -> Study:
    pairs = [([row.results["yo"]], [zero_shot.results["yo"]]) for row in systems.values()]
    keys = [(name, ZERO_SHOT, ("yo",)) for name in systems]
    found = dict(zip(keys, compare_all(pairs, "RR"), strict=True))
    return Study("RR", ["RR"], ["yo"], ["yo"], [zero_shot, *systems.values()], [], [], {}, found, {}, [])


def test_a_difference_that_is_not_shown_has_an_open_mark() -> None:
    zero_shot, better, same = (
        Row(name, {"yo": measured(*values)}, {})
        for name, values in ((ZERO_SHOT, [0.1] * 20), ("better", [0.6] * 20), ("same", [0.0, 0.2] * 10))
    )
    (axes,) = differences(study_of(zero_shot, better=better, same=same)).axes
    drawn = [line for line in axes.lines if len(line.get_xdata()) == 1 and line.get_marker() in ("o", "s")]
    places = {round(float(line.get_xdata()[0]), 6): line.get_markerfacecolor() for line in drawn}
    assert places.keys() == {0.5, 0.0}
    assert places[0.5] != "white"
    assert places[0.0] == "white"


def test_a_query_as_it_is_typed_stands_beside_the_query_as_it_is_written() -> None:
    of_noise = {("yo", "diacritics"): measured(0.25), ("yo", "swaps@0.1"): measured(0.125)}
    (axes,) = noise(study_of(Row(ZERO_SHOT, {"yo": measured(0.5)}, of_noise))).axes
    points = {line.get_marker(): float(line.get_xdata()[0]) for line in axes.lines if len(line.get_xdata()) == 1}
    assert points == {"o": 0.5, "s": 0.25, "D": 0.125}
