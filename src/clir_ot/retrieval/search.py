"""Exact search: every query against every document by MaxSim."""

from collections.abc import Sequence

import torch

from clir_ot.collections.trec import Run
from clir_ot.errors import UserError
from clir_ot.retrieval.token_index import TokenIndex

# Tokens multiplied together: their similarities (1 MiB) stay in a core's cache until the best of them is taken.
_DOCUMENT_TOKENS, _QUERY_TOKENS = 512, 512


def search(queries: TokenIndex, documents: TokenIndex, depth: int = 1000) -> Run:
    """The `depth` best documents of every query, exactly.

    Returns:
        `{query: {document: score}}`, best first; score is the mean over query tokens of the best cosine.

    Raises:
        UserError: query and document vectors differ in their dimensions.
    """
    return best(all_scores(queries, documents), queries.ids, documents.ids, depth)


def best(scores: torch.Tensor, queries: Sequence[str], documents: Sequence[str], depth: int = 1000) -> Run:
    """The `depth` best documents of every query, from scores (queries, documents)."""
    top = scores.topk(min(depth, len(documents)), dim=1)
    return {
        query: {documents[d]: s for d, s in zip(row, values, strict=True)}
        for query, row, values in zip(queries, top.indices.tolist(), top.values.tolist(), strict=True)
    }


@torch.inference_mode()
def all_scores(queries: TokenIndex, documents: TokenIndex) -> torch.Tensor:
    """MaxSim of all pairs, (queries, documents) float32; `clir_ot.models.maxsim.maxsim` on ragged texts.

    Raises:
        UserError: query and document vectors differ in their dimensions.
    """
    dimensions = queries.vectors.shape[1], documents.vectors.shape[1]
    if dimensions[0] != dimensions[1]:
        raise UserError(
            f"the query encoder has {dimensions[0]} dimensions and the documents were encoded with {dimensions[1]}; "
            "search with the encoder of the documents, or with a student of it"
        )
    query_tokens = queries.vectors.T.contiguous()  # (D, T), no padding between queries
    query_of_token = torch.arange(len(queries.ids)).repeat_interleave(queries.lengths)  # (T,)
    scores = torch.empty(len(queries.ids), len(documents.ids))
    for columns, vectors in documents.repeated_blocks(_DOCUMENT_TOKENS):  # vectors (Ld, B, D)
        rows = vectors.flatten(end_dim=1)
        # The best over a document's tokens is taken over the first dimension, whole rows at a time: fast on any CPU.
        best = [
            (rows @ part).view(*vectors.shape[:2], -1).amax(dim=0) for part in query_tokens.split(_QUERY_TOKENS, dim=1)
        ]
        sums = torch.zeros(len(queries.ids), len(columns)).index_add_(0, query_of_token, torch.cat(best, dim=1).T)
        scores[:, columns] = sums / queries.lengths[:, None]
    return scores
