"""How rare a piece is: inverse document frequencies over sentences."""

from collections.abc import Iterable, Sequence

import torch


def inverse_document_frequencies(sentences: Iterable[Sequence[int]], vocabulary_size: int) -> torch.Tensor:
    """log((1 + n) / (1 + df)) + 1 for every piece, (vocabulary_size,) float32 (idf of Sparck Jones 1972, smoothed).

    Args:
        sentences: piece ids of each of n sentences; df counts the sentences a piece is in.
        vocabulary_size: larger than every id.
    """
    counts, n = torch.zeros(vocabulary_size), 0
    for pieces in sentences:
        counts[torch.tensor(sorted(set(pieces)), dtype=torch.long)] += 1
        n += 1
    return torch.log((1 + n) / (1 + counts)) + 1
