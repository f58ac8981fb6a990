import pytest
import torch

from clir_ot.models.anchors import anchor_cost


def test_anchors_are_matched_in_order() -> None:
    chance = torch.Generator().manual_seed(0)
    teacher, student = torch.randn(1, 5, 4, generator=chance), torch.randn(1, 7, 4, generator=chance)
    anchors_a = torch.tensor([[True, True, False, True, False]])
    anchors_b = torch.tensor([[True, False, True, False, False, True, False]])
    pairs = [(0, 0), (1, 2), (3, 5)]
    expected = sum(1 - torch.cosine_similarity(teacher[0, i], student[0, j], dim=0) for i, j in pairs) / 3
    assert torch.allclose(anchor_cost(teacher, student, anchors_a, anchors_b), expected, atol=1e-6)


def test_no_anchors_cost_nothing() -> None:
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert anchor_cost(torch.randn(2, 3, 4), torch.randn(2, 3, 4), none, none).tolist() == [0.0, 0.0]


def test_unequal_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same number of anchors; found \[1, 2\]"):
        anchor_cost(
            torch.randn(1, 2, 4), torch.randn(1, 2, 4), torch.tensor([[True, True]]), torch.tensor([[True, False]])
        )
