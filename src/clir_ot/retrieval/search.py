"""Exact search: every query against every document by MaxSim."""

from collections.abc import Sequence

import torch

from clir_ot.collections.trec import Run
from clir_ot.errors import UserError
from clir_ot.models.maxsim import maxsim
from clir_ot.retrieval.token_index import TokenIndex

_BLOCK = 32  # texts scored together; lengths inside a block are close, so little padding is multiplied


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
    """MaxSim of all pairs, (queries, documents) float32.

    Raises:
        UserError: query and document vectors differ in their dimensions.
    """
    dimensions = queries.vectors.shape[1], documents.vectors.shape[1]
    if dimensions[0] != dimensions[1]:
        raise UserError(
            f"the query encoder has {dimensions[0]} dimensions and the documents were encoded with {dimensions[1]}; "
            "search with the encoder of the documents, or with a student of it"
        )
    scores = torch.empty(len(queries.ids), len(documents.ids))
    document_blocks = documents.padded_blocks(_BLOCK)
    for rows, query_vectors, query_mask in queries.padded_blocks(_BLOCK):
        for columns, document_vectors, document_mask in document_blocks:
            block = maxsim(query_vectors, document_vectors, query_mask, document_mask)
            scores[torch.tensor(rows)[:, None], torch.tensor(columns)] = block
    return scores
