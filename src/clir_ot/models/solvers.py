"""The other solvers, to check Sinkhorn by and for methods that ask for them: geomloss, IPOT and POT's network simplex.

All take a cost that is finite and 0 on padding, and logs of the marginals, -inf on padding.
B pairs, N teacher tokens (side a), M student tokens (side b).
"""

import numpy as np
import torch

from clir_ot.models.sinkhorn import Potentials

GEOMLOSS_LARGEST_COST = 4.0
"""Squared distance of opposite unit vectors."""


def geomloss(
    cost: torch.Tensor,
    log_mu: torch.Tensor,
    log_nu: torch.Tensor,
    epsilon: float,
    iterations: int,
    unbalanced: float | None,
) -> Potentials:
    """Potentials by `geomloss.ot.solve_batch`: symmetrised Sinkhorn with annealing (Feydy 2020, section 3.3).

    The library lets epsilon fall from the batch's largest cost difference, so that a pair's plan would depend on its
    batchmates. Two tokens without mass, one at cost 0 and one at the largest possible cost from everything, make that
    difference the same for every batch. Only the potentials are taken: the library's plan is 0 * inf on padding, and
    twice its value's gradient is right.

    Raises:
        ValueError: a cost outside [0, 4].
    """
    from geomloss.ot import solve_batch

    if (wrong := ((cost < 0) | (cost > GEOMLOSS_LARGEST_COST)).any(dim=2).any(dim=1)).any():
        raise ValueError(f"pair {int(wrong.nonzero()[0])} has costs outside [0, 4], which solver geomloss needs")
    empty = cost.new_tensor([0.0, GEOMLOSS_LARGEST_COST])[None, :, None].expand(len(cost), 2, cost.shape[2])
    mu = torch.cat([log_mu.exp(), log_mu.new_zeros(len(cost), 2)], dim=1)
    found = solve_batch(
        torch.cat([cost, empty], dim=1), a=mu, b=log_nu.exp(), reg=epsilon, max_iter=iterations, unbalanced=unbalanced
    )
    taken = torch.full((len(cost),), iterations, device=cost.device)
    return Potentials(found.potential_a[:, :-2], found.potential_b, taken)


def ipot(
    cost: torch.Tensor, log_mu: torch.Tensor, log_nu: torch.Tensor, step: float, iterations: int
) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials of exact transport by proximal point steps (Xie et al. 2019, algorithm 1, L = 1).

    In logs, where the paper multiplies by exp(-C / beta) each time, which underflows.

    Args:
        step: beta, the weight of the KL divergence from the previous plan.
    """
    log_plan = log_mu[:, :, None] + log_nu[:, None, :]  # (B, N, M), -inf on padding
    kernel = -cost / step
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
    return log_plan.exp(), Potentials(f * step / iterations, g * step / iterations, taken)


def exact(cost: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials without entropy, by POT's network simplex (Bonneel et al. 2011), pair by pair.

    In double precision on the CPU, whatever the device.
    """
    import ot

    plan, f, g = torch.zeros_like(cost), torch.zeros_like(mu), torch.zeros_like(nu)
    numbers = [tensor.double().cpu().numpy() for tensor in (cost, mu, nu)]
    for row, (c, a, b) in enumerate(zip(*numbers, strict=True)):
        rows, columns = a.nonzero()[0], b.nonzero()[0]
        inner = np.ascontiguousarray(c[np.ix_(rows, columns)])
        a, b = a[rows] / a.sum(), b[columns] / b.sum()
        solved, log = ot.emd(a, b, inner, log=True)
        at = torch.from_numpy(rows).to(cost.device), torch.from_numpy(columns).to(cost.device)
        plan[row, at[0][:, None], at[1]] = torch.from_numpy(solved).to(plan)
        f[row, at[0]], g[row, at[1]] = torch.from_numpy(log["u"]).to(f), torch.from_numpy(log["v"]).to(g)
    return plan, Potentials(f, g, torch.zeros(len(cost), dtype=torch.long, device=cost.device))
