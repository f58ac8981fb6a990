"""Tokens whose partner is known: special and prefix tokens, the same on both sides of a pair.

B pairs, N teacher tokens, M student tokens, D dimensions.
"""

import torch
import torch.nn.functional as F


def anchor_cost(
    teacher: torch.Tensor, student: torch.Tensor, anchors_a: torch.Tensor, anchors_b: torch.Tensor
) -> torch.Tensor:
    """Cosine distance of every anchor of the student to the same anchor of the teacher.

    `[CLS]`, the prefix's tokens and `[SEP]` stand in both sentences in the same order, and each sums up its whole
    sentence. In a transport plan over all tokens they are a larger share of the shorter sentence, so that their mass
    flows to content tokens; matched one to one they keep it.

    Args:
        teacher: (B, N, D) token vectors.
        student: (B, M, D) token vectors; carries the gradient.
        anchors_a: (B, N) bool, True on anchors; the same number in every row.
        anchors_b: (B, M) bool, likewise.

    Returns:
        (B,) float32, the mean over a pair's anchors; 0 where there are none.

    Raises:
        ValueError: a row has another number of anchors than the others.
    """
    counts = torch.cat([anchors_a.sum(dim=1), anchors_b.sum(dim=1)])
    if (counts != counts[0]).any():
        raise ValueError(f"every sentence must have the same number of anchors; found {sorted(set(counts.tolist()))}")
    with torch.autocast(teacher.device.type, enabled=False):
        pairs, dimensions = len(teacher), teacher.shape[-1]
        known = teacher[anchors_a].float().view(pairs, -1, dimensions)  # (B, anchors, D)
        found = student[anchors_b].float().view(pairs, -1, dimensions)
        return (1 - F.cosine_similarity(known, found, dim=-1)).sum(dim=1) / counts[0].clamp(min=1)
