"""How far apart a ranking puts documents that say the same in different languages."""

from collections.abc import Collection, Sequence


def rank_distance(ranked: Sequence[str], parallel: Collection[str]) -> float:
    """Largest minus smallest rank of parallel documents (Elmahdy, Lin & Ahmad 2024, section 4).

    0 is impossible for two or more; the least is one below their number: they follow each other.

    Args:
        ranked: document ids, best first.
        parallel: ids of translations of one document, all of them in `ranked`; two or more.
    """
    ranks = [rank for rank, document in enumerate(ranked, start=1) if document in parallel]
    return float(ranks[-1] - ranks[0])
