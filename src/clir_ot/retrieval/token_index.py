"""Encoded texts: the vectors of each, one a token or one a text, one after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import torch

from clir_ot.data.batches import Tokens
from clir_ot.models.encoder import TokenEncoder

# Padded tokens in one encoding step; bounds memory whatever the texts' length.
_MAX_TOKENS = 4096


class Shard(Protocol):
    """Some encoded documents, wherever and however their vectors are held."""

    @property
    def lengths(self) -> torch.Tensor:
        """(texts,) int64, tokens of each text."""

    def rows(self, rows: torch.Tensor) -> torch.Tensor:
        """Some of the vectors, float32, of shape `rows.shape + (D,)`."""


class Documents(Protocol):
    """Encoded documents in one or more shards, one after the other."""

    @property
    def dimensions(self) -> int:
        """Of a vector."""

    def __len__(self) -> int:
        """Documents."""

    def shards(self) -> Iterator[Shard]:
        """In the order of the documents."""

    def names(self, positions: Sequence[int]) -> list[str]:
        """The `_id`s of the documents at these positions, which ascend."""


@dataclass(frozen=True)
class TokenIndex:
    """Token vectors of T tokens in all, text after text.

    Attributes:
        ids: the texts' `_id`s.
        lengths: (texts,) int64, tokens of each text.
        vectors: (T, D) float32, unit length.
    """

    ids: list[str]
    lengths: torch.Tensor
    vectors: torch.Tensor

    @cached_property
    def _rows_of(self) -> dict[str, slice]:
        """The rows of `vectors` that each text has."""
        ends = self.lengths.cumsum(0)
        bounds = zip((ends - self.lengths).tolist(), ends.tolist(), strict=True)
        return {name: slice(*bound) for name, bound in zip(self.ids, bounds, strict=True)}

    def __contains__(self, name: str) -> bool:
        """Whether there is a text of that `_id`."""
        return name in self._rows_of

    def __len__(self) -> int:
        """Texts."""
        return len(self.ids)

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        return self.vectors.shape[1]

    def shards(self) -> Iterator[Shard]:
        """All in one."""
        yield self

    def names(self, positions: Sequence[int]) -> list[str]:
        """The `_id`s of the texts at these positions."""
        return [self.ids[position] for position in positions]

    def rows(self, rows: torch.Tensor) -> torch.Tensor:
        """Some of the vectors, float32, of shape `rows.shape + (D,)`."""
        return self.vectors[rows]

    def select(self, ids: Sequence[str]) -> "TokenIndex":
        """Some of the texts, which must be there, in that order; copies no other text's vectors."""
        vectors = [self.vectors[self._rows_of[name]] for name in ids]
        return TokenIndex(list(ids), torch.tensor([len(v) for v in vectors]), torch.cat(vectors))


def repeated_blocks(shard: Shard, tokens: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Texts of like length together, the shorter ones filled up with their own last token.

    The best similarity with any token of such a text is that of the text, and needs no mask.

    Args:
        shard: whose texts.
        tokens: of a block, about; a block has one text at least.

    Yields:
        The positions of B texts in the shard, (B,) int64, and their vectors (N, B, D).
    """
    starts = shard.lengths.cumsum(0) - shard.lengths
    order = shard.lengths.argsort(stable=True)
    first = 0
    while first < len(order):
        positions = order[first : first + max(1, tokens // int(shard.lengths[order[first]]))]
        first += len(positions)
        lengths = shard.lengths[positions]
        within = torch.arange(int(lengths[-1]))[:, None].minimum(lengths - 1)  # (N, B)
        yield positions, shard.rows(starts[positions] + within)


def merge(indexes: Sequence[TokenIndex]) -> TokenIndex:
    """One index of all the texts; their ids must differ."""
    return TokenIndex(
        [name for index in indexes for name in index.ids],
        torch.cat([index.lengths for index in indexes]),
        torch.cat([index.vectors for index in indexes]),
    )


def pool(indexes: Mapping[str, TokenIndex]) -> TokenIndex:
    """Several languages' documents as one index; a document's id is `<language>:<_id>`."""
    return merge(
        [replace(index, ids=[f"{language}:{name}" for name in index.ids]) for language, index in indexes.items()]
    )


@torch.inference_mode()
def encode(
    encoder: TokenEncoder,
    tokenize: Callable[[Sequence[str]], Tokens],
    texts: Mapping[str, str],
    progress: Callable[[int], None] = lambda done: None,
) -> TokenIndex:
    """Encode texts with an encoder in eval mode (left as found).

    Args:
        encoder: on any device; the index comes back on the CPU.
        tokenize: `encoder.tokenizer.queries` or `.documents`.
        texts: `{_id: text}`.
        progress: called with the number of texts done since the last call.
    """
    was_training = encoder.training
    encoder.eval()
    device = encoder.projection.weight.device
    names, contents = list(texts), list(texts.values())
    order = sorted(range(len(names)), key=lambda position: len(contents[position]))
    vectors: list[torch.Tensor] = [torch.empty(0)] * len(names)
    for positions, tokens in _prefetched(_batches(order, contents), contents, tokenize):
        encoded, masks = encoder.vectors(tokens.to(device))
        for position, text_vectors, mask in zip(positions, encoded.float().cpu(), masks.cpu(), strict=True):
            vectors[position] = text_vectors[mask]
        progress(len(positions))
    encoder.train(was_training)
    return TokenIndex(names, torch.tensor([len(v) for v in vectors]), torch.cat(vectors))


def _prefetched(
    batches: list[list[int]], contents: list[str], tokenize: Callable[[Sequence[str]], Tokens]
) -> Iterator[tuple[list[int], Tokens]]:
    """Batches and their tokens; while one is encoded, the next one is split into tokens."""
    with ThreadPoolExecutor(1) as thread:

        def start(batch: list[int]) -> Future[Tokens]:
            return thread.submit(tokenize, [contents[position] for position in batch])

        coming = start(batches[0])
        for batch, following in zip(batches, [*batches[1:], None], strict=True):
            tokens = coming.result()
            if following is not None:
                coming = start(following)
            yield batch, tokens


def _batches(order: list[int], contents: list[str]) -> list[list[int]]:
    """Cut an order of rising length into batches of about `_MAX_TOKENS` padded tokens (four characters a token)."""
    batches: list[list[int]] = [[]]
    for position in order:
        estimate = min(512, 8 + len(contents[position]) // 4)
        if batches[-1] and estimate * (len(batches[-1]) + 1) > _MAX_TOKENS:
            batches.append([])
        batches[-1].append(position)
    return batches
