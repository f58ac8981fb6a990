import torch

from clir_ot.models.losses import info_nce, pooled_mse, score_divergence


def test_info_nce_equals_its_formula() -> None:
    scores = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    none = torch.eye(3, 4, dtype=torch.bool)
    expected = -sum((scores[q, q] / 0.1 - torch.exp(scores[q] / 0.1).sum().log()).item() for q in range(3))
    assert abs(info_nce(scores, none, 0.1).item() - expected / 3) < 1e-5


def test_another_relevant_document_is_no_negative() -> None:
    scores = torch.tensor([[0.1, 5.0, 0.3], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    relevant = torch.eye(3, dtype=torch.bool)
    relevant[0, 1] = True
    without = scores[:, [0, 2]][[0, 2]]
    expected = info_nce(without, torch.eye(2, dtype=torch.bool), 1.0)
    both = info_nce(scores, relevant, 1.0)
    row_one = info_nce(scores[1:2].roll(-1, 1), torch.tensor([[True, False, False]]), 1.0)
    row_two = info_nce(scores[2:].roll(-2, 1), torch.tensor([[True, False, False]]), 1.0)
    row_zero = info_nce(without[:1], torch.tensor([[True, False]]), 1.0)
    assert torch.allclose(both, (row_zero + row_one + row_two) / 3)
    assert expected < info_nce(scores, torch.eye(3, dtype=torch.bool), 1.0)


def test_score_divergence_equals_its_formula_and_teaches_the_student_alone() -> None:
    chance = torch.Generator().manual_seed(1)
    teacher, student = (torch.randn(2, 3, generator=chance, requires_grad=True) for _ in range(2))
    loss = score_divergence(teacher, student, 0.5)
    p, q = (torch.softmax(scores.detach() / 0.5, dim=1) for scores in (teacher, student))
    assert torch.allclose(loss, (p * (p / q).log()).sum(dim=1).mean())
    loss.backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert score_divergence(teacher, teacher, 0.5).abs() < 1e-6


def test_pooled_mse_averages_real_tokens_only() -> None:
    teacher = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [torch.nan, 9.0]]])
    student = torch.tensor([[[0.5, 0.0], [torch.inf, 9.0]]], requires_grad=True)
    mask_a, mask_b = torch.tensor([[True, True, False]]), torch.tensor([[True, False]])
    loss = pooled_mse(teacher, student, mask_a, mask_b)  # means (0.5, 0.5) and (0.5, 0)
    assert loss.tolist() == [0.25]
    loss.sum().backward()
    assert student.grad is not None
    assert student.grad.tolist() == [[[0.0, -1.0], [0.0, 0.0]]]
