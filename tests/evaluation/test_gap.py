"""The share of the gap closed, by hand and by simulation."""

import numpy as np
import pytest

from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import Estimate
from clir_ot.evaluation.gap import gap_closed


def closed(zero_shot: dict[str, float], system: dict[str, float], english: dict[str, float]) -> Estimate | None:
    return gap_closed({"teacher": zero_shot}, {"student": system}, {"teacher": english})


def test_the_share_is_that_of_the_means() -> None:
    found = closed({"a": 0.0, "b": 0.2}, {"a": 0.5, "b": 0.3}, {"a": 1.0, "b": 0.8, "c": 0.0})
    assert found is not None
    # Parallel queries: English counts over a and b, .9; (.4 - .1) / (.9 - .1).
    assert found.value == pytest.approx(0.375)
    # The share's linear part, query by query: .5 - .625 * 0 - .375 * 1 = .125 and .3 - .625 * .2 - .375 * .8 = -.125,
    # over the gap of .8; the standard error of the mean of +-.15625 is .15625.
    assert found.error == pytest.approx(0.15625)


def test_english_queries_of_their_own_count_all() -> None:
    found = closed({"a": 0.0, "b": 0.2}, {"a": 0.5, "b": 0.3}, {"x": 1.0, "y": 0.8, "z": 0.0})
    assert found is not None
    assert found.value == pytest.approx(0.3 / 0.5)


def test_there_is_no_gap_where_zero_shot_is_as_good() -> None:
    assert closed({"a": 0.9}, {"a": 1.0}, {"a": 0.9}) is None
    with pytest.raises(UserError, match="over the same queries"):
        closed({"a": 0.9}, {"b": 1.0}, {"a": 0.9})


@pytest.mark.parametrize("parallel", [True, False])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(parallel: bool) -> None:
    """Values of 100 queries drawn 200 times around known means: 95 % of the intervals hold the true share."""
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        ease = generator.normal(0, 0.1, 100)
        values = [mean + ease + generator.normal(0, 0.1, 100) for mean in (0.2, 0.5, 0.8)]
        zero, system, english = ({str(q): float(v) for q, v in enumerate(value)} for value in values)
        if not parallel:
            english = {f"e{query}": value for query, value in english.items()}
        found = closed(zero, system, english)
        assert found is not None
        low, high = found.interval()
        hits += low <= 0.5 <= high
    assert 180 <= hits <= 199
