"""What is drawn is what was asked for, and the same for every number of ranks."""

from collections import Counter

import numpy as np
import pytest

from clir_ot.data import sampler as sampler_module
from clir_ot.data.sampler import BatchPlan, HybridBatchSampler
from clir_ot.errors import UserError

LANGUAGES = ("en", "yo", "sw")
QUERIES = {f"q{i}": (0, i % 23) for i in range(300)}
RANKINGS = {(a, b): QUERIES for a in LANGUAGES for b in LANGUAGES}
BITEXT = {"yo": [(i % 7, i % 17) for i in range(100)], "sw": [(5, 5)] * 60}


def epochs(sampler: HybridBatchSampler, count: int) -> list[BatchPlan]:
    return [plan for epoch in epochs_apart(sampler, count) for plan in epoch]


def epochs_apart(sampler: HybridBatchSampler, count: int) -> list[list[BatchPlan]]:
    found = []
    for epoch in range(count):
        sampler.set_epoch(epoch)
        found.append(list(sampler))
    return found


def test_an_epoch_of_bitext_visits_every_pair_once() -> None:
    # 160 pairs: 23 batches of 7, and one row of the last batch drawn again.
    plans = list(HybridBatchSampler({}, BITEXT, bitext_rate=1.0, batch_size=7))
    items = Counter(row.item for plan in plans for row in plan.rows)
    assert len(plans) == 23
    assert items.keys() == {(name, i) for name, lengths in BITEXT.items() for i in range(len(lengths))}
    assert sum(items.values()) == 161


def test_padding_stays_under_a_tenth_on_both_sides_together() -> None:
    # Lengths as in sentences and their translations: long-tailed, and correlated by half.
    chance = np.random.default_rng(0)
    english = np.clip(chance.lognormal(2.2, 0.7, 1600), 4, 64).astype(int)
    foreign = np.clip(english * chance.lognormal(0.6, 0.35, 1600), 4, 64).astype(int)
    lengths = {"yo": list(zip(english.tolist(), foreign.tolist(), strict=True))}
    # Without English rows, which are drawn from a batch afterwards: what they cost, tests/systems/test_padding.py sees.
    sampler = HybridBatchSampler({}, lengths, bitext_rate=1.0, batch_size=16)
    real = padded = at_random = 0
    for plan in epochs(sampler, 3):
        sides = zip(*(sampler._lengths(row) for row in plan.rows), strict=True)
        for side in sides:
            real, padded = real + sum(side), padded + len(side) * max(side)
    for _ in range(300):
        side = chance.choice(english, 16)
        at_random += 1 - side.sum() / (16 * side.max())
    assert 1 - real / padded < 0.1
    assert at_random / 300 > 0.3


def test_an_epoch_of_one_language_visits_every_query() -> None:
    plans = list(HybridBatchSampler({("en", "en"): QUERIES}, {}, batch_size=32))
    items = [row.item for plan in plans for row in plan.rows]
    assert len(plans) == 10
    assert set(items) == QUERIES.keys()
    spreads = [max(found) - min(found) for found in ([QUERIES[row.item][1] for row in plan.rows] for plan in plans)]
    assert sum(spreads) / len(spreads) < 6  # at random it is about 22


def test_an_epoch_is_as_long_whatever_alpha_is() -> None:
    lengths = [len(HybridBatchSampler(RANKINGS, {}, alpha=alpha, batch_size=32)) for alpha in (0.0, 0.5, 1.0)]
    assert lengths == [29, 29, 29]  # 300 queries in three languages, by 32


@pytest.mark.parametrize("world_size", [1, 2])
@pytest.mark.parametrize(("alpha", "bitext_rate", "english"), [(0.25, 0.5, 0.2), (0.75, 0.0, 0.0), (0.5, 0.3, 0.25)])
def test_every_beginning_of_an_epoch_is_within_a_batch_of_the_asked_shares(
    alpha: float, bitext_rate: float, english: float, world_size: int
) -> None:
    data = {"alpha": alpha, "bitext_rate": bitext_rate, "english_share": english if bitext_rate else 0.0}
    for seed in range(4):
        sampler = HybridBatchSampler(RANKINGS, BITEXT, **data, batch_size=16, seed=seed, world_size=world_size)
        for epoch in epochs_apart(sampler, 3):
            kinds, languages, rows = Counter(), Counter(), 0
            for number, plan in enumerate(epoch, start=1):
                kinds[plan.kind] += 1
                everywhere = [row for rank in (plan.rows, *plan.others) for row in rank]
                if plan.kind == "monolingual":
                    languages[everywhere[0].query_language] += 1
                if plan.kind == "bitext":
                    rows += sum(row.query_language == "en" for row in everywhere)
                rankings = number - kinds["bitext"]
                assert abs(kinds["bitext"] - number * bitext_rate) < 1
                assert abs(kinds["monolingual"] - rankings * alpha) < 1
                assert abs(rows - kinds["bitext"] * 16 * data["english_share"]) < 1
                for language in LANGUAGES:
                    assert abs(languages[language] - kinds["monolingual"] / 3) < 1


