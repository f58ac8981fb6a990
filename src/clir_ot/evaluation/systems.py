"""What rankings are worth, and how two systems compare on the queries that both have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clir_ot.collections.trec import Qrels, Run
from clir_ot.evaluation.metrics import DEFAULT_MEASURES, evaluate_run, mean
from clir_ot.evaluation.significance import PairedComparison, bootstrap_interval, compare, holm


@dataclass(frozen=True)
class Measured:
    """What one ranking is worth.

    Attributes:
        name, language: of the system.
        values: `{measure: {query: value}}`.
    """

    name: str
    language: str
    values: Mapping[str, Mapping[str, float]]

    def mean(self, measure: str) -> float:
        """Over the judged queries."""
        return mean(self.values[measure])

    def interval(self, measure: str) -> tuple[float, float]:
        """95 % bootstrap interval of the mean."""
        return bootstrap_interval(list(self.values[measure].values()))


@dataclass(frozen=True)
class Comparison:
    """Paired comparison of two systems on the queries both languages have.

    Attributes:
        better, baseline: what is compared; a positive difference favours `better`.
        measure: compared by it.
        paired: difference, interval, tests.
        p_adjusted: randomisation test's p, Holm-adjusted over the comparisons made together.
    """

    better: Measured
    baseline: Measured
    measure: str
    paired: PairedComparison
    p_adjusted: float

    def verdict(self, alpha: float = 0.05) -> str:
        """In words, by the adjusted p."""
        if self.p_adjusted >= alpha:
            return "no difference shown"
        return "better" if self.paired.difference > 0 else "worse"


def measure(name: str, language: str, run: Run, qrels: Qrels, measures: Sequence[str] = DEFAULT_MEASURES) -> Measured:
    """Evaluate one ranking."""
    return Measured(name, language, evaluate_run(run, qrels, measures))


def compare_all(pairs: Sequence[tuple[Measured, Measured]], measure: str = "MRR@10") -> list[Comparison]:
    """Compare every (better?, baseline) pair by `measure`, with Holm's correction over all of them."""
    results = [compare(baseline.values[measure], candidate.values[measure]) for candidate, baseline in pairs]
    adjusted = holm({str(i): result.p_randomization for i, result in enumerate(results)})
    return [
        Comparison(candidate, baseline, measure, result, adjusted[str(i)])
        for i, ((candidate, baseline), result) in enumerate(zip(pairs, results, strict=True))
    ]
