"""Exact search: every query against every document by MaxSim."""

from collections.abc import Sequence

import torch

from clir_ot.collections.trec import Run
from clir_ot.errors import UserError
from clir_ot.progress import Done
from clir_ot.retrieval.token_index import Documents, Shard, TokenIndex, repeated_blocks

# Tokens multiplied together: their similarities (1 MiB) stay in a core's cache until the best of them is taken.
_DOCUMENT_TOKENS, _QUERY_TOKENS = 512, 512
_DENSE_ROWS = 2**14  # vectors multiplied together where a text has one
_SCORES = 2**25  # of queries with documents, held at a time: 128 MiB


def search(queries: TokenIndex, documents: Documents, depth: int = 1000, progress: Done = lambda done: None) -> Run:
    """The `depth` best documents of every query, exactly.

    Shard by shard, of which only the best documents are kept: memory grows with queries x depth, not with the
    documents. Of documents with the same score in the last place, those that come first in the collection stay.

    Args:
        queries: encoded.
        documents: likewise.
        depth: documents a query.
        progress: called with the number of documents searched since the last call.

    Returns:
        `{query: {document: score}}`, best first; score is the mean over query tokens of the best cosine.

    Raises:
        UserError: query and document vectors differ in their dimensions.
    """
    check_dimensions(queries, documents)
    scores, positions = torch.empty(len(queries), 0), torch.empty(len(queries), 0, dtype=torch.int64)
    first = 0
    for shard in documents.shards():
        count = len(shard.lengths)
        found = []
        for start, part in zip(*_parts(queries, count), strict=True):
            new, where = top(all_scores(part, shard), depth)
            old = slice(start, start + len(part))
            merged, chosen = top(torch.cat([scores[old], new], dim=1), depth)
            found.append((merged, torch.cat([positions[old], first + where], dim=1).gather(1, chosen)))
        scores, positions = (torch.cat(parts) for parts in zip(*found, strict=True))
        first += count
        progress(count)
    return as_run(queries.ids, scores, positions, documents)


def best(scores: torch.Tensor, queries: Sequence[str], documents: Sequence[str], depth: int = 1000) -> Run:
    """The `depth` best documents of every query, from scores (queries, documents)."""
    values, positions = top(scores, depth)
    return {
        query: {documents[d]: s for d, s in zip(row, found, strict=True)}
        for query, row, found in zip(queries, positions.tolist(), values.tolist(), strict=True)
    }


def as_run(queries: Sequence[str], scores: torch.Tensor, positions: torch.Tensor, documents: Documents) -> Run:
    """A run from scores (queries, n), best first, and the documents' positions; those of score -inf are left out."""
    known = positions[scores > -torch.inf].unique().tolist()
    names = dict(zip(known, documents.names(known), strict=True))
    return {
        query: {names[d]: s for d, s in zip(row, found, strict=True) if s > -torch.inf}
        for query, row, found in zip(queries, positions.tolist(), scores.tolist(), strict=True)
    }


def check_dimensions(queries: TokenIndex, documents: Documents) -> None:
    """Refuse to compare vectors of different dimensions.

    Raises:
        UserError: query and document vectors differ in their dimensions.
    """
    if queries.dimensions != documents.dimensions:
        raise UserError(
            f"the query encoder has {queries.dimensions} dimensions and the documents were encoded with "
            f"{documents.dimensions}; search with the encoder of the documents, or with a student of it"
        )


@torch.inference_mode()
def all_scores(queries: TokenIndex, documents: Shard) -> torch.Tensor:
    """MaxSim of all pairs, (queries, documents) float32; `clir_ot.models.maxsim.maxsim` on ragged texts."""
    if queries.lengths.eq(1).all() and documents.lengths.eq(1).all():
        rows = torch.arange(len(documents.lengths)).split(_DENSE_ROWS)
        # Documents as rows: a document's score is then the same to the bit whatever others stand beside it.
        return torch.cat([documents.rows(part) @ queries.vectors.T for part in rows]).T.contiguous()
    query_tokens = queries.vectors.T.contiguous()  # (D, T), no padding between queries
    query_of_token = torch.arange(len(queries)).repeat_interleave(queries.lengths)  # (T,)
    scores = torch.empty(len(queries), len(documents.lengths))
    for columns, vectors in repeated_blocks(documents, _DOCUMENT_TOKENS):  # vectors (Ld, B, D)
        rows = vectors.flatten(end_dim=1)
        # The best over a document's tokens is taken over the first dimension, whole rows at a time: fast on any CPU.
        best = [
            (rows @ part).view(*vectors.shape[:2], -1).amax(dim=0) for part in query_tokens.split(_QUERY_TOKENS, dim=1)
        ]
        sums = torch.zeros(len(queries), len(columns)).index_add_(0, query_of_token, torch.cat(best, dim=1).T)
        scores[:, columns] = sums / queries.lengths[:, None]
    return scores


def _parts(queries: TokenIndex, documents: int) -> tuple[range, list[TokenIndex]]:
    """Queries so many at a time that their scores with all documents of a shard may be held; and where each begins."""
    size = max(1, _SCORES // max(1, documents))
    starts = range(0, len(queries), size)
    if len(starts) == 1:
        return starts, [queries]
    return starts, [queries.select(queries.ids[start : start + size]) for start in starts]


def top(scores: torch.Tensor, depth: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `depth` best of each row, best first, and their columns; of equal ones the first."""
    depth = min(depth, scores.shape[1])
    values, columns = scores.topk(depth, dim=1)
    # `topk` takes any of equal scores: rows where that matters are sorted whole.
    tied = ((scores >= values[:, -1:]).sum(dim=1) > depth) | (values[:, 1:] == values[:, :-1]).any(dim=1)
    if tied.any():
        values[tied], columns[tied] = (
            found[:, :depth] for found in scores[tied].sort(dim=1, descending=True, stable=True)
        )
    return values, columns
