"""Every solver against POT's network simplex and POT's Sinkhorn."""

import numpy as np
import ot
import pytest
import torch
import torch.nn.functional as F

from clir_ot.models.transport import solve_transport, token_cost, transport_plan

SOLVERS = ["sinkhorn", "geomloss", "ipot", "exact"]


def exact_values(cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor, unpadded) -> np.ndarray:
    return np.array([ot.emd2(ot.unif(len(c)), ot.unif(len(c[0])), c) for c in unpadded(cost, mask_a, mask_b)])


def test_a_thousand_random_problems_are_within_a_percent_of_exact_transport(unpadded) -> None:
    chance = torch.Generator().manual_seed(0)
    errors = []
    for dimensions in (16, 32, 64, 128):
        lengths = torch.randint(1, 65, (2, 250, 1), generator=chance)
        mask_a, mask_b = (torch.arange(64) < n for n in lengths)
        teacher, student = (F.normalize(torch.randn(250, 64, dimensions, generator=chance), dim=-1) for _ in "ab")
        cost = token_cost(teacher, student, mask_a, mask_b)
        result = solve_transport(cost, mask_a, mask_b)
        errors.append(np.abs(result.value.numpy() / exact_values(cost, mask_a, mask_b, unpadded) - 1))
        assert (result.plan.sum(2) - mask_a / lengths[0]).abs().max() < 1e-6
        assert (result.plan.sum(1) - mask_b / lengths[1]).abs().max() < 1e-6
    assert np.mean(errors) < 0.01
    assert np.max(errors) < 0.03


@pytest.mark.parametrize(
    ("solver", "mean", "worst"),
    [("sinkhorn", 0.01, 0.03), ("geomloss", 0.01, 0.03), ("ipot", 0.01, 0.03), ("exact", 1e-6, 1e-6)],
)
def test_every_solver_agrees_with_exact_transport(sides, unpadded, solver: str, mean: float, worst: float) -> None:
    teacher, student, mask_a, mask_b = sides(0, pairs=40, dimensions=32, longest=20)
    cost = token_cost(teacher, student, mask_a, mask_b)
    result = solve_transport(cost, mask_a, mask_b, solver=solver)
    error = np.abs(result.value.numpy() / exact_values(cost, mask_a, mask_b, unpadded) - 1)
    assert error.mean() < mean
    assert error.max() < worst
    assert result.plan.min() >= 0
    assert result.plan[~(mask_a[:, :, None] & mask_b[:, None, :])].abs().max() == 0
    assert torch.allclose(result.plan.sum(2), mask_a / mask_a.sum(1, keepdim=True), atol=1e-6)
    assert torch.allclose(result.plan.sum(1), mask_b / mask_b.sum(1, keepdim=True), atol=1e-6)


def test_the_exact_plan_is_pots_and_its_potentials_are_dual(sides, unpadded) -> None:
    teacher, student, mask_a, mask_b = sides(1, dtype=torch.float64)
    cost = token_cost(teacher, student, mask_a, mask_b)
    result = solve_transport(cost, mask_a, mask_b, solver="exact")
    plans = unpadded(result.plan, mask_a, mask_b)
    for plan, c in zip(plans, unpadded(cost, mask_a, mask_b), strict=True):
        assert np.allclose(plan, ot.emd(ot.unif(len(c)), ot.unif(len(c[0])), c), atol=1e-12)
    real = mask_a[:, :, None] & mask_b[:, None, :]
    slack = cost - result.potential_a[:, :, None] - result.potential_b[:, None, :]
    assert slack[real].min() > -1e-9
    assert (result.plan * slack).sum() < 1e-9
    assert result.residual_a.max() < 1e-9


@pytest.mark.parametrize("epsilon", [0.02, 0.1, 0.5])
def test_sinkhorn_equals_geomloss_and_pots_at_convergence(sides, unpadded, epsilon: float) -> None:
    teacher, student, mask_a, mask_b = sides(2, dtype=torch.float64)
    cost = token_cost(teacher, student, mask_a, mask_b)
    ours = transport_plan(cost, mask_a, mask_b, epsilon=epsilon, iterations=20_000, tolerance=1e-11)
    # geomloss stretches its descent of epsilon over all iterations, and nears the solution as one over their number.
    theirs = transport_plan(cost, mask_a, mask_b, solver="geomloss", epsilon=epsilon, iterations=3000)
    assert torch.allclose(ours, theirs, atol=1e-3)
    for plan, c in zip(unpadded(ours, mask_a, mask_b), unpadded(cost, mask_a, mask_b), strict=True):
        expected = ot.sinkhorn(
            ot.unif(len(c)), ot.unif(len(c[0])), c, epsilon, method="sinkhorn_log", stopThr=1e-12, numItermax=20_000
        )
        assert np.allclose(plan, expected, atol=1e-6)


@pytest.mark.parametrize("solver", ["sinkhorn", "geomloss"])
@pytest.mark.parametrize(("epsilon", "rho"), [(0.1, 0.05), (0.1, 0.5), (0.05, 2.0)])
def test_unbalanced_transport_equals_pots(sides, unpadded, solver: str, epsilon: float, rho: float) -> None:
    teacher, student, mask_a, mask_b = sides(3, dtype=torch.float64)
    cost = token_cost(teacher, student, mask_a, mask_b)
    options = {"tolerance": 1e-10} if solver == "sinkhorn" else {}
    plan = transport_plan(
        cost, mask_a, mask_b, solver=solver, epsilon=epsilon, unbalanced=rho, iterations=2000, **options
    )
    for found, c in zip(unpadded(plan, mask_a, mask_b), unpadded(cost, mask_a, mask_b), strict=True):
        a, b = ot.unif(len(c)), ot.unif(len(c[0]))
        # KL(P | a b^T), and KL of both marginals: the same objective.
        expected = ot.unbalanced.sinkhorn_unbalanced(a, b, c, epsilon, rho, numItermax=20_000, stopThr=1e-14)
        assert np.allclose(found, expected, atol=1e-6 if solver == "sinkhorn" else 1e-3)


def test_unbalanced_transport_leaves_out_what_has_no_counterpart() -> None:
    # Two tokens match exactly, the third is far from both.
    cost, masks = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]]), (torch.ones(1, 3), torch.ones(1, 2))
    result = solve_transport(cost, *(mask.bool() for mask in masks), unbalanced=0.1)
    moved = result.plan.sum(2)[0]
    assert moved[2] < 0.01 * moved[0]
    assert result.residual_a[0] > 0.3


def test_unbalanced_default_is_near_its_converged_solution(sides) -> None:
    teacher, student, mask_a, mask_b = sides(4, pairs=20, dimensions=64)
    cost = token_cost(teacher, student, mask_a, mask_b)
    for rho in (0.1, 0.5, 2.0):
        found = solve_transport(cost, mask_a, mask_b, unbalanced=rho)
        best = solve_transport(cost.double(), mask_a, mask_b, unbalanced=rho, tolerance=1e-9, iterations=5000)
        assert torch.allclose(found.value.double(), best.value, rtol=0.03, atol=1e-5)
