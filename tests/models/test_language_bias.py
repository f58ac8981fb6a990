"""Against numpy and scipy, and what they are for: zero where language does not show."""

import numpy as np
import torch
from scipy.stats import entropy, pearsonr

from clir_ot.models.language_bias import language_block_divergence, language_correlation

LANGUAGES = torch.tensor([2, 0, 2, 5, 0, 5, 5])


def test_block_divergence_is_that_of_the_mean_scores_from_uniform() -> None:
    scores = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    expected = []
    for row in scores.double().numpy():
        means = np.array([row[LANGUAGES.numpy() == language].mean() for language in (0, 2, 5)]) / 0.5
        p = np.exp(means) / np.exp(means).sum()
        expected.append(entropy(p, np.full(3, 1 / 3)))
    found = language_block_divergence(scores, LANGUAGES, 0.5)
    assert abs(float(found) - np.mean(expected)) < 1e-6


def test_no_preference_and_one_language_cost_nothing() -> None:
    fair = torch.tensor([[0.3, 0.9, 0.5, 0.1, -0.1, 0.4, 0.7]])  # every language's mean is 0.4
    assert language_block_divergence(fair, LANGUAGES, 0.1).abs() < 1e-6
    assert language_block_divergence(fair, torch.zeros(7, dtype=torch.long), 0.1) == 0
    assert language_correlation(torch.randn(7, 2), torch.zeros(7, dtype=torch.long)) == 0


def test_correlation_is_pearsons() -> None:
    vectors = torch.randn(7, 4, generator=torch.Generator().manual_seed(1), requires_grad=True)
    found = language_correlation(vectors, LANGUAGES)
    pairs = [
        pearsonr(vectors.detach().numpy()[:, d], LANGUAGES.eq(language).numpy().astype(float))[0] ** 2
        for d in range(4)
        for language in (0, 2, 5)
    ]
    assert abs(float(found) - np.mean(pairs)) < 1e-5
    found.backward()
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_descending_on_correlation_hides_the_language() -> None:
    chance = torch.Generator().manual_seed(2)
    labels = torch.arange(60) % 3
    vectors = torch.nn.functional.one_hot(labels, 3).float() + 0.3 * torch.randn(60, 3, generator=chance)
    vectors.requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.05)
    before = float(language_correlation(vectors, labels))
    for _ in range(200):
        optimizer.zero_grad()
        language_correlation(vectors, labels).backward()
        optimizer.step()
    assert before > 0.2
    assert language_correlation(vectors, labels) < 0.01
