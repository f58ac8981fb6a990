"""Random problems of transport between the tokens of sentences."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
import torch.nn.functional as F

Sides = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def make_sides(seed: int, pairs: int = 6, dimensions: int = 16, longest: int = 12, dtype: torch.dtype = torch.float32):
    """Random unit vectors of unequal lengths, (B, N, D) and (B, M, D), NaN on padding, and their masks."""
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (2, pairs), generator=chance)
    sides = [F.normalize(torch.randn(pairs, longest, dimensions, generator=chance, dtype=dtype), dim=-1) for _ in "ab"]
    masks = [torch.arange(longest) < n[:, None] for n in lengths]
    for side, mask in zip(sides, masks, strict=True):
        side[~mask] = torch.nan
    return *sides, *masks


@pytest.fixture
def sides() -> Callable[..., Sides]:
    return make_sides


@pytest.fixture
def unpadded() -> Callable[..., Iterator[np.ndarray]]:
    """Each pair's (B, N, M) cost or plan without padding, in double precision."""

    def each(values: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor) -> Iterator[np.ndarray]:
        for pair, rows, columns in zip(values.detach(), mask_a, mask_b, strict=True):
            yield pair[rows][:, columns].double().numpy()

    return each
