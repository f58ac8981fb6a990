"""Approximate search of large collections: some candidates by their tokens, exact scores of these alone.

T document tokens, Lq tokens of a query, k tokens found for each.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from clir_ot.collections.trec import Run
from clir_ot.files import remove_leftovers, replacing
from clir_ot.locks import hold, lock_of
from clir_ot.retrieval.codecs import import_faiss
from clir_ot.retrieval.index_folder import StoredIndex, StoredShard
from clir_ot.retrieval.search import as_run, check_dimensions, top
from clir_ot.retrieval.token_index import TokenIndex

_SAMPLE = 40  # vectors that each list's centre is learnt from
_TOKENS = 256  # k
_QUERIES = 1024  # whose tokens are looked up together
_PART = 4  # dimensions that a product quantiser holds in 4 bits
_FEW = 2**17  # tokens, up to which they are held in float32
_MANY = 2**13  # lists, from which on a graph finds the nearest ones: comparing with all would take T^1.5
_REACH = 32  # centres that it keeps in view


class TokenLists:
    """All tokens' documents in inverted lists, about sqrt(T) of them; 24 bytes a token of 128 dimensions.

    Args:
        index: faiss's, of token vectors; its ids are positions of documents.
    """

    def __init__(self, index: Any) -> None:
        self._index = index

    @classmethod
    def open(cls, documents: StoredIndex) -> "TokenLists":
        """Of an index: read from its folder, or made from its vectors and written there.

        Raises:
            UserError: faiss is not installed.
        """
        faiss = import_faiss("approximate search")
        path = _path(documents)
        if not path.exists():
            with hold(lock_of(path), f"{path}: is being made", wait=True):
                if not path.exists():
                    print(f"{path}: sorting the tokens of {len(documents)} documents into lists", flush=True)
                    remove_leftovers(path)
                    built = _build(faiss, documents)
                    with replacing(path) as temporary:
                        faiss.write_index(built, str(temporary))
        return cls(faiss.read_index(str(path)))

    def candidates(self, queries: TokenIndex, count: int, probes: int) -> list[torch.Tensor]:
        """Positions, ascending, of the documents of every query that seem to be the best.

        Each query token finds the k most similar document tokens of the nearest lists. A document's score is the sum
        over query tokens of the best one found; where none of its tokens is among the k, the k-th similarity, which it
        does not reach, stands in (Lee et al., XTR, NeurIPS 2023, eq. 4).

        Args:
            queries: encoded.
            count: documents a query, at most.
            probes: lists that each token looks into.
        """
        self._index.nprobe = probes
        similarities, documents = self._index.search(queries.vectors.numpy(), _TOKENS)  # (tokens, k)
        ends = queries.lengths.cumsum(0).tolist()
        return [
            _best(similarities[end - length : end], documents[end - length : end], count)
            for end, length in zip(ends, queries.lengths.tolist(), strict=True)
        ]


def approximate_search(queries: TokenIndex, documents: StoredIndex, depth: int = 1000, probes: int = 16) -> Run:
    """The `depth` documents of every query that seem to be the best, by their exact scores.

    Args:
        queries: encoded.
        documents: an index folder, into which the lists of its tokens are written the first time.
        depth: documents a query, at most.
        probes: lists that each query token looks into: more find more, and take longer.

    Raises:
        UserError: query and document vectors differ in their dimensions; faiss is not installed.
    """
    check_dimensions(queries, documents)
    lists, shards = TokenLists.open(documents), [*documents.shards()]
    scores = torch.full((len(queries), depth), -torch.inf)
    positions = torch.zeros(len(queries), depth, dtype=torch.int64)
    for start in range(0, len(queries), _QUERIES):
        part = queries.select(queries.ids[start : start + _QUERIES])
        vectors = part.vectors.split(part.lengths.tolist())
        found = lists.candidates(part, depth, probes)
        for row, (tokens, names) in enumerate(zip(vectors, found, strict=True), start):
            exact = _scores(tokens, shards, documents.facts.shard, names)
            best, order = top(exact[None], depth)
            scores[row, : len(names)], positions[row, : len(names)] = best[0], names[order[0]]
    return as_run(queries.ids, scores, positions, documents)


@torch.inference_mode()
def _scores(tokens: torch.Tensor, shards: list[StoredShard], size: int, documents: torch.Tensor) -> torch.Tensor:
    """MaxSim of one query (Lq, D) with documents at ascending positions (n,), in shards of so many: (n,) float32."""
    numbers, counts = (documents // size).unique_consecutive(return_counts=True)
    parts = zip(numbers.tolist(), (documents % size).split(counts.tolist()), strict=True)
    taken = [shards[number].take(positions) for number, positions in parts]
    lengths = torch.cat([lengths for lengths, _ in taken])
    similarities = torch.cat([vectors for _, vectors in taken]) @ tokens.T  # (their tokens, Lq)
    return torch.segment_reduce(similarities, "max", lengths=lengths).mean(dim=1)


def _best(similarities: npt.NDArray[np.float32], documents: npt.NDArray[np.int64], count: int) -> torch.Tensor:
    """The `count` documents with the highest sums, ascending; (Lq, k) each, -1 where fewer tokens were found."""
    known = documents >= 0
    floor = np.where(known, similarities, np.inf).min(axis=1, keepdims=True)
    gains = np.where(known, similarities - floor, 0)
    names, columns = np.unique(documents, return_inverse=True)
    best = np.zeros((len(documents), len(names)), np.float32)
    np.maximum.at(best, (np.arange(len(documents))[:, None], columns.reshape(documents.shape)), gains)
    sums = best.sum(axis=0)
    sums[names < 0] = -np.inf
    found = np.argpartition(-sums, min(count, len(sums)) - 1)[:count]
    return torch.from_numpy(np.sort(names[found[names[found] >= 0]]))


def _build(faiss: Any, documents: StoredIndex) -> Any:
    tokens = sum(int(shard.lengths.sum()) for shard in documents.shards())
    lists = min(2 ** round(np.log2(tokens**0.5)), max(1, tokens // 8))
    # Product quantisation in 4 bits, in a layout of which processors compare 32 vectors at a time.
    coded = "Flat" if tokens <= _FEW or documents.dimensions % _PART else f"PQ{documents.dimensions // _PART}x4fs"
    centres = f"IVF{lists}_HNSW16" if lists >= _MANY else f"IVF{lists}"
    index = faiss.index_factory(documents.dimensions, f"{centres},{coded}", faiss.METRIC_INNER_PRODUCT)
    if lists >= _MANY:
        faiss.downcast_index(index.quantizer).hnsw.efSearch = _REACH
    index.cp.min_points_per_centroid = 1  # no warning where there are few
    step = max(1, tokens // (_SAMPLE * lists))
    sample = [shard.rows(torch.arange(0, int(shard.lengths.sum()), step)) for shard in documents.shards()]
    index.train(torch.cat(sample).numpy())
    first = 0
    for shard in documents.shards():
        of = torch.arange(first, first + len(shard.lengths)).repeat_interleave(shard.lengths)  # token -> document
        for rows in torch.arange(len(of)).split(2**17):
            index.add_with_ids(shard.rows(rows).numpy(), of[rows].numpy())
        first += len(shard.lengths)
    return index


def _path(documents: StoredIndex) -> Path:
    return documents.folder / f"tokens-{documents.digest}.faiss"
