"""Losses that make scores and vectors depend less on the language of a text.

Q queries, S documents or texts, L languages, D dimensions.
"""

import math

import torch
import torch.nn.functional as F


def language_block_divergence(scores: torch.Tensor, languages: torch.Tensor, temperature: float) -> torch.Tensor:
    """How unequally the languages of documents are scored: KL(p || uniform), p the softmax of their mean scores.

    For every query the scores of the documents in one language are averaged into a block; with p(l) = softmax over
    languages of (mean score / temperature), the loss is log L - H(p), 0 where no language is preferred (the idea is
    that of Huang et al. 2023, KD-SPD; blocks and their mean are this project's choice).

    Args:
        scores: (Q, S).
        languages: (S,) int64, a number for each document's language.
        temperature: of the scores.

    Returns:
        Mean over queries, float32 scalar; 0 where all documents are of one language.
    """
    present, block = languages.unique(return_inverse=True)  # (L,), (S,)
    if len(present) < 2:
        return 0.0 * scores.sum()
    member = F.one_hot(block, len(present)).float()  # (S, L)
    means = scores.float() @ (member / member.sum(dim=0))  # (Q, L)
    log_p = F.log_softmax(means / temperature, dim=1)
    return (log_p.exp() * (log_p + math.log(len(present)))).sum(dim=1).mean()


def language_correlation(vectors: torch.Tensor, languages: torch.Tensor) -> torch.Tensor:
    """How well a linear probe could read the language off the vectors: mean squared correlation with its indicators.

    Zero where every dimension is uncorrelated with every language, which is when no linear classifier does better than
    chance (Belrose et al. 2023, theorem 3.1). As a loss beside retrieval it is LANCER's idea (Huang et al. 2024), who
    penalise the cross-correlation of vectors and language labels; the mean of squares is this project's choice.

    Args:
        vectors: (S, D).
        languages: (S,) int64, a number for each text's language.

    Returns:
        Mean over D dimensions and L languages of the squared Pearson correlation, float32 scalar in [0, 1]; 0 where all
        texts are of one language.
    """
    present, label = languages.unique(return_inverse=True)
    if len(present) < 2:
        return 0.0 * vectors.sum()
    x = vectors.float() - vectors.float().mean(dim=0)  # (S, D)
    y = F.one_hot(label, len(present)).float()
    y = y - y.mean(dim=0)  # (S, L)
    tiny = 1e-12
    correlation = F.normalize(x, dim=0, eps=tiny).mT @ F.normalize(y, dim=0, eps=tiny)  # (D, L)
    return correlation.square().mean()
