"""Effectiveness of a run, query by query, with exactly trec_eval's values.

`pytrec_eval` takes 8 times as long and torchmetrics, whose values are others, 15 times: benchmarks/evaluation.py.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from clir_ot.collections.trec import Qrels, Run, ranks
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging

DEFAULT_MEASURES = ("MRR@10", "nDCG@10", "MAP", "R@10", "R@100")
"""Mean reciprocal rank, normalised discounted cumulative gain, mean average precision and recall."""


class _Judged(NamedTuple):
    """What the measures need of one query."""

    gains: list[tuple[int, int]]
    """(rank from 1, grade) of the documents retrieved whose grade is positive, by rank."""
    grades: list[int]
    """All positive grades, the highest first."""
    hits: list[int]
    """Ranks of the relevant documents retrieved."""
    relevant: int
    """How many documents are relevant, retrieved or not."""


def evaluate_run(
    run: Run, qrels: Qrels, measures: Iterable[str] = DEFAULT_MEASURES, judging: Judging = USUAL
) -> dict[str, dict[str, float]]:
    """`{measure: {query: value}}` over all judged queries, in the order of `qrels`; values lie in [0, 1].

    With g(r) the grade at rank r, rel(r) = 1 where g(r) is at least the relevance level (1 unless `judging` says
    otherwise) and else 0, n the number of relevant documents:

    - `RR`, `RR@k` (or `MRR`): 1 / rank of the first relevant document, 0 if there is none within k
    - `P@k`: sum of rel(r) over r <= k, divided by k, however few were retrieved
    - `R@k` (or `Recall@k`): the same sum, divided by n
    - `AP`, `AP@k` (or `MAP`): sum over r <= k of rel(r) P@r, divided by n
    - `nDCG`, `nDCG@k`: DCG / DCG of the ideal ranking, DCG = sum over r <= k of g(r) / log2(r + 1) over positive
      grades, of whatever relevance level

    The keys are spelt as in `measures`. A judged query counts as 0 where the run has no such query (trec_eval
    -c) or no document of it is relevant (trec_eval with and without -c); a query without judgements is left out.
    Documents without judgement are not relevant. The order is that of `clir_ot.collections.trec.ranking`.

    Raises:
        UserError: a measure is unknown; there are no judgements; run and judgements share no query; a score
            is not finite.

    Sources: trec_eval 9.0 (10.0 differs in ties alone); Järvelin & Kekäläinen, TOIS 20(4), 2002 (nDCG, here with
    trec_eval's linear gain); the names are those of ir_measures (MacAvaney et al., ECIR 2022).
    """
    functions = {name: _parse(name) for name in measures}
    judged = {query: grades for query, grades in qrels.items() if grades}
    if not judged:
        raise UserError("there are no relevance judgements to evaluate against; check the qrels file")
    if not judged.keys() & run.keys():
        raise UserError(
            f"run and judgements share no query: the run has {list(run)[:3]}, the judgements have "
            f"{list(judged)[:3]}; check that they belong to the same collection"
        )
    values: dict[str, dict[str, float]] = {name: {} for name in functions}
    for query, grades in judged.items():
        known = _judge(judging.of_ranking(query, run.get(query, {})), grades, judging)
        for name, (function, cutoff) in functions.items():
            values[name][query] = function(known, cutoff)
    return values


def canonical_measure(measure: str) -> str:
    """The one spelling of a measure that has two: `MAP`, `MRR@10`, `R@100`.

    Raises:
        UserError: the measure is unknown.
    """
    function, cutoff = _parse(measure)
    name = next(name for name, known in _WITH_CUTOFF.items() if known is function)
    return name if cutoff == math.inf else f"{name}@{int(cutoff)}"


def mean(values: Mapping[str, float]) -> float:
    """Arithmetic mean over queries.

    Raises:
        UserError: there are no values.
    """
    if not values:
        raise UserError("the mean over no queries is undefined; evaluate at least one query")
    return math.fsum(values.values()) / len(values)


def _judge(scores: Mapping[str, float], grades: Mapping[str, int], judging: Judging) -> _Judged:
    positive = {document: grade for document, grade in grades.items() if grade >= 1}
    found = [document for document in positive if document in scores]
    places = ranks(scores, found, judging.trec_eval)
    gains = sorted(zip(places, (positive[document] for document in found), strict=True))
    level = judging.relevance_level
    hits = [rank for rank, grade in gains if grade >= level]
    relevant = sum(grade >= level for grade in positive.values())
    return _Judged(gains, sorted(positive.values(), reverse=True), hits, relevant)


def _reciprocal_rank(judged: _Judged, cutoff: float) -> float:
    first = judged.hits[0] if judged.hits else math.inf
    return 1 / first if first <= cutoff else 0.0


def _found(judged: _Judged, cutoff: float) -> int:
    return sum(rank <= cutoff for rank in judged.hits)


def _precision(judged: _Judged, cutoff: float) -> float:
    return _found(judged, cutoff) / cutoff


def _recall(judged: _Judged, cutoff: float) -> float:
    return _found(judged, cutoff) / judged.relevant if judged.relevant else 0.0


def _average_precision(judged: _Judged, cutoff: float) -> float:
    precisions = (found / rank for found, rank in enumerate(judged.hits, start=1) if rank <= cutoff)
    return sum(precisions) / judged.relevant if judged.relevant else 0.0


def _ndcg(judged: _Judged, cutoff: float) -> float:
    ideal = _dcg(enumerate(judged.grades, start=1), cutoff)
    return _dcg(judged.gains, cutoff) / ideal if ideal else 0.0


def _dcg(graded: Iterable[tuple[int, int]], cutoff: float) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in graded if rank <= cutoff)


_Measure = Callable[[_Judged, float], float]

# Of two spellings of a measure the first is the canonical one.
_ANY_DEPTH: dict[str, _Measure] = {
    "MAP": _average_precision,
    "AP": _average_precision,
    "MRR": _reciprocal_rank,
    "RR": _reciprocal_rank,
    "nDCG": _ndcg,
}
_WITH_CUTOFF: dict[str, _Measure] = {**_ANY_DEPTH, "P": _precision, "R": _recall, "Recall": _recall}


def _parse(measure: str) -> tuple[_Measure, float]:
    """The function and the cutoff of `measure`; without `@k` the cutoff is infinite."""
    matched = re.fullmatch(r"(\w+)@([1-9][0-9]*)", measure)
    if matched and matched[1] in _WITH_CUTOFF:
        return _WITH_CUTOFF[matched[1]], int(matched[2])
    if measure in _ANY_DEPTH:
        return _ANY_DEPTH[measure], math.inf
    accepted = ", ".join([*_ANY_DEPTH, *(f"{name}@k" for name in _WITH_CUTOFF)])
    raise UserError(f"unknown measure {measure!r}; accepted are {accepted} with k = 1, 2, ...")
