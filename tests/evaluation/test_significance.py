"""Tests of the tests: against scipy, against full enumeration, and by hand."""

import itertools
import tracemalloc
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from clir_ot.errors import UserError
from clir_ot.evaluation import significance
from clir_ot.evaluation.significance import (
    bootstrap_interval,
    compare,
    holm,
    paired_randomization_test,
    paired_t_test,
)


def random_pair(seed: int, size: int, shift: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Reciprocal ranks of two correlated systems: many exact ties, few distinct values."""
    rng = np.random.default_rng(seed)
    a = rng.integers(1, 6, size)
    b = np.clip(a + rng.integers(-1, 2, size) - (rng.random(size) < shift), 1, None)
    return 1 / a, 1 / b


@pytest.mark.parametrize(("seed", "size", "shift"), [(0, 12, 0.0), (1, 12, 0.5), (2, 9, 1.0), (3, 13, 0.3)])
def test_randomization_test_agrees_with_the_exact_one_of_scipy(seed: int, size: int, shift: float) -> None:
    a, b = random_pair(seed, size, shift)
    exact = stats.permutation_test(
        (a, b), lambda x, y, axis: np.mean(y - x, axis=axis), permutation_type="samples", vectorized=True
    )
    # Five standard errors of 100,000 draws at most: 5 * sqrt(0.25 / 1e5) = 0.008.
    assert paired_randomization_test(a, b) == pytest.approx(exact.pvalue, abs=0.008)
    assert paired_randomization_test(b, a) == paired_randomization_test(a, b)


def test_randomization_test_agrees_with_enumeration_where_sums_tie() -> None:
    # Sums such as 0.1 + 0.2 and 0.3 differ in their last bit, and are the same outcome.
    differences = np.array([0.1, 0.2, 0.3, 0.1, 0.2, -0.3, 0.0, 0.6, 0.1])
    tenths = np.rint(differences * 10).astype(int)
    sums = [abs(int(np.dot(signs, tenths))) for signs in itertools.product((-1, 1), repeat=tenths.size)]
    exact = np.mean([total >= abs(int(tenths.sum())) for total in sums])
    p = paired_randomization_test(np.zeros(differences.size), differences, samples=200_000)
    assert p == pytest.approx(exact, abs=5 * (0.25 / 200_000) ** 0.5)


def test_randomization_test_is_seeded_and_never_zero() -> None:
    a, b = np.zeros(40), np.linspace(0.5, 1, 40)
    assert paired_randomization_test(a, b, samples=999) == 1 / 1000
    a, b = random_pair(5, 50, 0.1)
    p_values = [paired_randomization_test(a, b, samples=500, seed=seed) for seed in (1, 1, 2, 3, 4)]
    assert p_values[0] == p_values[1]
    assert len(set(p_values)) > 1


def test_randomization_test_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = random_pair(6, 11, 0.3)
    whole = paired_randomization_test(a, b, samples=50_000)
    monkeypatch.setattr(significance, "_CHUNK", 1000)
    assert paired_randomization_test(a, b, samples=50_000) == pytest.approx(whole, abs=0.016)
    monkeypatch.setattr(significance, "_CHUNK", 7)
    # With one query every draw is a hit, so p is 1 only if exactly `samples` were drawn.
    assert paired_randomization_test([0.0], [0.5], samples=100) == 1.0


def test_randomization_test_holds_its_size() -> None:
    # Where there is no effect, p <= 0.05 in 5% of cases; 9.4% of 500 is 4.5 standard errors away.
    rng = np.random.default_rng(7)
    p_values = [paired_randomization_test(*rng.normal(size=(2, 20)), samples=400) for _ in range(500)]
    assert 0.01 < np.mean(np.array(p_values) <= 0.05) < 0.094


def test_randomization_test_keeps_to_100_megabytes() -> None:
    a, b = np.random.default_rng(8).random((2, 1000))
    tracemalloc.start()
    try:
        p = paired_randomization_test(a, b, samples=20_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6
    assert p == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_t_test_is_that_of_scipy(seed: int) -> None:
    a, b = random_pair(seed, 30, 0.3)
    differences = b - a
    t = differences.mean() / (differences.std(ddof=1) / 30**0.5)
    assert paired_t_test(a, b) == pytest.approx(2 * stats.t.sf(abs(t), 29), rel=1e-9)


def test_no_difference_gives_p_1_and_a_constant_one_p_0_without_a_warning() -> None:
    values = [0.1, 0.5, 0.7]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert paired_t_test(values, values) == 1.0
        assert paired_randomization_test(values, values) == 1.0
        assert paired_t_test(values, [value + 0.1 for value in values]) == 0.0


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_bootstrap_interval_agrees_with_scipy(confidence: float) -> None:
    values = np.random.default_rng(9).exponential(size=60)
    theirs = stats.bootstrap(
        (values,), np.mean, confidence_level=confidence, n_resamples=50_000, method="percentile", rng=1
    ).confidence_interval
    ours = bootstrap_interval(values, confidence=confidence, samples=50_000)
    standard_error = values.std() / 60**0.5
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * standard_error)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_bootstrap_interval_of_a_constant_is_that_constant() -> None:
    assert bootstrap_interval([0.25] * 7) == (0.25, 0.25)


def test_holm_by_hand() -> None:
    # Sorted: 0.005 * 4 = 0.02, 0.01 * 3 = 0.03, 0.03 * 2 = 0.06, and 0.04 * 1 raised to 0.06.
    p_values = {"w": 0.01, "x": 0.04, "y": 0.03, "z": 0.005}
    adjusted = holm(p_values)
    assert adjusted == pytest.approx({"w": 0.03, "x": 0.06, "y": 0.06, "z": 0.02})
    assert list(adjusted) == list(p_values)
    assert holm({"a": 0.7, "b": 0.6, "c": 0.0}) == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert holm({}) == {}


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_holm_names_what_is_not_a_p_value(p: float) -> None:
    with pytest.raises(UserError, match="p-value of 'b' is"):
        holm({"a": 0.5, "b": p})


def test_compare_pairs_queries_by_name_and_favours_b() -> None:
    a = {"q1": 0.2, "q2": 0.5, "q3": 0.9, "q4": 0.1, "q5": 0.3}
    b = {"q5": 0.8, "q4": 0.6, "q3": 0.8, "q2": 0.5, "q1": 0.6}
    comparison = compare(a, b)
    assert comparison.difference == pytest.approx(0.26)
    assert (comparison.wins, comparison.ties, comparison.losses) == (3, 1, 1)
    # Of the 16 sign patterns of (4, -1, 5, 5), those with |sum| >= 13: +-(13) and +-(15).
    assert comparison.p_randomization == pytest.approx(4 / 16, abs=0.008)
    assert comparison.p_t == pytest.approx(stats.ttest_1samp([0.4, 0, -0.1, 0.5, 0.5], 0).pvalue)
    low, high = comparison.interval
    assert low == pytest.approx(0.02, abs=0.03)
    assert high == pytest.approx(0.48, abs=0.03)
    swapped = compare(b, a)
    assert swapped.difference == -comparison.difference
    assert (swapped.wins, swapped.losses) == (1, 3)


def test_compare_says_how_many_queries_differ() -> None:
    a = {"q1": 0.1, "q2": 0.2, "q3": 0.3}
    with pytest.raises(UserError, match=r"^3 queries .* such as 'q2'"):
        compare(a, {"q1": 0.1, "q9": 0.2})


@pytest.mark.parametrize("test", [paired_randomization_test, paired_t_test])
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0.1, 0.2], [0.1], "2 values against 1"),
        ([], [], "at least one query"),
        ([0.1, float("nan")], [0.1, 0.2], "NaN or infinite"),
        ([[0.1]], [[0.1]], r"shape \(1, 1\)"),
    ],
)
def test_values_that_are_no_pairs_are_refused(
    test: Callable[..., float], a: list[float], b: list[float], expected: str
) -> None:
    with pytest.raises(UserError, match=expected):
        test(a, b)


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match="confidence is 95"):
        bootstrap_interval([0.1, 0.2], confidence=95)
    with pytest.raises(UserError, match="number of samples is 0"):
        bootstrap_interval([0.1, 0.2], samples=0)
    with pytest.raises(UserError, match="number of samples is 0"):
        paired_randomization_test([0.1], [0.2], samples=0)
    with pytest.raises(UserError, match="one query, expected at least two"):
        paired_t_test([0.1], [0.2])
