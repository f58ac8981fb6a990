"""Re-ranking: late interaction on the documents that a first stage found, and on no others."""

from clir_ot.collections.trec import Run, ranking
from clir_ot.errors import UserError
from clir_ot.retrieval.search import all_scores, best, check_dimensions
from clir_ot.retrieval.token_index import TokenIndex


def rerank(run: Run, queries: TokenIndex, documents: TokenIndex, depth: int = 1000) -> Run:
    """The `depth` best documents of a run, by MaxSim.

    Args:
        run: of the first stage; its order is that of `clir_ot.collections.trec.ranking`.
        queries: those of the run at least.
        documents: those that `candidates(run, depth)` names at least.
        depth: documents a query that are scored; those further down the run are left out.

    Returns:
        `{query: {document: score}}`, best first; the scores are those of `search`. A query for which the run has no
        document stays without.

    Raises:
        UserError: a query or a document of the run was not encoded; vectors differ in their dimensions.
    """
    check_dimensions(queries, documents)
    found: Run = {}
    for query, scores in run.items():
        if query not in queries:
            raise UserError(
                f"the run to re-rank holds query {query!r}, which is not among the {len(queries.ids)} queries searched "
                "for; give a run of the same language and split"
            )
        names = ranking(scores)[:depth]
        if unknown := next((name for name in names if name not in documents), None):
            raise UserError(
                f"the run to re-rank holds document {unknown!r} for query {query!r}, which is not among the "
                f"{len(documents.ids)} documents; give a run of the same collection"
            )
        found[query] = {}
        if names:
            found |= best(all_scores(queries.select([query]), documents.select(names)), [query], names, depth)
    return found


def candidates(run: Run, depth: int = 1000) -> list[str]:
    """The documents that `rerank` needs: the `depth` best of all queries, each once, in the order of their ids."""
    return sorted({document for scores in run.values() for document in ranking(scores)[:depth]})
