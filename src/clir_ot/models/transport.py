"""Entropic optimal transport between the tokens of two sentences, batched and masked.

B pairs, N teacher tokens (side a), M student tokens (side b), D dimensions.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F

Solver = Literal["sinkhorn"]


@dataclass(frozen=True)
class TransportResult:
    """Couplings of a batch.

    Attributes:
        plan: (B, N, M) float32, detached; each pair's entries sum to 1, 0 on padding.
        value: (B,) <P, C> of each pair: the transport cost without the entropy term. Its gradient is that of the
            cost under a fixed plan (envelope theorem; Danskin), so only C carries it.
        residual: (B,) float32, detached: sum over teacher tokens of |row sum - mu|. The student's marginal is met
            exactly by construction.
    """

    plan: torch.Tensor
    value: torch.Tensor
    residual: torch.Tensor


def token_cost(
    teacher: torch.Tensor, student: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor
) -> torch.Tensor:
    """Cosine distance C_ij = 1 - cos(H_i, G_j) (OPTICAL, eq. 5): (B, N, D), (B, M, D) -> (B, N, M) float32.

    Vectors on padding are replaced by zeros first: whatever they hold reaches neither the cost nor, as NaN times
    zero, the gradient.
    """
    with torch.autocast(teacher.device.type, enabled=False):
        teacher = teacher.float().masked_fill(~mask_a[..., None], 0.0)
        student = student.float().masked_fill(~mask_b[..., None], 0.0)
        return 1 - F.normalize(teacher, dim=-1) @ F.normalize(student, dim=-1).mT


def solve_transport(
    cost: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    epsilon: float = 0.02,
    iterations: int = 50,
    solver: Solver = "sinkhorn",
) -> TransportResult:
    """Solve min over couplings P of <P, C> + epsilon KL(P | mu nu^T), mu and nu uniform over real tokens.

    Sinkhorn's algorithm (Cuturi 2013) on log potentials (Peyre & Cuturi 2019, section 4.4), with epsilon lowered
    geometrically from the cost's scale over the first half of the iterations.

    Args:
        cost: (B, N, M); values on padding are ignored.
        mask_a: (B, N) bool, True on real tokens; at least one a row.
        mask_b: (B, M) bool, likewise.
        epsilon: in units of the cost. Below 0.01 more than 50 iterations are needed.
        iterations: updates of both potentials.
        solver: `sinkhorn`.

    Raises:
        ValueError: epsilon <= 0, iterations < 1, an unknown solver, or a pair with an empty side (names the row).
    """
    if epsilon <= 0:
        raise ValueError(f"epsilon is {epsilon}; it must be above 0")
    if iterations < 1:
        raise ValueError(f"iterations is {iterations}; it must be at least 1")
    if solver != "sinkhorn":
        raise ValueError(f"solver {solver!r} is unknown; known: sinkhorn")
    for side, mask in (("a", mask_a), ("b", mask_b)):
        if not (filled := mask.any(dim=1)).all():
            raise ValueError(f"pair {int((~filled).nonzero()[0])} has no real token on side {side}")
    with torch.autocast(cost.device.type, enabled=False):
        plan = _sinkhorn(cost.detach().float(), mask_a, mask_b, epsilon, iterations)
        # Padded costs may hold anything, NaN too, which a zero in the plan would not silence.
        real = mask_a[:, :, None] & mask_b[:, None, :]
        value = (plan * cost.float().masked_fill(~real, 0.0)).sum(dim=(1, 2))
        mu = mask_a.float() / mask_a.sum(dim=1, keepdim=True)
        return TransportResult(plan, value, (plan.sum(dim=2) - mu).abs().sum(dim=1))


def transport_plan(
    cost: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    epsilon: float = 0.02,
    iterations: int = 50,
    solver: Solver = "sinkhorn",
) -> torch.Tensor:
    """The couplings alone, (B, N, M) float32; arguments and errors as in `solve_transport`."""
    return solve_transport(cost, mask_a, mask_b, epsilon=epsilon, iterations=iterations, solver=solver).plan


def transport_loss(
    teacher: torch.Tensor,
    student: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    epsilon: float = 0.02,
    iterations: int = 50,
    solver: Solver = "sinkhorn",
) -> torch.Tensor:
    """Mean over pairs of <stopgrad(P*), C> (OPTICAL, eq. 6-7), a float32 scalar.

    Args:
        teacher: (B, N, D) token vectors of the English sentences.
        student: (B, M, D) token vectors of their translations; carries the gradient.
        mask_a, mask_b, epsilon, iterations, solver: as in `solve_transport`, whose errors apply.
    """
    cost = token_cost(teacher, student, mask_a, mask_b)
    return solve_transport(cost, mask_a, mask_b, epsilon=epsilon, iterations=iterations, solver=solver).value.mean()


@torch.no_grad()
def _sinkhorn(
    cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor, epsilon: float, iterations: int
) -> torch.Tensor:
    log_mu = _log_uniform(mask_a)[:, :, None]  # (B, N, 1), -inf on padding
    log_nu = _log_uniform(mask_b)[:, None, :]  # (B, 1, M)
    real = mask_a[:, :, None] & mask_b[:, None, :]
    cost = cost.masked_fill(~real, 0.0)
    g = cost.new_zeros(cost.shape[0], 1, cost.shape[2])
    # Cosine distances are at most 2. The schedule depends on nothing else in the batch: a pair's plan must not
    # change with its batchmates or its padding.
    warm = iterations // 2
    for step in range(iterations):
        eps = epsilon * max(1.0, 2.0 / epsilon) ** (1 - step / warm) if step < warm else epsilon
        # A padded row's potential is finite (its cost is 0) and unused: log_mu is -inf there.
        f = -eps * torch.logsumexp((g - cost) / eps + log_nu, dim=2, keepdim=True)  # (B, N, 1)
        g = -eps * torch.logsumexp((f - cost) / eps + log_mu, dim=1, keepdim=True)  # (B, 1, M)
    # Exponentiated once, from logs: mu_i nu_j exp(...) would be 0 * inf on padding.
    return torch.exp((f + g - cost) / epsilon + log_mu + log_nu)


def _log_uniform(mask: torch.Tensor) -> torch.Tensor:
    """Log of the uniform distribution over real tokens, -inf on padding."""
    log_count = mask.sum(dim=1, keepdim=True).float().log()
    return torch.where(mask, -log_count, -torch.inf)
