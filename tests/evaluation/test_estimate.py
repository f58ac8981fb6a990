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
    assert estimate([(1.0, sample([0.25] * 7))]) == Estimate(0.25, 0.0, 6)


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
    assert (apart.error, apart.degrees) == (pytest.approx(stats.sem(values) / math.sqrt(2)), pytest.approx(6))


@pytest.mark.parametrize(("few", "many"), [(2, 40), (6, 600), (25, 30)])
def test_means_over_other_queries_are_compared_by_welchs_test(few: int, many: int) -> None:
    """A language with a handful of queries must not borrow the certainty of one with hundreds."""
    rng = np.random.default_rng(few)
    a, b = rng.random(few), rng.normal(0.4, 0.2, many)
    others = {"b": {f"other{q}": float(value) for q, value in enumerate(b)}}
    found = estimate([(1.0, sample(list(a))), (-1.0, others)])
    theirs = stats.ttest_ind(a, b, equal_var=False)
    assert (found.p, found.degrees) == (pytest.approx(theirs.pvalue), pytest.approx(theirs.df))
    assert found.interval() == pytest.approx(tuple(theirs.confidence_interval()))
    # The same where the few are among the many, whose mean varies little beside theirs.
    among = {"b": {f"q{q}": float(value) for q, value in enumerate(b)}}
    if few < many / 20:
        assert estimate([(1.0, sample(list(a))), (-1.0, among)]).degrees == pytest.approx(few - 1, rel=0.25)


def test_an_encoder_of_many_languages_against_a_student_of_each_has_the_degrees_of_its_seeds() -> None:
    rng = np.random.default_rng(0)
    shared = {f"hybrid{r}": effect for r, effect in enumerate((-0.03, 0.0, 0.03))}
    terms: list[tuple[float, Sample]] = []
    for language in range(10):
        own = {f"{language} {r}": effect for r, effect in enumerate(rng.permutation([-0.03, 0.0, 0.03]))}
        for weight, effects in ((0.1, shared), (-0.1, own)):
            terms.append((weight, {run: {f"q{q}": 0.5 + effect for q in range(9)} for run, effect in effects.items()}))
    found = estimate(terms)
    # Variances of the means of three: one for the hybrid, a tenth of it for ten students.
    one = np.var([-0.03, 0.0, 0.03], ddof=1) / 3
    assert found.error == pytest.approx(math.sqrt(one * 1.1))
    assert found.degrees == pytest.approx(1.1**2 / (1 / 2 + 10 * 0.01**2 / 2))


def test_a_run_on_both_sides_and_seeds_that_are_missing_in_a_language_are_not_overlooked() -> None:
    rng = np.random.default_rng(6)
    covered = {"both": 0, "missing": 0}
    for _ in range(300):
        queries, effects = rng.normal(0, 0.1, 40), rng.normal(0, 0.05, 3)
        runs = {
            name: dict(zip(map(str, range(40)), queries + effect + rng.normal(0, 0.05, 40), strict=True))
            for name, effect in zip("abc", effects, strict=True)
        }
        first, last = ({name: runs[name] for name in names} for names in ("ab", "bc"))
        low, high = estimate([(1.0, first), (-1.0, last)]).interval()
        covered["both"] += low <= 0 <= high
        low, high = estimate([(0.5, runs), (0.5, first)]).interval()
        covered["missing"] += low <= 0 <= high
    assert covered["both"] / 300 >= 0.94
    assert covered["missing"] / 300 >= 0.91


def test_of_the_same_runs_on_both_sides_nothing_varies() -> None:
    runs = sample([0.1, 0.9, 0.4], [0.3, 0.2, 0.6])
    assert estimate([(1.0, runs), (-1.0, runs)]) == Estimate(0.0, 0.0, 2)


def _languages(rng: np.random.Generator, counts: dict[str, tuple[int, int]]) -> list[tuple[float, Sample]]:
    """A macro average of 0 over languages of other queries and students, so many of each; a single one is as it is."""
    return [
        (
            1 / len(counts),
            {
                f"{language}{r}": dict(zip(names, queries + effect + rng.normal(0, 0.1, n), strict=True))
                for r, effect in enumerate(rng.normal(0, 0.02 if runs > 1 else 0.0, runs))
            },
        )
        for language, (n, runs) in counts.items()
        for names, queries in [([f"{language} {q}" for q in range(n)], rng.normal(0, 0.3, n))]
    ]


@pytest.mark.parametrize(
    "counts",
    [
        {"yo": (5, 1), "sw": (200, 1)},
        {"yo": (8, 3), "sw": (100, 3), "ha": (40, 3)},
        {"yo": (60, 3), "sw": (60, 2), "ha": (60, 3)},
    ],
)
def test_an_interval_covers_the_truth_whatever_the_languages_have(counts: dict[str, tuple[int, int]]) -> None:
    rng = np.random.default_rng(7)
    found = [estimate(_languages(rng, counts)).interval() for _ in range(500)]
    assert 0.92 <= np.mean([low <= 0 <= high for low, high in found]) <= 0.99


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
    found = [estimate(_study(rng, seeds, spread, languages, shared)).p for _ in range(600)]
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


def test_one_query_says_nothing_of_others() -> None:
    alone = estimate([(1.0, sample([0.25]))])
    assert (alone.value, alone.p, alone.interval(bounds=(0, 1))) == (0.25, 1.0, (0.0, 1.0))
    assert alone.p_equivalence(0.5) == 0.5
    beside = {"other": {"r1": 0.2, "r2": 0.4, "r3": 0.3}}
    assert estimate([(0.5, sample([0.25])), (0.5, beside)]).interval() == (-math.inf, math.inf)


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
    # Of what was counted it is as certain as the sign test: two queries that agree prove nothing.
    for count, p in ((2, 0.5), (5, 1 / 16), (9, 1 / 256)):
        found = estimate([(1.0, sample([1.0] * count)), (-1.0, sample([0.5] * count, name="other"))])
        assert (found.value, found.error, found.p) == (0.5, 0.0, p)
        assert found.p == stats.binomtest(0, count).pvalue
        same = estimate([(1.0, sample([0.5] * count)), (-1.0, sample([0.5] * count, name="other"))])
        assert (same.p, same.p_equivalence(0.02)) == (1.0, p / 2)
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
