"""Sinkhorn's algorithm for a batch of masked problems: log potentials, falling epsilon, over-relaxation, early stop.

B pairs, N teacher tokens (side a), M student tokens (side b).
"""

from typing import NamedTuple

import torch

_STAGES = 6
"""Values of epsilon before the target's, falling geometrically from a pair's largest cost."""
_STAGE_ITERATIONS = 2
"""Iterations at each of them: enough to hand good potentials on, no more."""
_CHECK_EVERY = 10
"""Iterations between two looks at the residual, each of which synchronises the device once."""
_RELAXATION = 1.5
"""Over-relaxation; at 1 Sinkhorn's own steps. Thibault et al. 2021 prove local convergence below 2."""
_TINY, _HUGE = 1e-30, 1e15
"""Bounds of float32 scalings between two absorptions."""


class Potentials(NamedTuple):
    """Dual solution.

    Attributes:
        f: (B, N), of the teacher's tokens, in units of the cost; meaningless on padding.
        g: (B, M), of the student's tokens.
        iterations: (B,) int64, updates of both potentials that each pair took.
    """

    f: torch.Tensor
    g: torch.Tensor
    iterations: torch.Tensor


def sinkhorn(
    cost: torch.Tensor,
    log_mu: torch.Tensor,
    log_nu: torch.Tensor,
    epsilon: float,
    iterations: int,
    tolerance: float,
    unbalanced: float | None,
) -> Potentials:
    """Potentials of min <P, C> + epsilon KL(P | mu nu^T) over couplings P, or over all P >= 0 where unbalanced.

    Potentials are kept in logs and absorbed into the kernel whenever epsilon falls and every few iterations (Schmitzer
    2019, "stabilized sparse scaling"), so that an iteration between absorptions is two products of a matrix and a
    vector instead of two log-sum-exps, and nothing can overflow. Epsilon falls from each pair's own largest cost; a
    pair whose residual is below the tolerance is taken out of the batch, so that its result does not depend on how long
    its batchmates take. Over-relaxation (Thibault, Chizat, Dossal & Papadakis 2021) is given up for a pair whose
    residual grows.

    Args:
        cost: (B, N, M) float, finite, 0 on padding.
        log_mu, log_nu: (B, N), (B, M), logs of the marginals, -inf where there is no mass.
        epsilon: in units of the cost.
        iterations: at most.
        tolerance: of the L1 distance between the plan's marginal and nu, at which a pair is done.
        unbalanced: weight rho of KL(P 1 | mu) + KL(P^T 1 | nu) instead of hard marginals (Chizat et al. 2018, table 1).
    """
    parts = [
        cost,
        log_mu[:, :, None],  # (B, N, 1)
        log_nu[:, :, None],  # (B, M, 1)
        cost.new_zeros(cost.shape[0], cost.shape[2], 1),  # g
        cost.amax(dim=(1, 2), keepdim=True).clamp_min(epsilon),  # the epsilon to fall from, (B, 1, 1)
        cost.new_full((len(cost), 1, 1), _RELAXATION),
        cost.new_full((len(cost), 1, 1), torch.inf),  # residual at the last look
    ]
    active = torch.arange(len(cost), device=cost.device)
    g, taken = cost.new_zeros(cost.shape[0], cost.shape[2]), torch.zeros_like(active)
    stages, stage, done = min(_STAGES, iterations // (2 * _STAGE_ITERATIONS)), 0, 0
    while done < iterations and len(active):
        c, mu, nu, start, scale, relaxation, before = parts
        if stage < stages:
            steps, omega = _STAGE_ITERATIONS, torch.ones_like(scale)
            eps = epsilon * (scale / epsilon) ** (1 - stage / stages)
        else:
            steps, omega = min(_CHECK_EVERY, iterations - done), relaxation
            eps = torch.full_like(scale, epsilon)
        parts[3], residual = _iterate(c, mu, nu, start, eps, steps, omega, unbalanced)
        done, stage = done + steps, stage + 1
        g[active], taken[active] = parts[3][:, :, 0], done
        if stage > stages:
            parts[-2:] = torch.where(residual < before, relaxation, 1.0), residual
            left = (residual[:, 0, 0] > tolerance).nonzero()[:, 0]
            active, parts = active[left], [part[left] for part in parts]
    f = _soft_minimum(cost, log_nu[:, :, None], g[:, :, None], cost.new_full((1, 1, 1), epsilon), unbalanced)
    return Potentials(f[:, :, 0], g, taken)


def _iterate(
    cost: torch.Tensor,
    log_mu: torch.Tensor,
    log_nu: torch.Tensor,
    g: torch.Tensor,
    eps: torch.Tensor,
    steps: int,
    omega: torch.Tensor,
    unbalanced: float | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The new g, (B, M, 1), and by how much of nu's mass the last step moved the student's marginal, (B, 1, 1).

    The teacher's potential need not be kept: the first half-step, in logs, finds it again.
    """
    f = _soft_minimum(cost, log_nu, g, eps, unbalanced)  # (B, N, 1)
    kernel = ((f + g.mT - cost) / eps + log_mu + log_nu.mT).exp_()  # (B, N, M)
    mu, nu = log_mu.exp(), log_nu.exp()
    lam = _damping(eps, unbalanced)
    # What the absorbed potentials contribute to a damped update; 1 where marginals are hard.
    held_f, held_g = ((lam - 1) * f / eps).exp(), ((lam - 1) * g / eps).exp()
    a, b = torch.ones_like(mu), torch.ones_like(nu)  # scalings: potentials are f + eps log a, g + eps log b
    for step in range(steps):
        exact = ((nu / (kernel.mT @ a).clamp_min(_TINY)) ** lam * held_g).clamp(_TINY, _HUGE)
        if step == steps - 1:
            moved = (nu * (b / exact - 1).abs()).sum(dim=1, keepdim=True)
            b = exact
            break
        b = b * (exact / b) ** omega
        exact = ((mu / (kernel @ b).clamp_min(_TINY)) ** lam * held_f).clamp(_TINY, _HUGE)
        a = a * (exact / a) ** omega
    return torch.where(nu > 0, g + eps * b.log(), 0.0), moved


def _soft_minimum(
    cost: torch.Tensor, log_nu: torch.Tensor, g: torch.Tensor, eps: torch.Tensor, unbalanced: float | None
) -> torch.Tensor:
    """The best f for a g, (B, N, 1): -eps log of sum over j of nu_j exp((g_j - C_ij) / eps), damped."""
    return -_damping(eps, unbalanced) * eps * torch.logsumexp((g.mT - cost) / eps + log_nu.mT, dim=2, keepdim=True)


def _damping(eps: torch.Tensor, unbalanced: float | None) -> torch.Tensor:
    """rho / (rho + eps), 1 where marginals are hard (Chizat et al. 2018; Sejourne et al. 2019)."""
    return torch.ones_like(eps) if unbalanced is None else unbalanced / (unbalanced + eps)
