"""Optimal transport between the tokens of two sentences, batched and masked.

B pairs, N teacher tokens (side a), M student tokens (side b), D dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack

import torch
import torch.nn.functional as F

from clir_ot.models.sinkhorn import Potentials, sinkhorn
from clir_ot.models.solvers import exact, geomloss, ipot

Solver = Literal["sinkhorn", "geomloss", "ipot", "exact"]
Cost = Literal["cosine", "sqeuclidean"]

SOLVER_DEFAULTS: dict[str, dict[str, Any]] = {
    "sinkhorn": {"epsilon": 0.005, "iterations": 500, "tolerance": 1e-2, "unbalanced": None},
    "geomloss": {"epsilon": 0.005, "iterations": 500, "unbalanced": None},
    "ipot": {"epsilon": 0.1, "iterations": 100},
    "exact": {},
}
"""What each solver takes, and what it gets when nothing is said."""

_SOLVERS: dict[str, Callable[..., tuple[torch.Tensor, Potentials]]] = {
    "sinkhorn": sinkhorn,
    "geomloss": geomloss,
    "ipot": ipot,
    "exact": exact,
}
"""(cost, mu, nu, **settings) -> plan, potentials; all of the part of the batch in which there are tokens."""


class SolverOptions(TypedDict, total=False):
    """Keyword arguments of `solve_transport`, `transport_plan` and `transport_loss`.

    An option that the solver does not take is refused; None means its default (`SOLVER_DEFAULTS`).

    Attributes:
        solver: `sinkhorn`, the default: within 1 % of exact transport for the least time. `geomloss`: the library's,
            to compare with. `ipot`: proximal steps towards exact transport (Xie et al. 2019). `exact`: network simplex
            on the CPU, the truth to measure the others by.
        epsilon: weight of the entropy, in units of the cost; larger plans are softer. For `ipot` the proximal step.
        iterations: at most, for `sinkhorn`; exactly, for the others.
        tolerance: L1 change of a marginal, of total mass 1, in an iteration of `sinkhorn` at which it stops.
        unbalanced: weight of KL divergences from the marginals instead of hard ones, in units of the cost. For
            sentences of which one side says more: its surplus tokens may stay unmatched. About 0.1 to 1.
        weights_a: (B, N), relative masses, at least 0, of tokens; default equal. What padding holds is ignored.
        weights_b: (B, M), likewise.
    """

    solver: Solver
    epsilon: float | None
    iterations: int | None
    tolerance: float | None
    unbalanced: float | None
    weights_a: torch.Tensor | None
    weights_b: torch.Tensor | None


@dataclass(frozen=True)
class TransportResult:
    """Solutions of a batch of problems. All but `value` are detached.

    Attributes:
        plan: (B, N, M) float32 (float64 for a float64 cost); 0 on padding. Hard marginals hold to rounding error: what
            the solver leaves over is spread as Altschuler et al. 2017 (algorithm 2) do.
        potential_a, potential_b: (B, N), (B, M), dual solution in units of the cost; 0 on padding.
        value: (B,) <P, C>, the transport cost without entropy. Its gradient is that of the cost under the fixed plan
            (envelope theorem; Danskin): only C carries it.
        residual_a, residual_b: (B,) L1 distances between the marginals and those of the solver's plan before rounding:
            how far from converged it was, or how much unbalanced transport left out. `sinkhorn` meets side a's.
        iterations: (B,) int64, that each pair took.
    """

    plan: torch.Tensor
    potential_a: torch.Tensor
    potential_b: torch.Tensor
    value: torch.Tensor
    residual_a: torch.Tensor
    residual_b: torch.Tensor
    iterations: torch.Tensor


def token_cost(
    teacher: torch.Tensor, student: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor, cost: Cost = "cosine"
) -> torch.Tensor:
    """Cost of moving teacher tokens to student tokens: (B, N, D), (B, M, D) -> (B, N, M), at least float32.

    `cosine`: 1 - cos(H_i, G_j) (OPTICAL, eq. 5). `sqeuclidean`: |H_i - G_j|^2, for vectors whose length means
    something; for unit vectors it is twice the cosine distance, so the same plan needs twice the epsilon.

    Vectors on padding are replaced by zeros first: whatever they hold reaches neither the cost nor, as NaN times
    zero, the gradient.
    """
    return cost_of_points(as_points(teacher, mask_a, cost), as_points(student, mask_b, cost), cost)


def as_points(vectors: torch.Tensor, mask: torch.Tensor, cost: Cost) -> torch.Tensor:
    """The part of `token_cost` that is of one side alone, (B, N, D): zeros on padding, unit length for `cosine`."""
    with torch.autocast(vectors.device.type, enabled=False):
        masked = _at_least_float32(vectors).masked_fill(~mask[..., None], 0.0)
        return F.normalize(masked, dim=-1) if cost == "cosine" else masked


def cost_of_points(a: torch.Tensor, b: torch.Tensor, cost: Cost) -> torch.Tensor:
    """The part of `token_cost` that is of both sides: (B, N, D), (B, M, D) -> (B, N, M)."""
    with torch.autocast(a.device.type, enabled=False):
        if cost == "cosine":
            return 1 - a @ b.mT
        return a.square().sum(-1)[:, :, None] + b.square().sum(-1)[:, None, :] - 2 * a @ b.mT


def solve_transport(
    cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor, **options: Unpack[SolverOptions]
) -> TransportResult:
    """Solve min over couplings P of <P, C> + epsilon KL(P | mu nu^T).

    mu and nu are the normalised weights of the real tokens. Each pair's solution depends on its own real tokens only,
    not on its batchmates or the padding. Gradient mode, autocast and random numbers are left as found.

    Args:
        cost: (B, N, M); values on padding are ignored, NaN too.
        mask_a: (B, N) bool, True on real tokens; at least one a row.
        mask_b: (B, M) bool, likewise.
        **options: see `SolverOptions`.

    Raises:
        ValueError: an option out of range, unknown, or not the solver's; a pair with an empty side or a cost that is
            not finite (names the row).
    """
    weights = options.pop("weights_a", None), options.pop("weights_b", None)
    solver, settings = solver_settings(**options)
    with torch.autocast(cost.device.type, enabled=False):
        padding = ~(mask_a[:, :, None] & mask_b[:, None, :])
        cost = _at_least_float32(cost).masked_fill(padding, 0.0)
        with torch.no_grad():
            fixed = cost.detach()
            mu, nu = marginal(mask_a, weights[0], fixed), marginal(mask_b, weights[1], fixed)
            _check(fixed, mu, nu)
            rows, columns = _used(mu), _used(nu)
            used, mu_used, nu_used = fixed[:, rows, columns].contiguous(), mu[:, rows], nu[:, columns]
            solved, potentials = _SOLVERS[solver](used, mu_used, nu_used, **settings)
            residual_a, residual_b = (solved.sum(2) - mu_used).abs().sum(1), (solved.sum(1) - nu_used).abs().sum(1)
            if settings.get("unbalanced") is None:
                solved = _round(solved, mu_used, nu_used)
            plan, f, g = torch.zeros_like(fixed), torch.zeros_like(mu), torch.zeros_like(nu)
            plan[:, rows, columns], f[:, rows], g[:, columns] = solved, potentials.f, potentials.g
            f, g = f.masked_fill(~mask_a, 0.0), g.masked_fill(~mask_b, 0.0)
        value = (plan * cost).sum(dim=(1, 2))
    return TransportResult(plan, f, g, value, residual_a, residual_b, potentials.iterations)


def transport_plan(
    cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor, **options: Unpack[SolverOptions]
) -> torch.Tensor:
    """The couplings alone, (B, N, M); arguments and errors as in `solve_transport`."""
    return solve_transport(cost, mask_a, mask_b, **options).plan


def transport_values(
    teacher: torch.Tensor,
    student: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    cost: Cost = "cosine",
    debiased: bool = False,
    **options: Unpack[SolverOptions],
) -> tuple[torch.Tensor, TransportResult]:
    """(B,) <stopgrad(P*), C> of every pair, and the couplings; arguments and errors as in `transport_loss`."""
    result = solve_transport(token_cost(teacher, student, mask_a, mask_b, cost), mask_a, mask_b, **options)
    values = result.value
    if debiased:
        weights = options.get("weights_a"), options.get("weights_b")
        for side, mask, mass in zip((teacher, student), (mask_a, mask_b), weights, strict=True):
            options["weights_a"] = options["weights_b"] = mass
            itself = token_cost(side, side, mask, mask, cost)
            values = values - solve_transport(itself, mask, mask, **options).value / 2
    return values, result


def transport_loss(
    teacher: torch.Tensor,
    student: torch.Tensor,
    mask_a: torch.Tensor,
    mask_b: torch.Tensor,
    *,
    cost: Cost = "cosine",
    debiased: bool = False,
    **options: Unpack[SolverOptions],
) -> torch.Tensor:
    """Mean over pairs of <stopgrad(P*), C> (OPTICAL, eq. 6-7), a scalar, at least float32.

    Args:
        teacher: (B, N, D) token vectors of the English sentences.
        student: (B, M, D) token vectors of their translations; carries the gradient.
        mask_a, mask_b: as in `solve_transport`.
        cost: `cosine` or `sqeuclidean`, see `token_cost`.
        debiased: subtract half of each side's transport to itself; the gradient is that of the Sinkhorn divergence
            (Feydy et al. 2019, eq. 3). For a large epsilon, whose blurred plan pulls all of a sentence's tokens towards
            their mean; at the default epsilon it changes little and costs two more solves.
        **options: as in `solve_transport`, whose errors apply.
    """
    values, _ = transport_values(teacher, student, mask_a, mask_b, cost=cost, debiased=debiased, **options)
    return values.mean()


def solver_settings(**options: Unpack[SolverOptions]) -> tuple[str, dict[str, Any]]:
    """The solver and all its settings, checked.

    Raises:
        ValueError: as `solve_transport`.
    """
    solver = options.get("solver", "sinkhorn")
    if solver not in SOLVER_DEFAULTS:
        raise ValueError(f"solver {solver!r} is unknown; known: {', '.join(SOLVER_DEFAULTS)}")
    given: dict[str, Any] = {name: v for name, v in options.items() if name != "solver" and v is not None}
    defaults = SOLVER_DEFAULTS[solver]
    if foreign := sorted(given.keys() - defaults.keys()):
        known = ", ".join(defaults) or "no option"
        raise ValueError(f"solver {solver} takes no {foreign[0]} (it takes {known}); leave it out")
    settings = {**defaults, **given}
    for name in ("epsilon", "tolerance", "unbalanced"):
        if (value := settings.get(name)) is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} is {value}; it must be above 0")
    if (count := settings.get("iterations")) is not None and count < 1:
        raise ValueError(f"iterations is {count}; it must be at least 1")
    return solver, settings


def _round(plan: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor) -> torch.Tensor:
    """The plan with exactly the marginals mu and nu (Altschuler, Weed & Rigollet 2017, algorithm 2)."""
    tiny = torch.finfo(plan.dtype).tiny
    plan = plan * (mu / plan.sum(2).clamp_min(tiny)).clamp_max(1.0)[:, :, None]
    plan = plan * (nu / plan.sum(1).clamp_min(tiny)).clamp_max(1.0)[:, None, :]
    # What is missing, at least 0 but for rounding error.
    left_a, left_b = (mu - plan.sum(2)).clamp_min(0.0), (nu - plan.sum(1)).clamp_min(0.0)
    return plan + left_a[:, :, None] * left_b[:, None, :] / left_b.sum(1).clamp_min(tiny)[:, None, None]


def _check(cost: torch.Tensor, mu: torch.Tensor, nu: torch.Tensor) -> None:
    # The weights of an empty side add up to 0, and 0 / 0 is NaN.
    empty_a, empty_b = (~side.isfinite().all(dim=1) for side in (mu, nu))
    broken = ~cost.abs().amax(dim=(1, 2)).isfinite()
    if not (empty_a | empty_b | broken).any():  # a synchronisation with the device
        return
    for wrong, what in (
        (empty_a, "has no real token with mass on side a, or a weight that is negative or not finite"),
        (empty_b, "has no real token with mass on side b, or a weight that is negative or not finite"),
        (broken, "has a cost that is not finite: NaN or infinite token vectors"),
    ):
        if len(rows := wrong.nonzero()):
            raise ValueError(f"pair {int(rows[0])} {what}")


def marginal(mask: torch.Tensor, weights: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """Normalised weights of the real tokens, (B, N) in the type of `like`; equal by default, 0 on padding.

    NaN in a row whose weights are negative, not finite, or all 0: `solve_transport` names it.
    """
    weights = mask.to(like.dtype) if weights is None else weights.to(like.dtype).masked_fill(~mask, 0.0)
    weights = weights.where(weights >= 0, torch.nan)
    return weights / weights.sum(dim=1, keepdim=True)


def _used(marginal: torch.Tensor) -> slice:
    """From the first to the last token with mass in any pair: padding and prefixes around them need no work."""
    at = (marginal > 0).any(dim=0).nonzero()
    return slice(int(at[0]), int(at[-1]) + 1)


def _at_least_float32(values: torch.Tensor) -> torch.Tensor:
    return values if values.dtype == torch.float64 else values.float()
