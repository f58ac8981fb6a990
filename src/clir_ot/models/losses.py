"""Contrastive losses over a matrix of scores."""

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
