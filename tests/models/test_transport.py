"""What holds for transport whatever the solver: gradients, padding, options, errors."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clir_ot.models.transport import solve_transport, token_cost, transport_loss, transport_plan, transport_values

SOLVERS = ["sinkhorn", "geomloss", "ipot", "exact"]


def slopes(function, point: torch.Tensor, step: float = 1e-6) -> torch.Tensor:
    """Central differences of a function with one value."""
    found = torch.zeros_like(point)
    for index in np.ndindex(*point.shape):
        up, down = point.clone(), point.clone()
        up[index] += step
        down[index] -= step
        found[index] = (function(up) - function(down)) / (2 * step)
    return found


def test_the_gradient_is_that_of_the_cost_under_the_fixed_plan(sides) -> None:
    teacher, student, mask_a, mask_b = sides(3, pairs=3, dimensions=5, longest=4, dtype=torch.float64)
    teacher, student = teacher.nan_to_num(0.5), student.nan_to_num(0.5).requires_grad_()
    transport_loss(teacher, student, mask_a, mask_b).backward()
    plan = transport_plan(token_cost(teacher, student.detach(), mask_a, mask_b), mask_a, mask_b)

    def loss(vectors: torch.Tensor) -> torch.Tensor:
        units = vectors / vectors.norm(dim=-1, keepdim=True)
        return (plan * (1 - torch.einsum("bnd,bmd->bnm", teacher, units))).sum(dim=(1, 2)).mean()

    assert torch.allclose(student.grad, slopes(loss, student.detach()), atol=1e-4)
    assert student.grad[~mask_b].abs().max() == 0


def test_the_plan_is_the_gradient_of_the_entropic_objective_in_the_cost() -> None:
    cost = torch.rand(1, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    masks, epsilon = (torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 5, dtype=torch.bool)), 0.1

    def objective(at: torch.Tensor) -> torch.Tensor:
        plan = transport_plan(at, *masks, epsilon=epsilon, tolerance=1e-13)
        return (plan * at).sum() + epsilon * (plan * (plan * 20).log()).sum()

    plan = transport_plan(cost, *masks, epsilon=epsilon, tolerance=1e-13)
    assert torch.allclose(slopes(objective, cost, 1e-5), plan, atol=1e-4)


def test_potentials_solve_the_dual_problem(sides) -> None:
    teacher, student, mask_a, mask_b = sides(5, dtype=torch.float64)
    cost = token_cost(teacher, student, mask_a, mask_b)
    result = solve_transport(cost, mask_a, mask_b, epsilon=0.05, tolerance=1e-12)
    mu, nu = mask_a / mask_a.sum(1, keepdim=True), mask_b / mask_b.sum(1, keepdim=True)
    product = mu[:, :, None] * nu[:, None, :]
    f, g = result.potential_a, result.potential_b
    assert torch.allclose(result.plan, product * ((f[:, :, None] + g[:, None, :] - cost) / 0.05).exp(), atol=1e-8)
    entropy = torch.xlogy(result.plan, result.plan / product.clamp_min(1e-9)).sum(dim=(1, 2))
    assert torch.allclose((mu * f).sum(1) + (nu * g).sum(1), result.value + 0.05 * entropy, atol=1e-8)
    assert f[~mask_a].abs().max() == 0
    assert g[~mask_b].abs().max() == 0


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("garbage", [torch.nan, torch.inf, 1e30])
def test_padding_reaches_neither_value_nor_gradient(sides, solver: str, garbage: float) -> None:
    teacher, student, mask_a, mask_b = sides(1)
    losses, gradients = [], []
    for filling in (0.0, garbage):
        given = torch.where(mask_b[..., None], student, filling).requires_grad_()
        dirty = torch.where(mask_a[..., None], teacher, filling)
        loss = transport_loss(dirty, given, mask_a, mask_b, solver=solver)
        loss.backward()
        losses.append(loss.detach())
        gradients.append(given.grad)
    assert torch.equal(*losses)
    assert torch.equal(*gradients)
    assert gradients[1].isfinite().all()


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_pair_does_not_depend_on_its_batchmates_or_the_padding(sides, solver: str) -> None:
    # geomloss sums what float32 rounds to 2e-6.
    dtype = torch.float64 if solver == "geomloss" else torch.float32
    teacher, student, mask_a, mask_b = sides(2, dtype=dtype)
    together = solve_transport(token_cost(teacher, student, mask_a, mask_b), mask_a, mask_b, solver=solver)
    for row in range(len(together.value)):
        at, n, m = slice(row, row + 1), int(mask_a[row].sum()), int(mask_b[row].sum())
        sides_alone, masks = (teacher[at, :n], student[at, :m]), (mask_a[at, :n], mask_b[at, :m])
        alone = solve_transport(token_cost(*sides_alone, *masks), *masks, solver=solver)
        assert torch.allclose(alone.value, together.value[at], atol=1e-6)
        assert torch.allclose(alone.plan[0], together.plan[row, :n, :m], atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_plan_follows_a_permutation_of_tokens(sides, solver: str) -> None:
    teacher, student, mask_a, mask_b = sides(4)
    cost = token_cost(teacher, student, mask_a, mask_b)
    a, b = (torch.randperm(12, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    plan = transport_plan(cost, mask_a, mask_b, solver=solver)
    permuted = transport_plan(cost[:, a][:, :, b], mask_a[:, a], mask_b[:, b], solver=solver)
    # Sums in another order, whose last bits differ from CPU to CPU.
    assert torch.allclose(permuted, plan[:, a][:, :, b], atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_one_token_sides_carry_all_mass(solver: str) -> None:
    mask_a, mask_b = torch.ones(2, 1, dtype=torch.bool), torch.ones(2, 3, dtype=torch.bool)
    plan = transport_plan(torch.rand(2, 1, 3), mask_a, mask_b, solver=solver)
    assert torch.allclose(plan, torch.full((2, 1, 3), 1 / 3))
    assert torch.allclose(transport_plan(torch.rand(2, 1, 1), mask_a, mask_a, solver=solver), torch.ones(2, 1, 1))


@pytest.mark.parametrize("solver", ["sinkhorn", "geomloss"])
def test_bfloat16_autocast_and_inference_mode_change_nothing(sides, solver: str) -> None:
    teacher, student, mask_a, mask_b = sides(4)
    expected = transport_loss(teacher, student, mask_a, mask_b, solver=solver)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        found = transport_loss(teacher, student, mask_a, mask_b, solver=solver)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
    halves = transport_loss(teacher.bfloat16(), student.bfloat16(), mask_a, mask_b, solver=solver)
    assert halves.dtype == torch.float32


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mode", [True, False])
def test_gradient_mode_and_random_numbers_are_left_as_found(sides, solver: str, mode: bool) -> None:
    teacher, student, mask_a, mask_b = sides(0)
    empty = torch.zeros_like(mask_b)
    state = torch.random.get_rng_state()
    with torch.set_grad_enabled(mode):
        transport_loss(teacher, student, mask_a, mask_b, solver=solver)
        assert torch.is_grad_enabled() is mode
        with pytest.raises(ValueError, match="pair 0"):
            transport_loss(teacher, student, mask_a, empty, solver=solver)
        assert torch.is_grad_enabled() is mode
        with pytest.raises(ValueError, match="outside"):
            solve_transport(torch.full((1, 2, 2), 9.0), mask_a[:1, :2] | True, mask_b[:1, :2] | True, solver="geomloss")
        assert torch.is_grad_enabled() is mode
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("solver", SOLVERS)
def test_only_the_value_carries_a_gradient(sides, solver: str) -> None:
    teacher, student, mask_a, mask_b = sides(0)
    cost = token_cost(teacher, student, mask_a, mask_b).requires_grad_()
    result = solve_transport(cost, mask_a, mask_b, solver=solver)
    assert [name for name, held in vars(result).items() if held.requires_grad] == ["value"]
    result.value.sum().backward()
    assert torch.equal(cost.grad, result.plan)


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_are_the_marginals_and_their_scale_does_not_matter(sides, solver: str) -> None:
    teacher, student, mask_a, mask_b = sides(6)
    cost = token_cost(teacher, student, mask_a, mask_b)
    chance = torch.Generator().manual_seed(0)
    weights = [torch.rand(6, 12, generator=chance) + 0.1 for _ in "ab"]
    weights[0][:, 1] = 0.0  # a token without mass
    results = []
    for factor in (1.0, 70.0):
        a, b = weights[0].masked_fill(~mask_a, torch.nan) * factor, weights[1] * factor
        results.append(solve_transport(cost, mask_a, mask_b, solver=solver, weights_a=a, weights_b=b))
    kept = weights[0] * mask_a
    assert torch.allclose(results[0].plan.sum(2), kept / kept.sum(1, keepdim=True), atol=1e-6)
    kept = weights[1] * mask_b
    assert torch.allclose(results[0].plan.sum(1), kept / kept.sum(1, keepdim=True), atol=1e-6)
    assert torch.allclose(results[0].plan, results[1].plan, atol=1e-5)


def test_debiased_transport_is_at_least_zero_and_zero_to_itself(sides) -> None:
    teacher, student, mask_a, mask_b = sides(7, pairs=20)
    for epsilon in (0.02, 0.2, 1.0):
        values, _ = transport_values(
            teacher, student, mask_a, mask_b, debiased=True, epsilon=epsilon, tolerance=1e-6, iterations=2000
        )
        assert values.min() >= -1e-6
    for solver in SOLVERS:
        values, _ = transport_values(teacher, teacher, mask_a, mask_a, debiased=True, solver=solver)
        assert values.abs().max() < 1e-6


def test_squared_distance_is_twice_the_cosine_distance_of_unit_vectors(sides) -> None:
    teacher, student, mask_a, mask_b = sides(8)
    cosine, squares = (token_cost(teacher, student, mask_a, mask_b, cost) for cost in ("cosine", "sqeuclidean"))
    real = mask_a[:, :, None] & mask_b[:, None, :]
    assert torch.allclose(squares[real], 2 * cosine[real], atol=1e-6)
    plans = [transport_plan(c, mask_a, mask_b, epsilon=e) for c, e in ((cosine, 0.01), (squares, 0.02))]
    assert torch.allclose(*plans, atol=1e-5)
    longer = token_cost(3 * teacher, student, mask_a, mask_b, "sqeuclidean")
    assert torch.allclose(longer[real], (10 - 6 * (1 - cosine))[real], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"epsilon": 0.0}, "epsilon is 0.0"),
        ({"epsilon": -1.0}, "epsilon is -1.0"),
        ({"epsilon": float("nan")}, "epsilon is nan"),
        ({"iterations": 0}, "iterations is 0"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"unbalanced": 0.0}, "unbalanced is 0.0"),
        ({"solver": "simplex"}, "solver 'simplex' is unknown; known: sinkhorn, geomloss, ipot, exact"),
        ({"solver": "exact", "epsilon": 0.1}, "solver exact takes no epsilon"),
        ({"solver": "ipot", "unbalanced": 0.5}, "solver ipot takes no unbalanced"),
        ({"solver": "geomloss", "tolerance": 0.1}, "solver geomloss takes no tolerance"),
        ({"speed": 1}, "takes no speed"),
    ],
)
def test_bad_options_are_refused(options: dict, named: str) -> None:
    mask = torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match=named):
        transport_plan(torch.rand(1, 2, 2), mask, mask, **options)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_pair_that_cannot_be_transported_is_named(sides, solver: str) -> None:
    teacher, student, mask_a, mask_b = sides(0)
    empty = mask_b.clone()
    empty[3] = False
    with pytest.raises(ValueError, match="pair 3 has no real token with mass on side b"):
        transport_loss(teacher, student, mask_a, empty, solver=solver)
    with pytest.raises(ValueError, match="pair 3 has no real token with mass on side a"):
        transport_loss(student, teacher, empty, mask_a, solver=solver)
    for wrong in (torch.nan, torch.inf):
        broken = student.clone()
        broken[4, 0, 0] = wrong
        with pytest.raises(ValueError, match="pair 4 has a cost that is not finite"):
            transport_loss(teacher, broken, mask_a, mask_b, solver=solver)
    for wrong in (torch.nan, torch.inf, -1.0):
        weights = torch.ones_like(mask_a, dtype=torch.float32)
        weights[2, 0] = wrong
        with pytest.raises(ValueError, match=r"pair 2 .* side a, or a weight that is negative or not finite"):
            transport_loss(teacher, student, mask_a, mask_b, solver=solver, weights_a=weights)


def test_a_zero_vector_is_at_distance_one() -> None:
    mask = torch.ones(1, 2, dtype=torch.bool)
    vectors = F.normalize(torch.randn(1, 2, 4, generator=torch.Generator().manual_seed(0)), dim=-1)
    student = torch.zeros(1, 2, 4, requires_grad=True)
    loss = transport_loss(vectors, student, mask, mask)
    loss.backward()
    assert loss.item() == pytest.approx(1.0)
    assert student.grad.isfinite().all()
