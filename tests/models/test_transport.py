"""Transport against POT's network simplex, POT's Sinkhorn and finite differences."""

import numpy as np
import ot
import pytest
import torch

from clir_ot.models.transport import solve_transport, token_cost, transport_loss, transport_plan


def problem(seed: int, pairs: int = 6, dimensions: int = 16, longest: int = 12):
    """Random unit vectors of unequal lengths, padded with garbage."""
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (2, pairs), generator=chance)
    sides = [
        torch.nn.functional.normalize(torch.randn(pairs, longest, dimensions, generator=chance), dim=-1)
        for _ in range(2)
    ]
    masks = [torch.arange(longest)[None, :] < n[:, None] for n in lengths]
    for side, mask in zip(sides, masks, strict=True):
        side[~mask] = torch.nan
    return *sides, *masks


def unpadded(cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor):
    for pair, rows, columns in zip(cost, mask_a, mask_b, strict=True):
        yield pair[rows][:, columns].double().numpy()


@pytest.mark.parametrize("seed", range(8))
def test_value_is_within_a_few_percent_of_exact_transport(seed: int) -> None:
    teacher, student, mask_a, mask_b = problem(seed)
    cost = token_cost(teacher, student, mask_a, mask_b)
    result = solve_transport(cost, mask_a, mask_b)
    exact = [ot.emd2(ot.unif(len(c)), ot.unif(len(c[0])), c) for c in unpadded(cost, mask_a, mask_b)]
    assert np.allclose(result.value, exact, rtol=0.03)
    assert result.residual.max() < 0.1
    # More iterations bring the marginals as near as one likes.
    assert solve_transport(cost, mask_a, mask_b, iterations=1000).residual.max() < 1e-3


def test_plan_equals_pots_sinkhorn_at_convergence() -> None:
    teacher, student, mask_a, mask_b = problem(0)
    cost = token_cost(teacher, student, mask_a, mask_b)
    plan = transport_plan(cost, mask_a, mask_b, epsilon=0.1, iterations=500)
    for pair, c, rows, columns in zip(plan, unpadded(cost, mask_a, mask_b), mask_a, mask_b, strict=True):
        expected = ot.sinkhorn(ot.unif(len(c)), ot.unif(len(c[0])), c, 0.1, stopThr=1e-12, numItermax=10_000)
        assert np.allclose(pair[rows][:, columns], expected, atol=1e-6)


def test_plan_is_zero_on_padding_and_meets_the_marginals() -> None:
    teacher, student, mask_a, mask_b = problem(1)
    plan = transport_plan(token_cost(teacher, student, mask_a, mask_b), mask_a, mask_b, iterations=200)
    assert torch.isfinite(plan).all()
    assert plan[~(mask_a[:, :, None] & mask_b[:, None, :])].abs().max() == 0
    assert torch.allclose(plan.sum(1), mask_b / mask_b.sum(1, keepdim=True), atol=1e-5)
    assert torch.allclose(plan.sum(2), mask_a / mask_a.sum(1, keepdim=True), atol=1e-3)


def test_a_pair_does_not_depend_on_its_batchmates_or_padding() -> None:
    teacher, student, mask_a, mask_b = problem(2)
    together = solve_transport(token_cost(teacher, student, mask_a, mask_b), mask_a, mask_b).value
    for pair in range(len(together)):
        n, m = int(mask_a[pair].sum()), int(mask_b[pair].sum())
        sides = teacher[pair : pair + 1, :n], student[pair : pair + 1, :m]
        masks = mask_a[pair : pair + 1, :n], mask_b[pair : pair + 1, :m]
        alone = solve_transport(token_cost(*sides, *masks), *masks).value
        assert torch.allclose(alone, together[pair], atol=1e-6)


def test_gradient_is_that_of_the_cost_under_the_fixed_plan() -> None:
    teacher, student, mask_a, mask_b = problem(3, pairs=3, dimensions=5, longest=4)
    student = student.nan_to_num(0.5).requires_grad_()
    transport_loss(teacher, student, mask_a, mask_b).backward()
    assert student.grad is not None
    plan = transport_plan(token_cost(teacher, student.detach(), mask_a, mask_b), mask_a, mask_b).double()

    def value(vectors: torch.Tensor) -> torch.Tensor:
        # <P, C> in double precision with P held, written out once more.
        units = vectors / vectors.norm(dim=-1, keepdim=True)
        cost = 1 - torch.einsum("bnd,bmd->bnm", teacher.nan_to_num(0.0).double(), units)
        return (plan * cost).sum(dim=(1, 2)).mean()

    point, step = student.detach().double(), 1e-6
    for index in np.ndindex(*point.shape):
        up, down = point.clone(), point.clone()
        up[index] += step
        down[index] -= step
        slope = (value(up) - value(down)) / (2 * step)
        assert abs(float(slope) - float(student.grad[index])) < 1e-4
    assert student.grad[~mask_b].abs().max() == 0


def test_one_token_sides_carry_all_mass() -> None:
    plan = transport_plan(torch.rand(2, 1, 3), torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool))
    assert torch.allclose(plan, torch.full((2, 1, 3), 1 / 3))


def test_bfloat16_autocast_changes_nothing() -> None:
    teacher, student, mask_a, mask_b = problem(4)
    expected = transport_loss(teacher, student, mask_a, mask_b)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        found = transport_loss(teacher, student, mask_a, mask_b)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("options", "named"),
    [({"epsilon": 0.0}, "epsilon"), ({"iterations": 0}, "iterations"), ({"solver": "x"}, "solver")],
)
def test_bad_options_are_refused(options: dict, named: str) -> None:
    mask = torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match=named):
        transport_plan(torch.rand(1, 2, 2), mask, mask, **options)


def test_an_empty_side_is_named() -> None:
    mask = torch.tensor([[True, True], [False, False]])
    with pytest.raises(ValueError, match="pair 1 has no real token on side b"):
        transport_plan(torch.rand(2, 2, 2), torch.ones_like(mask), mask)
