"""Exact search: every query against every document by MaxSim."""

import torch

from clir_ot.collections.trec import Run
from clir_ot.models.maxsim import maxsim
from clir_ot.retrieval.token_index import TokenIndex

_BLOCK = 32  # texts scored together; lengths inside a block are close, so little padding is multiplied


def search(queries: TokenIndex, documents: TokenIndex, depth: int = 1000) -> Run:
    """The `depth` best documents of every query, exactly.

    Returns:
        `{query: {document: score}}`, best first; score is the mean over query tokens of the best cosine.
    """
    scores = all_scores(queries, documents)
    best = scores.topk(min(depth, len(documents.ids)), dim=1)
    return {
        query: {documents.ids[d]: s for d, s in zip(row, values, strict=True)}
        for query, row, values in zip(queries.ids, best.indices.tolist(), best.values.tolist(), strict=True)
    }


@torch.inference_mode()
def all_scores(queries: TokenIndex, documents: TokenIndex) -> torch.Tensor:
    """MaxSim of all pairs, (queries, documents) float32."""
    scores = torch.empty(len(queries.ids), len(documents.ids))
    document_blocks = documents.padded_blocks(_BLOCK)
    for rows, query_vectors, query_mask in queries.padded_blocks(_BLOCK):
        for columns, document_vectors, document_mask in document_blocks:
            block = maxsim(query_vectors, document_vectors, query_mask, document_mask)
            scores[torch.tensor(rows)[:, None], torch.tensor(columns)] = block
    return scores
