"""The measures against trec_eval itself (through pytrec_eval), and by hand where that has no measure."""

import math
import random

import pytest
import pytrec_eval

from clir_ot.collections.trec import Qrels, Run, ranking
from clir_ot.errors import UserError
from clir_ot.evaluation.metrics import DEFAULT_MEASURES, evaluate_run, mean

CUTOFFS = (1, 3, 10, 100)
TREC_EVAL_NAMES = {
    "AP": "map",
    "MAP": "map",
    "RR": "recip_rank",
    "MRR": "recip_rank",
    "nDCG": "ndcg",
    **{f"AP@{k}": f"map_cut_{k}" for k in CUTOFFS},
    **{f"MAP@{k}": f"map_cut_{k}" for k in CUTOFFS},
    **{f"nDCG@{k}": f"ndcg_cut_{k}" for k in CUTOFFS},
    **{f"P@{k}": f"P_{k}" for k in CUTOFFS},
    **{f"R@{k}": f"recall_{k}" for k in CUTOFFS},
    **{f"Recall@{k}": f"recall_{k}" for k in CUTOFFS},
}


def random_run_and_qrels(seed: int) -> tuple[Run, Qrels]:
    """Ties, negative scores, grades from -1 to 3, unjudged and unretrieved documents and queries."""
    rng = random.Random(seed)
    documents = [f"d{i}" for i in range(150)]
    run: Run = {}
    qrels: Qrels = {}
    for q in range(30):
        scores = [rng.choice([rng.gauss(0, 1), rng.randint(-3, 3), rng.randint(-3, 3) + 1e-9]) for _ in documents]
        run[f"q{q}"] = dict(rng.sample(list(zip(documents, scores, strict=True)), rng.randint(1, 150)))
        judged = rng.sample(documents, rng.randint(1, 60))
        qrels[f"q{q}"] = {document: rng.choice([-1, 0, 0, 1, 2, 3]) for document in judged}
    qrels["q0"] = dict.fromkeys(documents[:5], 0)
    for query in ("q1", "q2"):
        del run[query]
    for query in ("q3", "q4"):
        del qrels[query]
    return run, qrels


@pytest.mark.parametrize("seed", range(10))
def test_values_are_those_of_trec_eval(seed: int) -> None:
    run, qrels = random_run_and_qrels(seed)
    families = {"map", "recip_rank", "ndcg"} | {
        f"{name}.{','.join(map(str, CUTOFFS))}" for name in ("map_cut", "ndcg_cut", "P", "recall")
    }
    expected = pytrec_eval.RelevanceEvaluator(qrels, families).evaluate(run)
    values = evaluate_run(run, qrels, TREC_EVAL_NAMES)
    assert list(values) == list(TREC_EVAL_NAMES)
    for measure, theirs in TREC_EVAL_NAMES.items():
        assert list(values[measure]) == list(qrels)
        for query, value in values[measure].items():
            reference = expected[query][theirs] if query in expected else 0.0
            assert value == pytest.approx(reference, abs=1e-9), (measure, query)
    assert sum(values["AP"].values()) > 1
    assert not {"q1", "q2"} & expected.keys()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [1, 2, 10])
def test_reciprocal_rank_within_k_is_that_of_a_run_cut_at_k(seed: int, k: int) -> None:
    run, qrels = random_run_and_qrels(seed)
    cut = {query: {document: scores[document] for document in ranking(scores)[:k]} for query, scores in run.items()}
    expected = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    values = evaluate_run(run, qrels, [f"RR@{k}", f"MRR@{k}"])
    assert values[f"RR@{k}"] == values[f"MRR@{k}"]
    for query, value in values[f"RR@{k}"].items():
        assert value == (expected[query]["recip_rank"] if query in expected else 0.0)


def test_default_measures_by_hand() -> None:
    run = {"q": {f"d{rank:02}": 100.0 - rank for rank in range(1, 21)}}
    qrels = {"q": {"d02": 2, "d05": 1, "d11": 3, "absent": 1, "d01": 0, "d03": -1}}
    values = evaluate_run(run, qrels)
    assert list(values) == list(DEFAULT_MEASURES)
    assert values["MRR@10"]["q"] == 1 / 2
    assert values["MAP"]["q"] == pytest.approx((1 / 2 + 2 / 5 + 3 / 11) / 4)
    assert values["R@10"]["q"] == 2 / 4
    assert values["R@100"]["q"] == 3 / 4
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    assert values["nDCG@10"]["q"] == pytest.approx((2 / math.log2(3) + 1 / math.log2(6)) / ideal)


def test_a_query_without_any_judgement_is_left_out() -> None:
    values = evaluate_run({"q": {"a": 1.0}, "r": {"a": 1.0}}, {"q": {"a": 1}, "r": {}}, ["MAP"])
    assert values == {"MAP": {"q": 1.0}}


@pytest.mark.parametrize("measure", ["BLEU", "P", "R", "R@0", "R@-1", "nDCG@", "ndcg@10", "AP@ten", "MAP@10 ", ""])
def test_an_unknown_measure_is_named_with_the_accepted_ones(measure: str) -> None:
    with pytest.raises(UserError) as raised:
        evaluate_run({"q": {"a": 1.0}}, {"q": {"a": 1}}, ["MAP", measure])
    assert f"unknown measure {measure!r}" in str(raised.value)
    assert "nDCG@k" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("qrels", [{}, {"q": {}}])
def test_no_judgements_are_refused(qrels: Qrels) -> None:
    with pytest.raises(UserError, match="no relevance judgements"):
        evaluate_run({"q": {"a": 1.0}}, qrels)


def test_run_and_judgements_of_different_collections_are_refused() -> None:
    with pytest.raises(UserError, match=r"share no query: the run has \['q1'\], the judgements have \['1'\]"):
        evaluate_run({"q1": {"a": 1.0}}, {"1": {"a": 1}})


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(UserError, match="document 'b' has score nan"):
        evaluate_run({"q": {"a": 1.0, "b": math.nan}}, {"q": {"a": 1}})


def test_mean() -> None:
    assert mean({"a": 0.1, "b": 0.2, "c": 0.6}) == pytest.approx(0.3)
    with pytest.raises(UserError, match="mean over no queries"):
        mean({})
