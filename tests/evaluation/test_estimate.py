"""Means and differences with their errors: against scipy, by hand, and by simulating studies without a difference."""

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import Estimate, Sample, estimate


def sample(*runs: list[float], name: str = "run") -> dict[str, dict[str, float]]:
    return {f"{name}{r}": {f"q{q}": value for q, value in enumerate(values)} for r, values in enumerate(runs)}


@pytest.mark.parametrize("seed", range(3))
def test_one_run_against_one_is_the_paired_t_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, 30))
    found = estimate([(1.0, sample(list(b), name="b")), (-1.0, sample(list(a), name="a"))])
    theirs = stats.ttest_rel(b, a)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.interval() == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9)
    assert found.value == pytest.approx((b - a).mean())


def test_one_run_alone_has_the_interval_of_its_mean() -> None:
    values = list(np.random.default_rng(3).random(40))
    found = estimate([(1.0, sample(values))])
    assert found.error == pytest.approx(stats.sem(values))
    assert found.degrees == pytest.approx(39)
    assert estimate([(1.0, sample([0.25] * 7))]) == Estimate(0.25, 0.0, math.inf)


def test_runs_add_the_variance_of_their_means() -> None:
    # Queries do not differ: all that varies is the run, and the interval is that of three means.
    found = estimate([(1.0, sample([0.2] * 50, [0.3] * 50, [0.5] * 50))])
    assert found.error == pytest.approx(stats.sem([0.2, 0.3, 0.5]))
    assert found.degrees == pytest.approx(2)
    # Both vary: the two variances, and Satterthwaite's degrees of freedom, by hand.
    runs = [[0.0, 0.4], [0.2, 0.8]]
    queries, means = (0.1, 0.6), (0.2, 0.5)
    parts = np.var(queries, ddof=1) / 2, np.var(means, ddof=1) / 2
    found = estimate([(1.0, sample(*runs))])
    assert found.error == pytest.approx(math.sqrt(sum(parts)))
    assert found.degrees == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 1 + parts[1] ** 2 / 1))


def test_an_encoder_of_two_languages_is_one_draw_and_two_students_are_two() -> None:
    flat = [[0.2] * 9, [0.4] * 9]
    one = estimate([(0.5, sample(*flat)), (0.5, sample(*flat))])
    two = estimate([(0.5, sample(*flat, name="yo")), (0.5, sample(*flat, name="ha"))])
    assert one.error == pytest.approx(stats.sem([0.2, 0.4]))
    assert two.error == pytest.approx(stats.sem([0.2, 0.4]) / math.sqrt(2))
    assert (one.degrees, two.degrees) == (pytest.approx(1), pytest.approx(2))


def test_a_query_in_two_languages_is_one_draw() -> None:
    values = [0.1, 0.5, 0.3, 0.9]
    both = estimate([(0.5, sample(values, name="yo")), (0.5, sample(values, name="ha"))])
    assert both.error == pytest.approx(stats.sem(values))
    others = {"ha": {f"other{q}": value for q, value in enumerate(values)}}
    apart = estimate([(0.5, sample(values, name="yo")), (0.5, others)])
    assert apart.error == pytest.approx(stats.sem(values) / math.sqrt(2), rel=0.1)  # 7 degrees instead of 3 and 3


def _study(
    rng: np.random.Generator, seeds: int, spread: float, languages: int, shared: bool
) -> list[tuple[float, Sample]]:
    """Two systems that do not differ: queries of all difficulties, and seeds whose means vary."""
    difficulty = rng.beta(0.5, 0.7, size=120)
    terms: list[tuple[float, Sample]] = []
    for sign in (1, -1):
        of_run = rng.normal(0, spread, size=seeds)
        for language in range(languages):
            own = difficulty + rng.normal(0, 0.15, size=120)
            effects = of_run if shared else rng.normal(0, spread, size=seeds)
            values = {
                f"{sign} {'' if shared else language} {r}": dict(
                    zip(map(str, range(120)), np.clip(own + effect + rng.normal(0, 0.2, size=120), 0, 1), strict=True)
                )
                for r, effect in enumerate(effects)
            }
            terms.append((sign / languages, values))
    return terms


@pytest.mark.parametrize(
    ("seeds", "spread", "languages", "shared"),
    [(3, 0.015, 1, False), (3, 0.03, 1, False), (5, 0.03, 1, False), (3, 0.02, 3, False), (3, 0.03, 3, True)],
)
def test_without_a_difference_one_study_in_twenty_finds_one(
    seeds: int, spread: float, languages: int, shared: bool
) -> None:
    rng = np.random.default_rng(11)
    found = [estimate(_study(rng, seeds, spread, languages, shared)).p for _ in range(1000)]
    assert np.mean(np.array(found) < 0.05) <= 0.06
    assert np.mean(np.array(found) < 0.05) >= 0.01  # it is no test that never finds anything


def test_averaging_seeds_first_would_find_one_far_more_often() -> None:
    """What this is for: two sets of three seeds of one system, tested over queries alone."""
    rng = np.random.default_rng(12)
    p_values = []
    for _ in range(300):
        (_, a), (_, b) = _study(rng, 3, 0.03, 1, False)
        means = [np.mean([list(run.values()) for run in side.values()], axis=0) for side in (a, b)]
        p_values.append(stats.ttest_rel(*means).pvalue)
    assert np.mean(np.array(p_values) < 0.05) > 0.12


def test_equivalence_is_two_one_sided_tests() -> None:
    values = list(np.random.default_rng(4).normal(0.004, 0.05, size=200))
    found = estimate([(1.0, sample(values))])
    lower = stats.ttest_1samp(values, -0.02, alternative="greater").pvalue
    upper = stats.ttest_1samp(values, 0.02, alternative="less").pvalue
    assert found.p_equivalence(0.02) == pytest.approx(max(lower, upper), rel=1e-9)
    assert found.p_equivalence(abs(found.value)) == pytest.approx(0.5)


def test_without_any_error_all_is_certain() -> None:
    nothing, something = Estimate(0.0, 0.0, math.inf), Estimate(0.1, 0.0, math.inf)
    assert (nothing.p, something.p, something.interval()) == (1.0, 0.0, (0.1, 0.1))
    assert (nothing.p_equivalence(0.02), something.p_equivalence(0.02)) == (0.0, 1.0)
    # Values equal up to rounding are equal.
    assert estimate([(1.0, sample([0.1 + 0.2] * 3)), (-1.0, sample([0.3] * 3, name="other"))]).error == 0.0


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ({}, "over no queries"),
        ({"a": {}}, "over no queries"),
        ({"a": {"q": 1.0}, "b": {"r": 1.0}}, "b: measured over other queries .* such as 'q'"),
        ({"a": {"q": float("nan")}}, "NaN or infinite"),
    ],
)
def test_what_is_no_sample_is_refused(runs: Sample, said: str) -> None:
    with pytest.raises(UserError, match=said):
        estimate([(1.0, runs)])
