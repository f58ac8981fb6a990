import pytest
import torch

from clir_ot.models.anchors import anchor_cost


def test_anchors_are_matched_in_order_row_by_row() -> None:
    chance = torch.Generator().manual_seed(0)
    teacher, student = torch.randn(2, 5, 4, generator=chance), torch.randn(2, 7, 4, generator=chance)
    anchors_a, anchors_b = torch.zeros(2, 5, dtype=torch.bool), torch.zeros(2, 7, dtype=torch.bool)
    partners = [[(0, 0), (1, 2), (3, 5)], [(4, 6)]]
    for row, pairs in enumerate(partners):
        for i, j in pairs:
            anchors_a[row, i] = anchors_b[row, j] = True
    expected = [
        sum(1 - torch.cosine_similarity(teacher[row, i], student[row, j], dim=0) for i, j in pairs) / len(pairs)
        for row, pairs in enumerate(partners)
    ]
    assert torch.allclose(anchor_cost(teacher, student, anchors_a, anchors_b), torch.stack(expected), atol=1e-6)


def test_no_anchors_cost_nothing() -> None:
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert anchor_cost(torch.randn(2, 3, 4), torch.randn(2, 3, 4), none, none).tolist() == [0.0, 0.0]


def test_unequal_counts_are_refused() -> None:
    one, two = torch.tensor([[True, False]]), torch.tensor([[True, True]])
    with pytest.raises(ValueError, match="pair 0 has 2 anchors on side a, 1 on side b"):
        anchor_cost(torch.randn(1, 2, 4), torch.randn(1, 2, 4), two, one)
