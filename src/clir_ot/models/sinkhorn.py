"""Sinkhorn's algorithm for a batch of masked problems: stabilised kernel, falling epsilon, over-relaxation, early stop.

B pairs, N teacher tokens (side a), M student tokens (side b).
"""

from typing import NamedTuple

import torch

_STAGES = 3
"""Values of epsilon before the target's, one iteration each, falling geometrically from a pair's largest cost."""
_BLOCK = 10
"""Iterations on one kernel, after which it is stabilised anew, and the pairs that have converged leave."""
_RELAXATION = 1.5
"""Over-relaxation; at 1 Sinkhorn's own steps. Thibault et al. 2021 prove local convergence below 2."""
_TINY, _HUGE = 1e-18, 1e18
"""Bounds of scalings: their products with each other and with a kernel of at most 1 are normal float32 numbers."""
_NEGLIGIBLE = -70.0
"""Log of the least kernel entry: below float32's normal range, and for exp(-inf), a CPU takes ten times as long."""


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


class _Problems(NamedTuple):
    """Those pairs that have not converged; f, g, relaxation and residual are where they stand."""

    cost: torch.Tensor  # (B, N, M)
    mu: torch.Tensor  # (B, N, 1)
    nu: torch.Tensor  # (B, 1, M)
    scale: torch.Tensor  # (B, 1, 1), the epsilon to fall from
    f: torch.Tensor  # (B, N, 1)
    g: torch.Tensor  # (B, 1, M)
    relaxation: torch.Tensor  # (B, 1, 1)
    residual: torch.Tensor  # (B, 1, 1)


def sinkhorn(
    cost: torch.Tensor,
    mu: torch.Tensor,
    nu: torch.Tensor,
    epsilon: float,
    iterations: int,
    tolerance: float,
    unbalanced: float | None,
) -> tuple[torch.Tensor, Potentials]:
    """Plan (B, N, M) and potentials of min <P, C> + epsilon KL(P | mu nu^T) over couplings P (Cuturi 2013).

    Or, where unbalanced, over all P >= 0, with rho KL(P 1 | mu) + rho KL(P^T 1 | nu) added (Chizat et al. 2018).

    Epsilon falls from each pair's own largest cost. A pair whose residual is below the tolerance is taken out of the
    batch, so that its result does not depend on how long its batchmates take. Over-relaxation (Thibault, Chizat, Dossal
    & Papadakis 2021) is given up for a pair whose residual grows. The plan's marginal mu is met exactly, nu to about
    the tolerance.

    Args:
        cost: (B, N, M) float, finite, 0 on padding.
        mu, nu: (B, N), (B, M), the marginals, 0 where there is no token.
        epsilon: in units of the cost.
        iterations: at most.
        tolerance: L1 norm of the change of the plan's marginal, at which a pair is done.
        unbalanced: rho.
    """
    mu, nu = mu[:, :, None], nu[:, None, :]
    scale = cost.abs().amax(dim=(1, 2), keepdim=True).clamp_min(epsilon)
    far_a, far_b = (torch.where(side > 0, 0.0, 4 * scale) for side in (mu, nu))
    left = _Problems(
        cost=cost + far_a + far_b,  # so that no minimum over tokens is one of padding
        mu=mu,
        nu=nu,
        scale=scale,
        f=torch.zeros_like(mu),
        g=torch.zeros_like(nu),
        relaxation=torch.full_like(scale, 1.0 if unbalanced else _RELAXATION),
        residual=torch.full_like(scale, torch.inf),
    )
    plan, f, g = torch.zeros_like(cost), torch.zeros_like(mu), torch.zeros_like(nu)
    active = torch.arange(len(cost), device=cost.device)
    taken = torch.zeros_like(active)
    done, stages = 0, min(_STAGES, iterations - 1)
    while len(active):
        last_stage = done >= stages
        steps = min(_BLOCK, iterations - done) if last_stage else 1
        eps = epsilon * (left.scale / epsilon) ** (0.0 if last_stage else 1 - done / stages)
        before = left.residual
        found, left = _scale(left, eps, steps) if unbalanced is None else _damp(left, eps, steps, unbalanced)
        done += steps
        if not last_stage:
            left = left._replace(residual=before)  # that of another epsilon
            continue
        left = left._replace(relaxation=left.relaxation.where(left.residual < before, 1.0))
        finished = (left.residual[:, 0, 0] <= tolerance) | (done == iterations)
        at = finished.nonzero()[:, 0]  # one synchronisation with the device a block
        if len(at):
            rows = active[at]
            plan[rows], f[rows], g[rows], taken[rows] = found[at], left.f[at], left.g[at], done
            going = (~finished).nonzero()[:, 0]
            active, left = active[going], _Problems(*(part[going] for part in left))
    return plan, Potentials(f[:, :, 0], g[:, 0, :], taken)


