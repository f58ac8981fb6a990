"""How much of the way from zero-shot to English a system goes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clir_ot.errors import UserError

_SAMPLES = 10_000


@dataclass(frozen=True)
class Gap:
    """Share of the gap closed.

    Attributes:
        closed: (system - zero-shot) / (English - zero-shot), of the means; 1 is English's figure, below 0 is worse than
            zero-shot.
        interval: 95 % percentile bootstrap over queries, which the three have in common or are drawn apart.
    """

    closed: float
    interval: tuple[float, float]


def gap_closed(
    zero_shot: Mapping[str, float], system: Mapping[str, float], english: Mapping[str, float], seed: int = 0
) -> Gap | None:
    """The gap that a system closes, from the values of every query; None where zero-shot is as good as English.

    Args:
        zero_shot, system: `{query: value}` over the same queries of a language.
        english: of the teacher's English queries. Where they have the `_id`s of all the others, they are their
            translations: only those count, and queries are drawn together with their translation.
        seed: of the draws.

    Raises:
        UserError: `zero_shot` and `system` are over different queries.
    """
    if zero_shot.keys() != system.keys():
        raise UserError("the gap needs the values of both systems over the same queries; evaluate them so")
    queries = sorted(system)
    parallel = system.keys() <= english.keys()
    bottom, own = (np.array([values[query] for query in queries]) for values in (zero_shot, system))
    top = np.array([english[query] for query in (queries if parallel else sorted(english))])
    if top.mean() <= bottom.mean():
        return None
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(queries), size=(_SAMPLES, len(queries)))
    of_top = drawn if parallel else generator.integers(len(top), size=(_SAMPLES, len(top)))
    lowest, reached, highest = (v[d].mean(axis=1) for v, d in ((bottom, drawn), (own, drawn), (top, of_top)))
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanpercentile((reached - lowest) / (highest - lowest), [2.5, 97.5])
    closed = (own.mean() - bottom.mean()) / (top.mean() - bottom.mean())
    return Gap(float(closed), (float(low), float(high)))
