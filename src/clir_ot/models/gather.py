"""In-batch negatives of all processes: token vectors gathered so that gradients flow back to where they came from.

B own rows, S rows of all processes, N tokens, D dimensions.
"""

from typing import Any, TypeVar

import torch
import torch.distributed as dist
import torch.nn.functional as F

T = TypeVar("T")


def with_others(vectors: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Own rows first, then those of the other processes in the order of their ranks; alone, the arguments themselves.

    Differentiable: every process gets back the gradients that all processes have for its rows. With a loss that is a
    process's part of the union batch's mean times the number of processes, DistributedDataParallel's average is then
    the gradient of one process on the union batch; no other factor is needed.

    Args:
        vectors: (B, N, D); rows and tokens may differ in number between processes.
        mask: (B, N) bool.

    Returns:
        (S, N', D) and (S, N') with N' the longest of all; (False, and zeros, on what a row lacks.)
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return vectors, mask
    sizes = _gather(torch.tensor(vectors.shape[:2], device=vectors.device))  # (ranks, 2)
    rows, tokens = sizes.amax(dim=0).tolist()
    counts = sizes[:, 0].tolist()
    grow = (0, tokens - vectors.shape[1])
    padded = F.pad(vectors, (0, 0, *grow, 0, rows - len(vectors)))
    all_vectors = _GatherVectors.apply(padded)  # (ranks, rows, N', D)
    all_masks = _gather(F.pad(mask, (*grow, 0, rows - len(mask))).to(torch.uint8)).bool()
    own = dist.get_rank()
    order = [own, *(rank for rank in range(len(counts)) if rank != own)]
    return (
        torch.cat([all_vectors[rank, : counts[rank]] for rank in order]),
        torch.cat([all_masks[rank, : counts[rank]] for rank in order]),
    )


def from_all(own: T) -> list[T]:
    """The objects that all processes call this with, by rank; alone, the own one."""
    if not dist.is_available() or not dist.is_initialized():
        return [own]
    found: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(found, own)
    return found


class _GatherVectors(torch.autograd.Function):
    """All processes' tensors, (ranks, ...); backwards the sum of what all processes have for the own one."""

    @staticmethod
    def forward(context: Any, tensor: torch.Tensor) -> torch.Tensor:
        return _gather(tensor)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> torch.Tensor:
        # Not reduce_scatter, which gloo lacks.
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total[dist.get_rank()]


def _gather(tensor: torch.Tensor) -> torch.Tensor:
    parts = [torch.empty_like(tensor, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor.detach().contiguous())
    return torch.stack(parts)
