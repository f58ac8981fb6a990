"""Which systems are points of a curve: of hybrid batches' alpha, or of the size of the bitext."""

from collections.abc import Sequence
from dataclasses import dataclass

from clir_ot.collections import Collection
from clir_ot.report.runs import SystemRuns
from clir_ot.runs.rankings import DISTILLED

ALPHA, BITEXT_PAIRS = "data.alpha", "data.bitext_pairs"


@dataclass(frozen=True)
class Curve:
    """Systems that differ in one setting alone.

    Attributes:
        key: the setting that is varied, `data.alpha`.
        points: `(its value, system)`, by rising value; at least two.
    """

    key: str
    points: Sequence[tuple[float, SystemRuns]]

    @property
    def names(self) -> set[str]:
        """Of its systems."""
        return {system.name for _, system in self.points}

    def other_settings(self, system: SystemRuns) -> list[str]:
        """What sets the whole curve apart from a system that is not on it: `max_steps 16`."""
        mine, its = self.points[0][1].settings, system.settings
        keys = sorted({*mine, *its} - {self.key})
        return [f"{key.split('.', 1)[1]} {mine.get(key, 'null')}" for key in keys if mine.get(key) != its.get(key)]


def find_curves(systems: Sequence[SystemRuns], collection: Collection) -> list[Curve]:
    """For each of what can be varied the curve with the most points, where two systems or more make one."""
    curves = []
    for key in (ALPHA, BITEXT_PAIRS):
        groups: dict[tuple[tuple[str, str], ...], list[SystemRuns]] = {}
        for system in systems:
            same = tuple(sorted((name, repr(value)) for name, value in system.settings.items() if name != key))
            groups.setdefault(same, []).append(system)
        made = [Curve(key, _points(key, group, collection)) for group in groups.values()]
        longest = max(made, key=lambda curve: len(curve.points), default=None)
        if longest and len(longest.points) > 1:
            curves.append(longest)
    return curves


def _points(key: str, group: Sequence[SystemRuns], collection: Collection) -> list[tuple[float, SystemRuns]]:
    """The systems that have a value of the setting; without a number of pairs, it is all that there are (the fewest).

    Of the bitext of the languages that all of the group have: those that a curve can be drawn for.
    """
    spoken = [{name for run in system.runs for name in run.languages} for system in group]
    shared = [name for name in collection.bitext_languages if all(name in some for some in spoken)]
    points = []
    for system in group:
        value = system.settings.get(key)
        if value is None and key == BITEXT_PAIRS and system.kind == DISTILLED:
            value = min((len(collection.bitext(name)) for name in shared), default=None)
        if value is not None:
            points.append((float(value), system))
    return sorted(points, key=lambda point: point[0])