def test_each_kind_begins_an_epoch_as_often_as_its_share_says() -> None:
    """Exact shares are no use where short epochs all begin alike."""
    sampler = HybridBatchSampler(RANKINGS, BITEXT, alpha=0.75, batch_size=16)
    first = Counter(epoch[0].kind for epoch in epochs_apart(sampler, 200))
    assert first["cross-lingual"] / 200 == pytest.approx(0.25, abs=0.1)


def test_kinds_and_languages_of_rows() -> None:
    sampler = HybridBatchSampler(RANKINGS, BITEXT, alpha=0.25, bitext_rate=0.5, english_share=0.2, batch_size=16)
    plans = epochs(sampler, 60)
    for plan in plans:
        pairs = {(row.query_language, row.document_language) for row in plan.rows}
        if plan.kind == "monolingual":
            assert len(pairs) == 1
            assert all(a == b for a, b in pairs)
        if plan.kind == "cross-lingual":
            assert all(a != b for a, b in pairs)
    cross = Counter(
        (row.query_language, row.document_language)
        for plan in plans
        if plan.kind == "cross-lingual"
        for row in plan.rows
    )
    assert len(cross) == 6
    assert min(cross.values()) / sum(cross.values()) > 0.14


def test_ranks_share_the_batches_of_one_process() -> None:
    options = {"alpha": 0.5, "bitext_rate": 0.3, "batch_size": 15, "seed": 3}
    alone = list(HybridBatchSampler(RANKINGS, BITEXT, **options))
    ranks = [list(HybridBatchSampler(RANKINGS, BITEXT, **options, rank=r, world_size=2)) for r in range(2)]
    for whole, first, second in zip(alone, *ranks, strict=True):
        assert whole.kind == first.kind == second.kind
        assert sorted(map(str, whole.rows)) == sorted(map(str, [*first.rows, *second.rows]))


@pytest.mark.parametrize(
    ("rankings", "bitext", "options"),
    [
        ({("en", "en"): QUERIES}, {}, {"batch_size": 32}),
        (RANKINGS, {}, {"batch_size": 32, "alpha": 0.5}),
        (RANKINGS, {}, {"batch_size": 32, "mode": "X-X"}),
        ({}, BITEXT, {"batch_size": 48, "bitext_rate": 1.0, "english_share": 0.25}),
        ({}, {"yo": [(5, 5)] * 17}, {"batch_size": 16, "bitext_rate": 1.0}),
    ],
)
def test_no_row_is_on_two_ranks_in_batches_that_are_filled_up(rankings: dict, bitext: dict, options: dict) -> None:
    """300 queries are no multiple of 32: a pass draws 20 a second time, and like lengths put them side by side."""
    per_epoch = []
    for rank in range(2):
        sampler = HybridBatchSampler(rankings, bitext, **options, rank=rank, world_size=2)
        per_epoch.append(epochs(sampler, 6))
    for first, second in zip(*per_epoch, strict=True):
        own, other = ({(row.item, row.query_language) for row in plan.rows} for plan in (first, second))
        assert len(own) == len(first.rows)
        assert len(own) + len(other) == options["batch_size"]
        assert not own & other


def test_nor_where_the_batch_that_is_filled_up_is_a_window_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler_module, "_WINDOW", 2)
    plans = epochs(HybridBatchSampler({}, {"yo": [(i % 7, 5) for i in range(40)]}, bitext_rate=1.0, batch_size=16), 9)
    assert len(plans) == 27
    assert all(len({row.item for row in plan.rows}) == 16 for plan in plans)


def test_filling_up_draws_no_row_three_times() -> None:
    rows = {"yo": [(i % 5, 5) for i in range(40)]}
    for epoch in epochs_apart(HybridBatchSampler({}, rows, bitext_rate=1.0, batch_size=16), 20):
        times = Counter(row.item for plan in epoch for row in plan.rows)
        assert Counter(times.values()) == {1: 32, 2: 8}  # 48 rows of 40 pairs


