"""A mean over languages, seeds and queries, or a sum of such means, and how sure it is.

Both the queries and the training runs of a system are drawn: other queries, and other seeds, would give other figures.
The analysis is that of studies with several readers and several cases (Obuchowski & Rockette 1995; degrees of freedom
by Hillis 2007): readers are runs, cases are queries.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clir_ot.errors import UserError

Sample = Mapping[str, Mapping[str, float]]
"""`{run: {query: value}}` of one system in one language: one run a seed, all over the same queries."""


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error.

    Attributes:
        value: in the units of the measure.
        error: standard error of `value`, over other queries and, where a system has several runs, other seeds.
        degrees: of freedom of that error; infinite where nothing was drawn.
    """

    value: float
    error: float
    degrees: float

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """By Student's t."""
        half = self.error and self.error * _student().ppf((1 + confidence) / 2, self.degrees)
        return float(self.value - half), float(self.value + half)

    @property
    def p(self) -> float:
        """Two-sided p-value of the t-test that the number is 0."""
        return min(1.0, 2 * self._beyond(abs(self.value)))

    def p_equivalence(self, margin: float) -> float:
        """p-value of two one-sided t-tests that the number is not within `margin` of 0.

        Small where it is shown to be within. Source: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987.
        """
        return self._beyond(margin - abs(self.value))

    def _beyond(self, distance: float) -> float:
        """Chance of an error of at least `distance`."""
        if self.error == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        return float(_student().sf(distance / self.error, self.degrees))


def estimate(terms: Sequence[tuple[float, Sample]]) -> Estimate:
    """A weighted sum of means over queries and runs.

    One term of weight 1 is the mean of a system; with one run its error is sd / sqrt(n). Two terms of weights 1 and -1
    over the same queries are a difference; with one run each its test is the paired t-test. Terms of weights 1/L are a
    macro average over L languages. Queries of one name are one draw in all terms (translations, two systems), and so
    is a run of one name (an encoder that serves several languages).

    Two parts make the variance. Queries: cluster-robust, from what each query contributes to the sum, its runs
    averaged. Runs: in each group of runs that stand in the same terms, from what each run contributes. What a run and
    a query have together stands in both parts, so that the error is a little too large rather than too small. The
    degrees of freedom are Satterthwaite's. A run that is alone in its group has no part: what is found then holds for
    these trained weights, not for others.

    Args:
        terms: `(weight, sample)`.

    Raises:
        UserError: a sample without runs or queries; runs of one sample over different queries; a value that is not
            finite.

    Sources: Obuchowski & Rockette, Communications in Statistics 24(2), 1995; Hillis, Statistics in Medicine 26(3),
    2007; Satterthwaite, Biometrics Bulletin 2(6), 1946.
    """
    total = 0.0
    by_query: dict[str, float] = {}
    by_run: dict[str, float] = {}
    groups: dict[str, list[int]] = {}
    for number, (weight, sample) in enumerate(terms):
        queries, values = _table(sample)
        mean = values.mean()
        total += weight * mean
        for query, share in zip(queries, weight * (values.mean(axis=0) - mean) / len(queries), strict=True):
            by_query[query] = by_query.get(query, 0.0) + share
        for run, share in zip(sample, weight * (values.mean(axis=1) - mean) / len(sample), strict=True):
            by_run[run] = by_run.get(run, 0.0) + share
            groups.setdefault(run, []).append(number)
    together: dict[tuple[int, ...], list[float]] = {}
    for run, numbers in groups.items():
        together.setdefault(tuple(numbers), []).append(by_run[run])
    parts = [_part(list(by_query.values())), *map(_part, together.values())]
    variance = math.fsum(part for part, _ in parts)
    if variance == 0:
        return Estimate(float(total), 0.0, math.inf)
    spread = math.fsum(part**2 / degrees for part, degrees in parts if part)
    return Estimate(float(total), math.sqrt(variance), variance**2 / spread)


def _part(shares: list[float]) -> tuple[float, int]:
    """Variance of a sum of independent shares with mean 0, and its degrees of freedom; none of a single one."""
    count = len(shares)
    if count < 2:
        return 0.0, 1
    # Rounding is no variance: equal values leave shares in the last bits.
    total = math.fsum(share**2 for share in shares)
    return (count / (count - 1) * total if total > 1e-24 else 0.0), count - 1


def _table(sample: Sample) -> tuple[list[str], NDArray[np.float64]]:
    """The queries, and the values, (runs, queries)."""
    if not sample or not all(sample.values()):
        raise UserError("a mean over no queries is undefined; evaluate over at least one")
    first = next(iter(sample.values()))
    for run, values in sample.items():
        if values.keys() != first.keys():
            odd = min(values.keys() ^ first.keys())
            raise UserError(f"{run}: measured over other queries than the other runs of its system, such as {odd!r}")
    table = np.array([[values[query] for query in first] for values in sample.values()], dtype=np.float64)
    if not np.isfinite(table).all():
        raise UserError("a value is NaN or infinite, expected finite numbers; check the scores of the run")
    return list(first), table


def _student() -> Any:
    """Student's t distribution; scipy is loaded when a number is asked for."""
    from scipy import stats  # type: ignore[import-untyped,unused-ignore]

    return stats.t
