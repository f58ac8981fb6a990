"""Losses over whole sentences: of a matrix of scores, and of pooled vectors.

Q queries, B documents or pairs, N tokens, D dimensions.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F


def info_nce(scores: torch.Tensor, relevant: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE with in-batch negatives (van den Oord et al. 2018, eq. 4), without false negatives.

    Args:
        scores: (Q, B) with B >= Q; document q is the positive of query q, all others are its negatives.
        relevant: (Q, B) bool; where True off the diagonal, the document also answers the query and is left out of the
            denominator.
        temperature: divides the scores.

    Returns:
        Mean over queries, float32 scalar.
    """
    rows = torch.arange(scores.shape[0], device=scores.device)
    also_relevant = relevant.clone()
    also_relevant[rows, rows] = False
    logits = (scores.float() / temperature).masked_fill(also_relevant, -torch.inf)
    return F.cross_entropy(logits, rows)


def score_divergence(teacher: torch.Tensor, student: torch.Tensor, temperature: float) -> torch.Tensor:
    """KL of the student's distribution over documents from the teacher's (Hinton et al. 2015; ColBERTv2, section 3.2).

    Args:
        teacher: (Q, B) scores; no gradient flows here.
        student: (Q, B) scores.
        temperature: divides both.

    Returns:
        Mean over queries of the sum over documents of p log(p / q), p and q the softmaxes; float32 scalar.
    """
    p = F.log_softmax(teacher.detach().float() / temperature, dim=1)
    q = F.log_softmax(student.float() / temperature, dim=1)
    return F.kl_div(q, p, reduction="batchmean", log_target=True)


def pooled_mse(
    teacher: torch.Tensor, student: torch.Tensor, mask_a: torch.Tensor, mask_b: torch.Tensor
) -> torch.Tensor:
    """Squared distance of the sentences' mean token vectors (Reimers & Gurevych 2020, eq. 1), summed over dimensions.

    Args:
        teacher: (B, N, D) token vectors.
        student: (B, M, D) token vectors; carries the gradient.
        mask_a, mask_b: (B, N), (B, M) bool, True on tokens to average; at least one a row.

    Returns:
        (B,) float32.
    """
    with torch.autocast(teacher.device.type, enabled=False):
        return (mean_vector(teacher, mask_a) - mean_vector(student, mask_b)).square().sum(dim=-1)


def mean_vector(vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of each row's vectors where the mask is True: (B, N, D), (B, N) bool -> (B, D) float32."""
    return vectors.float().masked_fill(~mask[..., None], 0.0).sum(dim=1) / mask.sum(dim=1, keepdim=True)


PAIR_LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "mse": pooled_mse,
}
"""Alignment terms of a pair by itself, by the name that `model.alignment` has: (teacher, student, masks) -> (B,)."""
