"""Training triples, (query, relevant document, document that is not): positives as judgements, and some negatives."""

from collections.abc import Iterable, Sequence

from clir_ot.sources.hub_files import Judgement

MOST_NEGATIVES = 8
"""Of a query; MS MARCO's triples have some hundred each, of which a training draws one."""


def read_triples(rows: Iterable[Sequence[str]]) -> tuple[list[Judgement], dict[str, list[str]]]:
    """Positives as judgements of grade 1, and `{query: negatives}`, the first `MOST_NEGATIVES` different ones.

    Args:
        rows: (query, relevant document, document that is not) by id, in any order.
    """
    positives: dict[str, list[str]] = {}
    negatives: dict[str, list[str]] = {}
    for query, relevant, other in rows:
        if relevant not in (known := positives.setdefault(query, [])):
            known.append(relevant)
        if len(found := negatives.setdefault(query, [])) < MOST_NEGATIVES and other not in found:
            found.append(other)
    judged = [(query, document, 1) for query, documents in positives.items() for document in documents]
    kept = {query: [d for d in found if d not in positives[query]] for query, found in negatives.items()}
    return judged, {query: found for query, found in kept.items() if found}
