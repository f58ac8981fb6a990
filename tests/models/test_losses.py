import torch

from clir_ot.models.losses import info_nce


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
