"""Does a ranking over documents in several languages treat the languages alike?"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from clir_ot.errors import UserError


def rank_distance(ranked: Sequence[str], parallel: Collection[str]) -> float:
    """Largest minus smallest rank of parallel documents (Elmahdy, Lin & Ahmad 2024, section 4).

    0 is impossible for two or more; the least is one below their number: they follow each other.

    Args:
        ranked: document ids, best first.
        parallel: ids of translations of one document, all of them in `ranked`; two or more.
    """
    ranks = [rank for rank, document in enumerate(ranked, start=1) if document in parallel]
    return float(ranks[-1] - ranks[0])


def first_language(ranked: Sequence[str], parallel: Mapping[str, str]) -> str:
    """Language of the parallel document that is ranked best.

    The share of queries whose own language it is, against 1 / (number of languages) where languages play no part, is
    the preference for one's own language that LAReQA calls language bias (Roy et al. 2020, section 5).

    Args:
        ranked: document ids, best first.
        parallel: `{document: language}` of translations of one document, or of several relevant ones; at least one of
            them in `ranked`.
    """
    return next(parallel[document] for document in ranked if document in parallel)


def peer(
    ranked: Sequence[str],
    grades: Mapping[str, int],
    languages: Mapping[str, str],
    *,
    cutoff: int | None = None,
    weights: Mapping[int, float] | None = None,
) -> float:
    """Probability of equal expected rank: PEER@cutoff = sum over grades g of w(g) p(g).

    p(g) is the p-value of the Kruskal-Wallis test that documents of grade g have the same expected rank in every
    language, ranked among themselves; those that are not within the cutoff tie at the end. It is 1 where only one
    language has such documents, or where none is within the cutoff. 1 is fair, 0 is unfair.

    The test compares groups: with one document a language, as where every query has one relevant document and its
    translations, its value is the same for all rankings, and PEER says nothing.

    Args:
        ranked: document ids, best first.
        grades: judged documents, of grade 1 and above.
        languages: of every document in `grades`.
        cutoff: depth; None is all of `ranked`.
        weights: `{grade: weight}`, which sum to 1; None weighs all grades of `grades` alike.

    Raises:
        UserError: weights that do not sum to 1; no judged document.

    Source: Yang, Jänich, Mayfield & Lawrie, SIGIR 2024 (arXiv 2405.00978), section 3. Their program takes ranks in the
    whole list, and a rank for what is missing that depends on the number of documents; here ranks are those of
    the test itself.
    """
    found = {grade for grade in grades.values() if grade >= 1}
    if not found:
        raise UserError("PEER needs a judged document of grade 1 or above")
    if weights is None:
        weights = dict.fromkeys(found, 1 / len(found))
    if not np.isclose(sum(weights.values()), 1.0):
        raise UserError(f"the weights of PEER sum to {sum(weights.values()):g}; they must sum to 1")
    ranks = {document: rank for rank, document in enumerate(ranked[:cutoff], start=1)}
    last = len(ranked) + 1
    total = 0.0
    for grade, weight in weights.items():
        groups: dict[str, list[int]] = {}
        for document, given in grades.items():
            if given == grade:
                groups.setdefault(languages[document], []).append(ranks.get(document, last))
        total += weight * _equal_ranks(list(groups.values()))
    return total


def _equal_ranks(groups: Sequence[Sequence[int]]) -> float:
    """p-value of the Kruskal-Wallis test; 1 where there is nothing to tell apart."""
    if len(groups) < 2 or len({rank for group in groups for rank in group}) < 2:
        return 1.0
    from scipy import stats  # type: ignore[import-untyped,unused-ignore]

    return float(stats.kruskal(*groups).pvalue)
