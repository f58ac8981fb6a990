"""Plans against their definitions, pair by pair in plain Python."""

import pytest
import torch

from clir_ot.models.alignments import anchor_plan, greedy_plan, nearest_plan, uniform_plan


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(3)
    cost = torch.rand(5, 6, 4, generator=chance)
    mask_a = torch.arange(6) < torch.tensor([6, 2, 1, 4, 3])[:, None]
    mask_b = torch.arange(4) < torch.tensor([4, 4, 1, 2, 3])[:, None]
    cost[~(mask_a[:, :, None] & mask_b[:, None, :])] = -9.0  # tempting, and not to be looked at
    return cost, mask_a, mask_b


def test_uniform_plan_is_the_product_of_the_marginals() -> None:
    mu, nu = torch.tensor([[0.25, 0.75, 0.0]]), torch.tensor([[0.5, 0.5]])
    assert uniform_plan(mu, nu).tolist() == [[[0.125, 0.125], [0.375, 0.375], [0.0, 0.0]]]


def test_nearest_plan_gives_each_student_token_its_closest_teacher_token(batch: tuple) -> None:
    cost, mask_a, mask_b = batch
    nu = mask_b / mask_b.sum(1, keepdim=True)
    plan = nearest_plan(cost, mask_a, nu)
    for pair in range(len(cost)):
        for token in range(int(mask_b[pair].sum())):
            column = cost[pair, : int(mask_a[pair].sum()), token].tolist()
            expected = torch.zeros(6)
            expected[column.index(min(column))] = nu[pair, token]
            assert torch.equal(plan[pair, :, token], expected)
    assert torch.equal(plan.sum(1), nu)


def greedily(cost: list[list[float]]) -> set[tuple[int, int]]:
    """Sorted pairs, each taken if both of its tokens are free: another way to the same matching."""
    taken: set[tuple[int, int]] = set()
    for _, i, j in sorted((value, i, j) for i, row in enumerate(cost) for j, value in enumerate(row)):
        if all(i != row and j != column for row, column in taken):
            taken.add((i, j))
    return taken


def test_greedy_plan_takes_the_closest_free_pair_again_and_again(batch: tuple) -> None:
    cost, mask_a, mask_b = batch
    plan = greedy_plan(cost, mask_a, mask_b)
    for pair in range(len(cost)):
        n, m = int(mask_a[pair].sum()), int(mask_b[pair].sum())
        expected = greedily(cost[pair, :n, :m].tolist())
        assert {(int(i), int(j)) for i, j in plan[pair].nonzero()} == expected
        assert torch.allclose(plan[pair][plan[pair] > 0], torch.tensor(1 / min(n, m)))


def test_anchors_are_matched_in_order_row_by_row() -> None:
    anchors_a, anchors_b = torch.zeros(2, 5, dtype=torch.bool), torch.zeros(2, 7, dtype=torch.bool)
    partners = [[(0, 0), (1, 2), (3, 5)], [(4, 6)]]
    expected = torch.zeros(2, 5, 7)
    for row, pairs in enumerate(partners):
        for i, j in pairs:
            anchors_a[row, i] = anchors_b[row, j] = True
            expected[row, i, j] = 1 / len(pairs)
    assert torch.equal(anchor_plan(anchors_a, anchors_b), expected)


def test_a_sentence_beside_itself_is_matched_token_by_token() -> None:
    mask = torch.tensor([[True, True, False], [True, True, True]])
    plan = anchor_plan(mask, mask)
    assert torch.allclose(plan, torch.diag_embed(mask / mask.sum(1, keepdim=True)))


def test_no_anchors_weigh_nothing() -> None:
    none = torch.zeros(2, 3, dtype=torch.bool)
    assert anchor_plan(none, none).abs().sum() == 0


def test_unequal_counts_are_refused() -> None:
    one, two = torch.tensor([[True, False]]), torch.tensor([[True, True]])
    with pytest.raises(ValueError, match="pair 0 has 2 anchors on side a, 1 on side b"):
        anchor_plan(two, one)