def test_epochs_differ_and_repeat() -> None:
    sampler = HybridBatchSampler(RANKINGS, {}, batch_size=16)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"alpha": 1.5}, r"data\.alpha is 1\.5"),
        ({"english_share": -0.1}, r"data\.english_share is -0\.1"),
        ({"batch_size": 301}, "has 300 training queries"),
        ({"bitext_rate": 1.0}, "none of data.languages has bitext"),
        ({"batch_size": 0}, r"data\.batch_size is 0; it must be at least 1"),
        ({"batch_size": 901, "mode": "X-X"}, "there are 900 training queries; lower it"),
        ({"batch_size": 301, "alpha": 0.0}, "300 training queries are there for cross-lingual batches; lower it"),
        ({"language_temperature": float("inf")}, r"data\.language_temperature is inf"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        HybridBatchSampler(RANKINGS, {}, **options)


@pytest.mark.parametrize(
    ("bitext", "expected"),
    [
        ({"yo": [(5, 5)] * 17, "sw": [(5, 5)] * 15}, "but the bitext has 32 pairs; lower it"),
        ({"yo": [(5, 5)] * 40, "sw": []}, "the bitext in 'sw' has no pairs; leave the language out"),
    ],
)
def test_a_bitext_smaller_than_a_batch_is_refused_at_once(bitext: dict, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        HybridBatchSampler({}, bitext, bitext_rate=1.0, batch_size=33)


def test_a_tiny_temperature_draws_the_largest_language() -> None:
    rankings = {("en", "en"): QUERIES, ("yo", "yo"): {f"q{i}": (0, 1) for i in range(290)}}
    plans = list(HybridBatchSampler(rankings, {}, batch_size=15, language_temperature=1e-4))
    assert {row.query_language for plan in plans for row in plan.rows} == {"en"}


def test_cross_lingual_batches_need_two_languages() -> None:
    with pytest.raises(UserError, match="cross-lingual batches need two languages"):
        HybridBatchSampler({("en", "en"): QUERIES}, {}, alpha=0.5)


def kinds(**options) -> Counter:
    return Counter(plan.kind for plan in epochs(HybridBatchSampler(RANKINGS, {}, batch_size=16, **options), 10))


def test_the_modes_of_lareqa() -> None:
    assert kinds(mode="X-X-mono").keys() == {"monolingual"}
    assert kinds(mode="X-Y").keys() == {"cross-lingual"}
    assert kinds(mode="X-X").keys() == {"multilingual"}
    mixed = [plan for plan in HybridBatchSampler(RANKINGS, {}, mode="X-X", batch_size=16) if plan.rows]
    assert all(row.query_language == row.document_language for plan in mixed for row in plan.rows)
    assert all(len({row.query_language for row in plan.rows}) > 1 for plan in mixed)
    visited = Counter((row.query_language, row.item) for plan in mixed for row in plan.rows)
    assert visited.keys() == {(language, query) for language in LANGUAGES for query in QUERIES}
    english = HybridBatchSampler({("en", "en"): QUERIES}, {}, mode="En-En", batch_size=16)
    assert {row.query_language for plan in english for row in plan.rows} == {"en"}
    with pytest.raises(UserError, match=r"mode is En-En; set data\.languages to en"):
        HybridBatchSampler(RANKINGS, {}, mode="En-En")
    with pytest.raises(UserError, match=r"data\.alpha is 0\.5, but mode X-Y has none"):
        HybridBatchSampler(RANKINGS, {}, mode="X-Y", alpha=0.5)


@pytest.mark.parametrize(("temperature", "expected"), [(None, 1 / 2), (1.0, 4 / 5), (2.0, 2 / 3)])
def test_languages_are_drawn_by_temperature(temperature: float | None, expected: float) -> None:
    small = {name: QUERIES[name] for name in list(QUERIES)[:75]}
    sampler = HybridBatchSampler(
        {("en", "en"): QUERIES, ("yo", "yo"): small}, {}, batch_size=15, language_temperature=temperature
    )
    drawn = Counter(plan.rows[0].query_language for plan in epochs(sampler, 60))
    assert drawn["en"] / sum(drawn.values()) == pytest.approx(expected, abs=0.02)
    with pytest.raises(UserError, match="language_temperature is 0"):
        HybridBatchSampler(RANKINGS, {}, language_temperature=0.0)
