import ot
import torch

from clir_ot.models.transport import solve_transport, token_cost
from clir_ot.models.transport_scores import transport_costs


def test_every_pair_of_sentences_is_a_problem_of_its_own() -> None:
    chance = torch.Generator().manual_seed(0)
    teacher, student = torch.randn(4, 5, 8, generator=chance), torch.randn(3, 6, 8, generator=chance)
    mask_a = torch.arange(5) < torch.tensor([5, 2, 1, 3])[:, None]
    mask_b = torch.arange(6) < torch.tensor([6, 1, 4])[:, None]
    weights_b = torch.rand(3, 6, generator=chance)
    found, residuals = transport_costs(teacher, student, mask_a, mask_b, weights_b=weights_b)
    assert residuals.max() < 0.01
    for q in range(3):
        for b in range(4):
            sides = teacher[b : b + 1, mask_a[b]], student[q : q + 1, mask_b[q]]
            masks = [torch.ones(side.shape[:2], dtype=torch.bool) for side in sides]
            cost = token_cost(*sides, *masks)
            weights = weights_b[q : q + 1, mask_b[q]]
            alone = solve_transport(cost, *masks, weights_b=weights).value
            assert torch.allclose(found[q, b], alone[0], atol=1e-6)
            mass = (weights[0] / weights.sum()).double().numpy()
            exact = ot.emd2(ot.unif(cost.shape[1]), mass / mass.sum(), cost[0].double().numpy())
            assert abs(float(found[q, b]) / exact - 1) < 0.03


def test_the_gradient_reaches_the_student() -> None:
    teacher, student = torch.randn(2, 3, 4), torch.randn(2, 3, 4, requires_grad=True)
    mask = torch.ones(2, 3, dtype=torch.bool)
    transport_costs(teacher, student, mask, mask)[0].sum().backward()
    assert student.grad is not None
    assert student.grad.abs().min() > 0