def _scale(problems: _Problems, eps: torch.Tensor, steps: int) -> tuple[torch.Tensor, _Problems]:
    """Iterations for hard marginals: the plan (B, N, M), and the problems with new potentials.

    Between two logs an iteration is two products of a matrix and a vector. For the kernel not to overflow or vanish,
    potentials are absorbed into it (Schmitzer 2019, section 3.1): not those of the last block but their c-transforms,
    with which the kernel is at most mu_i nu_j everywhere and just that somewhere in every row and every column.
    """
    cost, mu, nu, _, f, _, relaxation, _ = problems
    g_held = torch.where(nu > 0, (cost - f).amin(dim=1, keepdim=True), 0.0)  # (B, 1, M)
    f_held = torch.where(mu > 0, (cost - g_held).amin(dim=2, keepdim=True), 0.0)  # (B, N, 1)
    kernel = (f_held / eps + mu.log()) + (g_held / eps + nu.log())  # (B, N, M)
    kernel = kernel.addcmul_(cost, -1 / eps).clamp_min_(_NEGLIGIBLE).exp_()
    # Scalings: potentials are f_held + eps log a, g_held + eps log b.
    a = ((f - f_held) / eps).exp().clamp_(_TINY, _HUGE)
    b, product, least = torch.ones_like(nu), torch.empty_like(kernel), torch.finfo(kernel.dtype).tiny
    for step in range(steps):
        # A row times a matrix: several times faster on a CPU than a transposed matrix times a column.
        exact = (nu / (a.mT @ kernel).clamp_min_(least)).clamp_(_TINY, _HUGE)
        b = _relax(b, exact, relaxation) if step else exact
        rows = torch.mul(kernel, b, out=product).sum(dim=2, keepdim=True)
        exact = (mu / rows.clamp_min_(least)).clamp_(_TINY, _HUGE)
        if step < steps - 1:
            a = _relax(a, exact, relaxation)
    residual = (mu * (a / exact - 1).abs()).sum(dim=1, keepdim=True)
    f = torch.where(mu > 0, f_held + eps * exact.log(), 0.0)
    g = torch.where(nu > 0, g_held + eps * b.log(), 0.0)
    return kernel.mul_(b).mul_(exact), problems._replace(f=f, g=g, residual=residual)


def _relax(scaling: torch.Tensor, exact: torch.Tensor, relaxation: torch.Tensor) -> torch.Tensor:
    return ((exact / scaling).pow_(relaxation).mul_(scaling)).clamp_(_TINY, _HUGE)


def _damp(problems: _Problems, eps: torch.Tensor, steps: int, rho: float) -> tuple[torch.Tensor, _Problems]:
    """Iterations for soft marginals, as `_scale`, but in logs: damped scalings would leave the range of float32.

    Moving a constant from f to g, which damping does by rho / (rho + eps) at a time, is done at once (Sejourne, Vialard
    & Peyre 2022, proposition 2).
    """
    cost, mu, nu, _, f, g, _, _ = problems
    damping = rho / (rho + eps)  # Chizat et al. 2018, table 1
    log_mu, log_nu = mu.log(), nu.log()
    for _ in range(steps):
        before = g
        f = -damping * eps * torch.logsumexp((g - cost) / eps + log_nu, dim=2, keepdim=True)
        g = -damping * eps * torch.logsumexp((f - cost) / eps + log_mu, dim=1, keepdim=True)
        over_f = torch.logsumexp(log_mu - f / rho, dim=1, keepdim=True)
        shift = (over_f - torch.logsumexp(log_nu - g / rho, dim=2, keepdim=True)) * rho / 2
        f, g = f + shift, g - shift
    plan = ((f + g - cost) / eps + log_mu + log_nu).exp()
    change = ((before - g) / eps).expm1().abs().clamp_max(1.0)
    residual = (plan.sum(dim=1, keepdim=True) * change).sum(dim=2, keepdim=True)
    return plan, problems._replace(f=f, g=g, residual=residual)
