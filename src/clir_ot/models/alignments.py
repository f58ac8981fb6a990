"""Ways to say which teacher token a student token should become: transport's rivals, as plans.

A plan weighs every pair of tokens, (B, N, M); the loss is <stopgrad(P), C>, as with transport, so that the alignments
differ in the plan alone.
B pairs, N teacher tokens, M student tokens.
"""

import torch


def uniform_plan(mu: torch.Tensor, nu: torch.Tensor) -> torch.Tensor:
    """Every teacher token to every student token, (B, N), (B, M) -> (B, N, M) mu nu^T: transport at endless epsilon."""
    return mu[:, :, None] * nu[:, None, :]


def nearest_plan(cost: torch.Tensor, mask_a: torch.Tensor, nu: torch.Tensor) -> torch.Tensor:
    """Each student token to its nearest teacher token, weighed by nu: one-sided MaxSim. -> (B, N, M).

    A teacher token may be nobody's nearest: only the student's marginal holds.

    Args:
        cost: (B, N, M).
        mask_a: (B, N) bool, teacher tokens to choose from.
        nu: (B, M), 0 on tokens without mass.
    """
    nearest = cost.detach().masked_fill(~mask_a[:, :, None], torch.inf).argmin(dim=1, keepdim=True)  # (B, 1, M)
    return torch.zeros_like(cost).scatter(1, nearest, nu[:, None, :].to(cost.dtype))


def greedy_plan(cost: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor) -> torch.Tensor:
    """The closest pair of all is matched and set aside, then the closest of the rest, until one side is used up.

    The alignment of Dr.DECR (Li et al. 2022, section 3). What the longer side has left over stays unmatched.
    -> (B, N, M), equal weights over the matched pairs.

    Args:
        cost: (B, N, M).
        mask_a, mask_b: (B, N), (B, M) bool, tokens to match; at least one a row on each side.
    """
    pairs, rows, columns = cost.shape
    open_cost = cost.detach().masked_fill(~(mask_a[:, :, None] & mask_b[:, None, :]), torch.inf)
    plan = torch.zeros_like(open_cost)
    batch = torch.arange(pairs, device=cost.device)
    for _ in range(min(rows, columns)):
        least, place = open_cost.flatten(1).min(dim=1)  # (B,)
        row, column = place // columns, place % columns
        plan[batch, row, column] += least.isfinite().to(plan.dtype)
        open_cost[batch, row, :] = torch.inf
        open_cost[batch, :, column] = torch.inf
    return plan / plan.sum(dim=(1, 2), keepdim=True)


def anchor_plan(anchors_a: torch.Tensor, anchors_b: torch.Tensor) -> torch.Tensor:
    """Every anchor to the same anchor of the other side: the first to the first, and so on. -> (B, N, M) float32.

    Anchors are tokens whose partner is known. `[CLS]`, the prefix's tokens and `[SEP]` stand in both sentences, and
    each sums up its whole sentence; in a transport plan over all tokens they are a larger share of the shorter
    sentence, so that their mass flows to content tokens. In a pair of one sentence with itself, every token is an
    anchor.

    Args:
        anchors_a: (B, N) bool, True on anchors.
        anchors_b: (B, M) bool, True on as many tokens a row.

    Returns:
        Equal weights that sum to 1; all 0 in a row without anchors.

    Raises:
        ValueError: a row has more anchors on one side than on the other (names the row).
    """
    counts = anchors_a.sum(dim=1)
    if (different := counts != anchors_b.sum(dim=1)).any():
        row = int(different.nonzero()[0])
        raise ValueError(f"pair {row} has {int(counts[row])} anchors on side a, {int(anchors_b[row].sum())} on side b")
    same_rank = anchors_a.cumsum(dim=1)[:, :, None] == anchors_b.cumsum(dim=1)[:, None, :]
    match = same_rank & anchors_a[:, :, None] & anchors_b[:, None, :]
    return match / counts.clamp(min=1)[:, None, None]
