"""Consistency of two rankings, worked out by hand and by scipy."""

import math
import random

import pytest
from scipy import stats

from clir_ot.errors import UserError
from clir_ot.evaluation.consistency import rank_consistency, rank_correlation


def test_rank_consistency_by_hand() -> None:
    # Overlap at 1, 2, 3: 0, 1, 1.
    a, b = ["x", "y", "z"], ["y", "x", "z"]
    assert rank_consistency(a, b, "linear") == pytest.approx((2 + 1) / 6)
    assert rank_consistency(a, b, "quadratic") == pytest.approx((4 + 1) / 14)
    assert rank_consistency(a, b) == pytest.approx((math.e + 1) / (math.e**2 + math.e + 1))


def test_rank_consistency_of_rankings_with_little_in_common() -> None:
    # Overlap at 1, 2, 3: 0, 0, 1/3.
    assert rank_consistency(["x", "y", "z"], ["u", "v", "x"], "linear") == pytest.approx(1 / 18)
    assert rank_consistency(["x"], ["y"]) == 0


def test_long_rankings_do_not_overflow() -> None:
    ranked = [str(i) for i in range(5000)]
    assert rank_consistency(ranked, ranked) == pytest.approx(1)
    assert rank_consistency(ranked, ranked[1::-1] + ranked[2:]) == pytest.approx(1 / math.e, rel=1e-3)


def test_rank_correlation_is_spearmans() -> None:
    assert rank_correlation(["x", "y", "z"], ["y", "x", "z"]) == pytest.approx(1 - 6 * 2 / (3 * 8))
    chance = random.Random(0)
    documents = [str(i) for i in range(30)]
    for _ in range(20):
        a, b = chance.sample(documents, 30), chance.sample(documents, 30)
        expected = stats.spearmanr([a.index(d) for d in documents], [b.index(d) for d in documents]).statistic
        assert rank_correlation(a, b) == pytest.approx(expected)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UserError, match="rankings of 1 and 2 documents"):
        rank_consistency(["x"], ["x", "y"])
    with pytest.raises(UserError, match="rankings of 0 and 0"):
        rank_correlation([], [])
    with pytest.raises(UserError, match="the same documents"):
        rank_correlation(["x", "y"], ["x", "z"])
    with pytest.raises(UserError, match="two documents or more"):
        rank_correlation(["x"], ["x"])
