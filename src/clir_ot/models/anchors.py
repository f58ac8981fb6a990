"""Tokens whose partner is known: the same tokens stand on both sides of a pair, in the same order.

B pairs, N teacher tokens, M student tokens, D dimensions.
"""

import torch
import torch.nn.functional as F


def anchor_cost(
    teacher: torch.Tensor, student: torch.Tensor, anchors_a: torch.Tensor, anchors_b: torch.Tensor
) -> torch.Tensor:
    """Cosine distance of every anchor of the student to the same anchor of the teacher: no transport to solve.

    `[CLS]`, the prefix's tokens and `[SEP]` stand in both sentences, and each sums up its whole sentence. In a
    transport plan over all tokens they are a larger share of the shorter sentence, so that their mass flows to
    content tokens; matched one to one they keep it. In a pair of one sentence with itself, every token is an anchor.

    Args:
        teacher: (B, N, D) token vectors.
        student: (B, M, D) token vectors; carries the gradient.
        anchors_a: (B, N) bool, True on anchors.
        anchors_b: (B, M) bool, True on as many tokens a row.

    Returns:
        (B,) float32, the mean over a pair's anchors; 0 where there are none.

    Raises:
        ValueError: a row has more anchors on one side than on the other (names the row).
    """
    counts = anchors_a.sum(dim=1)
    if (different := counts != anchors_b.sum(dim=1)).any():
        row = int(different.nonzero()[0])
        raise ValueError(f"pair {row} has {int(counts[row])} anchors on side a, {int(anchors_b[row].sum())} on side b")
    with torch.autocast(teacher.device.type, enabled=False):
        distance = 1 - F.cosine_similarity(teacher[anchors_a].float(), student[anchors_b].float(), dim=-1)  # (anchors,)
        pair_of = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        return distance.new_zeros(len(counts)).index_add(0, pair_of, distance) / counts.clamp(min=1)
