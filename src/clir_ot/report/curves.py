"""Which systems are points of a curve: of hybrid batches' alpha, or of the size of the bitext."""

from collections.abc import Mapping, Sequence

from clir_ot.collections import Collection
from clir_ot.report.runs import SystemRuns
from clir_ot.tracking.rankings import DISTILLED

CURVES: Mapping[str, Sequence[str]] = {
    "data.alpha": (),
    "data.bitext_pairs": ("trainer.max_epochs", "trainer.max_steps"),
}
"""What is varied along a curve, and what may change with it."""


def curve_of(system: SystemRuns, primary: SystemRuns) -> str | None:
    """What is varied, if a system is another point of a curve through the primary one; see `CURVES`."""
    keys = {*system.settings, *primary.settings}
    apart = {key for key in keys if system.settings.get(key) != primary.settings.get(key)}
    return next((key for key, along in CURVES.items() if key in apart and apart <= {key, *along}), None)


def point_of(key: str, system: SystemRuns, collection: Collection) -> float | None:
    """The value of what is varied; without a number of pairs, a system was trained on all there are (the fewest)."""
    value = system.settings.get(key)
    if value is None and key == "data.bitext_pairs" and system.kind == DISTILLED:
        known = [name for run in system.runs for name in run.languages if name in collection.bitext_languages]
        value = min((len(collection.bitext(name)) for name in known), default=None)
    return None if value is None else float(value)
