"""How two systems compare: by hand, and that means and their difference are of the same thing."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import estimate
from clir_ot.evaluation.systems import Measured, compare, compare_all, together
from clir_ot.evaluation.table import as_json, render

M = "MRR@10"


def measured(name: str, language: str, *runs: dict[str, float]) -> Measured:
    return Measured(name, language, {f"{name}/{number}": {M: run} for number, run in enumerate(runs)})


def test_queries_are_paired_by_name_and_a_positive_difference_favours_the_system() -> None:
    a = measured("a", "yo", {"q1": 0.2, "q2": 0.5, "q3": 0.9, "q4": 0.1, "q5": 0.3})
    b = measured("b", "yo", {"q5": 0.8, "q4": 0.6, "q3": 0.8, "q2": 0.5, "q1": 0.6})
    found = compare([b], [a], M)
    assert found.difference.value == pytest.approx(0.26)
    assert (found.wins, found.ties, found.losses) == (3, 1, 1)
    assert found.difference.p == pytest.approx(stats.ttest_1samp([0.4, 0, -0.1, 0.5, 0.5], 0).pvalue)
    assert (found.system, found.baseline, found.languages, found.runs) == ("b", "a", ("yo",), (1, 1))
    swapped = compare([a], [b], M)
    assert swapped.difference.value == -found.difference.value
    assert (swapped.wins, swapped.losses) == (1, 3)


def test_seeds_of_one_system_are_pooled_query_by_query() -> None:
    pooled = together(
        [Measured("x", "yo", {n: {M: v}}) for n, v in (("a", {"q": 1.0, "r": 0.0}), ("b", {"q": 0.5, "r": 0.25}))]
    )
    assert pooled.values == {M: {"q": 0.75, "r": 0.125}}
    assert pooled.span(M) == (0.375, 0.5)
    assert pooled.mean(M) == pytest.approx(0.4375)


def test_an_interval_stays_within_the_measure_and_not_within_the_few_values_seen() -> None:
    assert measured("x", "yo", {"q": 0.0, "r": 0.0, "s": 1.0}).interval(M) == (0.0, 1.0)
    values = [0.4, 0.5, 0.6]
    theirs = stats.ttest_1samp(values, 0).confidence_interval()
    assert measured("x", "yo", dict(zip("qrs", values, strict=True))).interval(M) == pytest.approx(tuple(theirs))
    assert theirs.low < 0.4


def test_what_differs_by_rounding_is_level() -> None:
    seeds = measured("a", "yo", *[{"q": 0.1, "r": 0.7}] * 3)
    assert seeds.values[M]["q"] != 0.1  # the mean of three
    found = compare([seeds], [measured("b", "yo", {"q": 0.1, "r": 0.7})], M)
    assert (found.wins, found.ties, found.losses, found.count) == (0, 2, 0, 2)
    assert found.verdict() == "no difference shown"


def test_a_table_says_over_how_many_queries_each_figure_is() -> None:
    yo, sw = measured("a", "yo", {"1": 0.1, "2": 0.5, "3": 0.9}), measured("a", "sw", {"1": 0.4, "4": 0.8})
    better = measured("b", "yo", {"1": 0.3, "2": 0.5, "3": 0.8})
    comparisons = compare_all([([better], [yo])], M)
    lines = render([yo, sw, better], comparisons).splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    assert [row[:3] for row in rows[1:]] == [
        ["a", "Yoruba", "3"], ["a", "Swahili", "2"], ["b", "Yoruba", "3"], ["a", "mean of 2 languages", "4"],
    ]  # fmt: skip
    macro = estimate([(0.5, yo.sample(M)), (0.5, sw.sample(M))])
    assert rows[-1][3] == f"0.550 [{max(0, macro.interval()[0]):.3f}, {min(1, macro.interval()[1]):.3f}]"
    assert lines[-1].endswith("n = 3: no difference shown")
    (said,) = as_json([yo], comparisons)["comparisons"]
    assert (said["queries"], said["margin"]) == (3, 0.02)
    assert said["p_equivalence"] == comparisons[0].difference.p_equivalence(0.02) > 0.05


values = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1), min_size=2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(values, st.integers(1, 3), st.integers(1, 3), st.randoms()), min_size=1, max_size=4))
def test_a_difference_is_that_of_the_means_beside_it(
    languages: Sequence[tuple[dict[str, float], int, int, object]],
) -> None:
    """Over random studies of unequal languages, queries and seeds."""
    ours, theirs = [], []
    for number, (queries, mine, other, chance) in enumerate(languages):
        code = f"l{number}"
        ours.append(measured("a", code, *({q: chance.random() for q in queries} for _ in range(mine))))  # type: ignore[attr-defined]
        theirs.append(measured("b", code, *({q: chance.random() for q in queries} for _ in range(other))))  # type: ignore[attr-defined]
    found = compare(ours, theirs, M)
    macro = [sum(one.mean(M) for one in side) / len(side) for side in (ours, theirs)]
    assert found.difference.value == pytest.approx(macro[0] - macro[1], abs=1e-12)
    low, high = found.difference.interval()
    assert low <= found.difference.value <= high


def test_a_family_is_corrected_and_verdicts_follow() -> None:
    a = measured("a", "yo", {str(q): 0.0 for q in range(9)})
    b = measured("b", "yo", {str(q): 0.5 + q / 100 for q in range(9)})
    better, same = compare_all([([b], [a]), ([a], [a])], M)
    assert (better.verdict(), same.verdict(), compare_all([([a], [b])], M)[0].verdict()) == (
        "better", "no difference shown", "worse",
    )  # fmt: skip
    assert better.p_adjusted == pytest.approx(2 * better.difference.p)
    assert same.equivalence() == "within 0.02 of it"
    assert better.equivalence() == "not shown to be within 0.02 of it"


def test_other_queries_and_a_single_one_are_refused() -> None:
    a = measured("a", "yo", {"q1": 0.1, "q2": 0.2, "q3": 0.3})
    with pytest.raises(UserError, match=r"^3 queries .* such as 'q2'"):
        compare([a], [measured("b", "yo", {"q1": 0.1, "q9": 0.2})], M)
    with pytest.raises(UserError, match="over one query says nothing"):
        compare([measured("a", "yo", {"q": 0.1})], [measured("b", "yo", {"q": 0.2})], M)
