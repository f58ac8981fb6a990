"""How much of the way from zero-shot to English a system goes."""

from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import Estimate, Sample, estimate


def gap_closed(zero_shot: Sample, system: Sample, english: Sample) -> Estimate | None:
    """Share of the gap closed, c = (S - Z) / (E - Z) of the means; None where zero-shot is as good as English.

    1 is English's figure, below 0 is worse than zero-shot. Its error is that of the ratio's linear part (delta method),
    dc = (dS - (1 - c) dZ - c dE) / (E - Z), over queries and runs as in `estimate`; where the gap itself is hardly more
    than its error, the interval says too little.

    Args:
        zero_shot, system: over the same queries of a language.
        english: of the teacher's English queries. Where they have the `_id`s of all the others, they are their
            translations, and only those count.

    Raises:
        UserError: `zero_shot` and `system` are over different queries.
    """
    queries = next(iter(system.values())).keys()
    if next(iter(zero_shot.values())).keys() != queries:
        raise UserError("the gap needs the values of both systems over the same queries; evaluate them so")
    if all(queries <= values.keys() for values in english.values()):
        english = {run: {query: values[query] for query in queries} for run, values in english.items()}
    bottom, own, top = (estimate([(1.0, sample)]).value for sample in (zero_shot, system, english))
    if top <= bottom:
        return None
    gap = top - bottom
    closed = (own - bottom) / gap
    change = estimate([(1 / gap, system), (-(1 - closed) / gap, zero_shot), (-closed / gap, english)])
    return Estimate(closed, change.error, change.degrees)
