"""The other solvers, to check Sinkhorn by and for methods that ask for them: geomloss, IPOT and POT's network simplex.

All take a cost that is finite and 0 on padding, and the marginals, 0 on padding. All give a plan and potentials.
B pairs, N teacher tokens (side a), M student tokens (side b).
"""

import numpy as np
import torch

from clir_ot.models.sinkhorn import Potentials

GEOMLOSS_LARGEST_COST = 4.0
"""Squared distance of opposite unit vectors."""


def geomloss(
    cost: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor, epsilon: float, iterations: int, unbalanced: float | None
) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials by `geomloss.ot.solve_batch`: symmetrised, annealed Sinkhorn (Feydy 2020, 3.3).

    The library lets epsilon fall from the batch's largest cost difference, so that a pair's plan would depend on its
    batchmates. Two tokens without mass, one at cost 0 and one at the largest possible cost from everything, make that
    difference the same for every batch. Only the potentials are taken: the library's plan is 0 * inf on padding, and
    twice its value's gradient is right.

    Raises:
        ValueError: a cost outside [0, 4].
    """
    from geomloss.ot import solve_batch

    held = cost.clamp(0.0, GEOMLOSS_LARGEST_COST)
    # A vector's cosine with itself may be a rounding error above 1.
    if (wrong := ((cost - held).abs() > 1e-5).any(dim=2).any(dim=1)).any():
        raise ValueError(f"pair {int(wrong.nonzero()[0])} has costs outside [0, 4], which solver geomloss needs")
    empty = cost.new_tensor([0.0, GEOMLOSS_LARGEST_COST])[None, :, None].expand(len(cost), 2, cost.shape[2])
    found = solve_batch(
        torch.cat([held, empty], dim=1),
        a=torch.cat([mu, mu.new_zeros(len(mu), 2)], dim=1),
        b=nu,
        reg=epsilon,
        max_iter=iterations,
        unbalanced=unbalanced,
    )
    f, g = found.potential_a[:, :-2], found.potential_b
    # Exponentiated once, from logs: mu_i nu_j exp(...) would be 0 * inf on padding.
    exponent = (f[:, :, None] + g[:, None, :] - cost) / epsilon
    plan = torch.exp(exponent + mu.log()[:, :, None] + nu.log()[:, None, :])
    return plan, Potentials(f, g, torch.full((len(cost),), iterations, device=cost.device))


def ipot(
    cost: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor, epsilon: float, iterations: int
) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials of exact transport by proximal point steps (Xie et al. 2019, algorithm 1, L = 1).

    In logs, where the paper multiplies by exp(-C / beta) each time, which underflows.

    Args:
        epsilon: beta, the weight of the KL divergence from the previous plan.
    """
    log_mu, log_nu = mu.log(), nu.log()
    log_plan = log_mu[:, :, None] + log_nu[:, None, :]  # (B, N, M), -inf on padding
    kernel = -cost / epsilon
    real_a, real_b = log_mu.isfinite(), log_nu.isfinite()
    f, g, beta = torch.zeros_like(log_mu), torch.zeros_like(log_nu), torch.zeros_like(log_nu)
    for _ in range(iterations):
        log_plan = log_plan + kernel
        alpha = torch.where(real_a, log_mu - torch.logsumexp(log_plan + beta[:, None, :], dim=2), 0.0)
        beta = torch.where(real_b, log_nu - torch.logsumexp(log_plan + alpha[:, :, None], dim=1), 0.0)
        log_plan = log_plan + alpha[:, :, None] + beta[:, None, :]
        f, g = f + alpha, g + beta
    # The plan is that of entropic transport with epsilon = beta / iterations.
    taken = torch.full((len(cost),), iterations, device=cost.device)
    return log_plan.exp(), Potentials(f * epsilon / iterations, g * epsilon / iterations, taken)


def exact(cost: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials without entropy, by POT's network simplex (Bonneel et al. 2011), pair by pair.

    In double precision on the CPU, whatever the device.
    """
    import ot

    numbers = [side.double().cpu().numpy() for side in (cost, mu, nu)]
    solved = [np.zeros_like(side) for side in numbers]
    # In NumPy throughout: an indexing by torch takes as long as the solution of a short sentence.
    for c, a, b, plan, f, g in zip(*numbers, *solved, strict=True):
        rows, columns = a.nonzero()[0], b.nonzero()[0]
        a, b = a[rows] / a.sum(), b[columns] / b.sum()
        # Neither check nor centring, for the same reason.
        inner, log = ot.emd(a, b, c[rows][:, columns], log=True, center_dual=False, check_marginals=False)
        plan[np.ix_(rows, columns)], f[rows], g[columns] = inner, log["u"], log["v"]
    plans, fs, gs = (torch.from_numpy(side).to(cost) for side in solved)
    return plans, Potentials(fs, gs, torch.zeros(len(cost), dtype=torch.long, device=cost.device))
