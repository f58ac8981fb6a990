"""What rankings are worth, and how two systems compare on the queries that both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clir_ot.collections.trec import Qrels, Run
from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import Estimate, Sample, estimate
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import DEFAULT_MEASURES, evaluate_run
from clir_ot.evaluation.significance import EQUIVALENCE_MARGIN, holm

ByMeasure = Mapping[str, Mapping[str, float]]
"""`{measure: {query: value}}`"""


@dataclass(frozen=True)
class Measured:
    """What a system's rankings in one language are worth.

    Attributes:
        name, language: of the system.
        runs: `{run: its values}`, over the same queries: one a seed. An encoder that serves several languages is a run
            of one name in all of them.
    """

    name: str
    language: str
    runs: Mapping[str, ByMeasure]

    @cached_property
    def values(self) -> dict[str, dict[str, float]]:
        """`{measure: {query: its mean over the runs}}`."""
        first = next(iter(self.runs.values()))
        return {
            measure: {q: float(np.mean([run[measure][q] for run in self.runs.values()])) for q in by_query}
            for measure, by_query in first.items()
        }

    @property
    def count(self) -> int:
        """Of the judged queries."""
        return len(next(iter(self.values.values())))

    def sample(self, measure: str) -> Sample:
        """The values of one measure."""
        return {run: values[measure] for run, values in self.runs.items()}

    def mean(self, measure: str) -> float:
        """Over the judged queries and the runs."""
        return estimate([(1.0, self.sample(measure))]).value

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % interval of the mean, over other queries and, with several runs, other seeds; within [0, 1]."""
        return estimate([(1.0, self.sample(measure))]).interval(bounds=(0.0, 1.0))

    def span(self, measure: str) -> tuple[float, float]:
        """Lowest and highest mean of a run."""
        means = [float(np.mean(list(values.values()))) for values in self.sample(measure).values()]
        return min(means), max(means)


def measure(
    name: str,
    language: str,
    run: Run,
    qrels: Qrels,
    measures: Sequence[str] = DEFAULT_MEASURES,
    judging: Judging = USUAL,
    *,
    of: str | None = None,
) -> Measured:
    """Evaluate one ranking; `of` is the name of the run that made it, by default the system's."""
    return Measured(name, language, {of or name: evaluate_run(run, qrels, measures, judging)})


def together(measured: Sequence[Measured]) -> Measured:
    """Runs of one system in one language, as one."""
    return replace(measured[0], runs={run: values for one in measured for run, values in one.runs.items()})


@dataclass(frozen=True)
class Comparison:
    """Two systems on the queries that both have.

    Attributes:
        system, baseline: their names; a positive difference favours `system`.
        languages: of the queries; of several, every mean is the macro average, each language weighing the same.
        measure: compared by it.
        difference: of the means.
        wins, ties, losses: queries, each in each language, where `system` is above, level and below.
        runs: of each in a language, the fewest; of a trained system with one, what is found holds for these weights.
        p_adjusted: of the t-test, Holm-adjusted over the comparisons made together.
    """

    system: str
    baseline: str
    languages: tuple[str, ...]
    measure: str
    difference: Estimate
    wins: int
    ties: int
    losses: int
    runs: tuple[int, int]
    p_adjusted: float

    @property
    def count(self) -> int:
        """Of the queries compared, each in each language."""
        return self.wins + self.ties + self.losses

    def verdict(self, alpha: float = 0.05) -> str:
        """In words, by the adjusted p."""
        if self.p_adjusted >= alpha:
            return "no difference shown"
        return "better" if self.difference.value > 0 else "worse"

    def equivalence(self, margin: float = EQUIVALENCE_MARGIN, alpha: float = 0.05) -> str:
        """In words, whether the difference is shown to be within the margin; of one test, not corrected."""
        p = self.difference.p_equivalence(margin)
        return f"{'within' if p < alpha else 'not shown to be within'} {margin:g} of it"


def compare(system: Sequence[Measured], baseline: Sequence[Measured], measure: str) -> Comparison:
    """Compare by one measure, macro-averaged over the languages.

    Args:
        system, baseline: one for each language, the same languages in the same order.

    Raises:
        UserError: the two are over different queries in a language (says how many, with an example); a single query.
    """
    terms, signs = [], []
    for ours, theirs in zip(system, baseline, strict=True):
        a, b = ours.values[measure], theirs.values[measure]
        if unpaired := a.keys() ^ b.keys():
            raise UserError(
                f"{len(unpaired)} queries have a value in one of the two runs only, such as {min(unpaired)!r}; "
                "evaluate both runs over the same queries"
            )
        terms += [(1 / len(system), ours.sample(measure)), (-1 / len(system), theirs.sample(measure))]
        # What differs by the rounding of a mean over seeds is level.
        signs += [np.sign(round(a[query] - b[query], 12)) for query in a]
    if len({query for ours in system for query in ours.values[measure]}) < 2:
        raise UserError("a test over one query says nothing; evaluate over at least two")
    found = estimate(terms)
    wins, ties, losses = (signs.count(sign) for sign in (1, 0, -1))
    languages = tuple(ours.language for ours in system)
    runs = min(len(one.runs) for one in system), min(len(one.runs) for one in baseline)
    return Comparison(system[0].name, baseline[0].name, languages, measure, found, wins, ties, losses, runs, found.p)


def compare_all(
    pairs: Sequence[tuple[Sequence[Measured], Sequence[Measured]]], measure: str = "MRR@10"
) -> list[Comparison]:
    """Compare every (system, baseline) pair by `measure`, with Holm's correction over all of them."""
    found = [compare(system, baseline, measure) for system, baseline in pairs]
    adjusted = holm({str(i): comparison.p_adjusted for i, comparison in enumerate(found)})
    return [replace(comparison, p_adjusted=adjusted[str(i)]) for i, comparison in enumerate(found)]
