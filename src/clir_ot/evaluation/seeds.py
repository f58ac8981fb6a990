"""One system trained with several seeds, as one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clir_ot.evaluation.systems import Measured


@dataclass(frozen=True)
class Seeds:
    """Runs of one system that differ in the seed.

    Attributes:
        runs: measured over the same queries of one language.
    """

    runs: Sequence[Measured]

    @property
    def pooled(self) -> Measured:
        """Every query's mean over the seeds: what is compared with another system, query by query."""
        first = self.runs[0]
        values = {
            measure: {query: float(np.mean([run.values[measure][query] for run in self.runs])) for query in by_query}
            for measure, by_query in first.values.items()
        }
        return Measured(first.name, first.language, values)

    def span(self, measure: str) -> tuple[float, float]:
        """Lowest and highest mean of a seed."""
        means = [run.mean(measure) for run in self.runs]
        return min(means), max(means)
