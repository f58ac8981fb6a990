"""What of an evaluation goes to Weights & Biases, on figures that are known."""

import pytest

from clir_ot.evaluation.judging import Judging
from clir_ot.evaluation.systems import Measured, compare_all
from clir_ot.tracking.log_evaluation import Evaluation


def measured(name: str, language: str, *values: float) -> Measured:
    return Measured(name, language, {name: {"MRR@10": {f"q{i}": value for i, value in enumerate(values)}}})


def test_the_summary_has_the_run_the_others_and_the_gap() -> None:
    results = [
        measured("English reference", "en", 1.0, 0.8),
        measured("zero-shot", "yo", 0.2, 0.2),
        measured("distilled", "yo", 0.6, 0.7),
        measured("distilled, diacritics", "yo", 0.5, 0.5),
        measured("distilled", "en", 0.9, 0.9),
    ]
    evaluation = Evaluation("distilled", "test", results, [])
    assert evaluation.summary() == {
        "test/en/English reference/MRR@10": pytest.approx(0.9),
        "test/yo/zero-shot/MRR@10": pytest.approx(0.2),
        "test/yo/MRR@10": pytest.approx(0.65),
        "test/yo/diacritics/MRR@10": pytest.approx(0.5),
        "test/en/MRR@10": pytest.approx(0.9),
        "test/yo/gap_closed": pytest.approx((0.65 - 0.2) / (0.9 - 0.2)),
    }
    header, rows = evaluation.table()
    assert header == ["system", "language", "queries", "MRR@10", "MRR@10 low", "MRR@10 high"]
    assert rows[2][:4] == ["distilled", "yo", 2, pytest.approx(0.65)]
    assert rows[2][4] <= 0.65 <= rows[2][5]


def test_comparisons_say_over_how_many_queries() -> None:
    ours, theirs = measured("distilled", "yo", 0.6, 0.7, 0.2), measured("zero-shot", "yo", 0.2, 0.2, 0.2)
    header, (row,) = Evaluation("distilled", "test", [], compare_all([([ours], [theirs])])).tests()
    assert dict(zip(header, row, strict=True))["queries"] == 3


def test_without_a_teacher_there_is_no_gap() -> None:
    summary = Evaluation("hybrid", "test", [measured("hybrid", "yo", 0.5)], []).summary()
    assert summary == {"test/yo/MRR@10": 0.5}


def test_figures_of_another_judging_do_not_stand_in_place_of_the_usual_ones() -> None:
    evaluation = Evaluation("hybrid", "test", [measured("hybrid", "yo", 0.5)], [], judging=Judging(2, True))
    assert evaluation.summary() == {"relevance-level 2 ignore-identical-ids/test/yo/MRR@10": 0.5}
