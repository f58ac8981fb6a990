"""Which runs make a curve, on settings alone."""

from pathlib import Path
from typing import Any

from clir_ot import Collection
from clir_ot.report.curves import ALPHA, BITEXT_PAIRS, find_curves
from clir_ot.report.runs import SystemRuns, TrainedRun
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.rankings import DISTILLED, HYBRID


def system(name: str, kind: str = HYBRID, languages: tuple[str, ...] = ("yo", "sw"), **settings: Any) -> SystemRuns:
    dotted = {key.replace("__", "."): value for key, value in settings.items()}
    return SystemRuns(name, [TrainedRun(RunFolder(Path(name)), kind, list(languages), dotted, {})])


def test_runs_of_another_budget_are_no_points_of_the_curve(collection_folder: Path) -> None:
    whole = system("whole", data__alpha=0.5, trainer__max_epochs=1)
    short = [system(f"short {alpha}", data__alpha=alpha, trainer__max_steps=16) for alpha in (1.0, 0.0, 0.5)]
    (curve,) = find_curves([whole, *short], Collection(collection_folder))
    assert curve.key == ALPHA
    assert [(x, found.name) for x, found in curve.points] == [
        (0.0, "short 0.0"),
        (0.5, "short 0.5"),
        (1.0, "short 1.0"),
    ]
    assert curve.other_settings(whole) == ["max_epochs null", "max_steps 16"]


def test_all_of_the_bitext_is_a_point_at_its_size_in_the_languages_of_the_curve(collection_folder: Path) -> None:
    collection = Collection(collection_folder)
    # The default student was trained in two languages, the others in one: the curve is that one's.
    everything = system("all", DISTILLED, ("yo", "sw"))
    few = system("few", DISTILLED, ("yo",), data__bitext_pairs=18)
    (curve,) = find_curves([everything, few], collection)
    assert curve.key == BITEXT_PAIRS
    assert [(x, found.name) for x, found in curve.points] == [(18, "few"), (len(collection.bitext("yo")), "all")]


def test_one_system_is_no_curve(collection_folder: Path) -> None:
    systems = [system("a", data__alpha=0.5), system("b", data__alpha=0.5, model__temperature=0.1)]
    assert find_curves(systems, Collection(collection_folder)) == []
