"""Graded judgements, queries that are documents and ties of both trec_evals: against pytrec_eval, and by hand."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import pytrec_eval

from clir_ot.collections.trec import Qrels, Run, TrecEval, ranking, ranks, read_qrels, write_qrels, write_run
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.evaluation.torch_metric import RetrievalMeasures

NAMES = {
    "AP": "map",
    "RR": "recip_rank",
    "nDCG": "ndcg",
    "AP@10": "map_cut_10",
    "nDCG@10": "ndcg_cut_10",
    "P@10": "P_10",
    "R@10": "recall_10",
    "R@100": "recall_100",
}
ASKED = {"map", "recip_rank", "ndcg", "map_cut.10", "ndcg_cut.10", "P.10", "recall.10,100"}


def deep_learning_track(seed: int) -> tuple[Run, Qrels]:
    """Grades 0 to 3 as in TREC-DL 2019; a query of grade 1 at most, one of 0 alone, one that is not in the run."""
    rng = random.Random(seed)
    passages = [str(number) for number in range(400)]
    run: Run = {}
    qrels: Qrels = {}
    for q in range(43):
        run[f"q{q}"] = {p: rng.choice([rng.gauss(0, 1), rng.randint(-1, 1)]) for p in rng.sample(passages, 150)}
        qrels[f"q{q}"] = {p: rng.choice([0, 0, 0, 1, 1, 2, 3]) for p in rng.sample(passages, 90)}
    qrels["q0"] = {p: min(grade, 1) for p, grade in qrels["q0"].items()}
    qrels["q1"] = dict.fromkeys(qrels["q1"], 0)
    del run["q2"]
    run["not judged"] = {"1": 1.0}
    return run, qrels


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_every_measure_at_a_level_is_trec_evals(level: int) -> None:
    run, qrels = deep_learning_track(level)
    expected = pytrec_eval.RelevanceEvaluator(qrels, ASKED, relevance_level=level).evaluate(run)
    found = evaluate_run(run, qrels, NAMES, Judging(relevance_level=level))
    for measure, theirs in NAMES.items():
        assert list(found[measure]) == list(qrels)
        for query, value in found[measure].items():
            reference = expected[query][theirs] if query in expected else 0.0
            assert value == pytest.approx(reference, abs=1e-9), (measure, query)
    # Without a relevant document trec_eval says 0 and does not leave the query out; its nDCG looks at no level.
    assert (expected["q0"]["map"] > 0) == (level == 1)
    assert expected["q0"]["ndcg"] > 0
    assert expected["q1"]["map"] == expected["q1"]["ndcg"] == 0.0


def test_the_command_has_the_means_of_trec_eval_over_all_judged_queries(
    tmp_path: Path, clir: Callable[..., str]
) -> None:
    run, qrels = deep_learning_track(5)
    write_run({q: s for q, s in run.items() if q != "not judged"}, tmp_path / "bm25.trec", "bm25")
    write_qrels(qrels, tmp_path / "2019qrels-pass.txt")
    assert read_qrels(tmp_path / "2019qrels-pass.txt") == qrels
    expected = pytrec_eval.RelevanceEvaluator(qrels, ASKED, relevance_level=2).evaluate(run)
    means = [sum(values[theirs] for values in expected.values()) / 43 for theirs in NAMES.values()]
    files = (tmp_path / "bm25.trec", "--qrels", tmp_path / "2019qrels-pass.txt", "--measures", ",".join(NAMES))
    printed = clir("evaluate", *files, "--relevance-level", 2)
    (row,) = (line for line in printed.splitlines() if line.startswith("| bm25"))
    assert [cell.split()[0] for cell in row.split("|")[4:-1]] == [f"{value:.3f}" for value in means]
    assert "judged: relevant is grade 2 and above (for nDCG every positive grade)" in printed
    assert "2 of 43 judged queries, 'q0' first, have no document of grade 2 or above: they count as 0" in printed
    assert "has no result for 1 of 43 judged queries, 'q2' first" in printed
    usual = clir("evaluate", *files)
    assert "judged:" not in usual
    assert "1 of 43 judged queries, 'q1' first, have no document of grade 1" in usual
    assert row not in usual


def test_a_level_below_one_is_refused_in_a_line(tmp_path: Path, clir: Callable[..., str]) -> None:
    (tmp_path / "run").write_text("q Q0 d 1 1 x\n")
    (tmp_path / "qrels").write_text("q 0 d 1\n")
    printed = clir("evaluate", tmp_path / "run", "--qrels", tmp_path / "qrels", "--relevance-level", 0)
    assert printed == "FAILED: clir-ot: the relevance level is 0; give the least grade that counts, 1 or more"


def test_a_query_that_is_a_document_does_not_find_itself() -> None:
    """As BEIR's EvaluateRetrieval does: taken out of the ranking, and of nothing else."""
    run = {"a": {"a": 9.0, "b": 2.0, "c": 1.0}, "b": {"b": 1.0}, "z": {"c": 1.0}}
    qrels = {"a": {"c": 1}, "b": {"c": 1}, "z": {"c": 1}}
    without = {query: {d: s for d, s in scores.items() if d != query} for query, scores in run.items()}
    found = evaluate_run(run, qrels, ["RR"], Judging(ignore_identical_ids=True))
    assert found == evaluate_run(without, qrels, ["RR"]) == {"RR": {"a": 1 / 2, "b": 0.0, "z": 1.0}}
    assert evaluate_run(run, qrels, ["RR"])["RR"]["a"] == 1 / 3
    assert run["a"]["a"] == 9.0


# By what less than single precision tells apart, and by what no number does.
CLOSE = {"a": 1 + 1e-9, "b": 1.0, "c": 1 + 2e-9, "d": 1.0, "e": 1e300, "f": 1e299, "g": -1e-50, "h": 0.0}


@pytest.mark.parametrize(
    ("version", "order"),
    [(9, ["f", "e", "d", "c", "b", "a", "h", "g"]), (10, ["e", "f", "c", "a", "d", "b", "h", "g"])],
)
def test_trec_eval_10_tells_apart_what_9_ties(version: TrecEval, order: list[str]) -> None:
    assert ranking(CLOSE, version) == order
    assert ranks(CLOSE, order, version) == list(range(1, 9))
    for place, document in enumerate(order, start=1):
        found = evaluate_run({"q": CLOSE}, {"q": {document: 1}}, ["RR"], Judging(trec_eval=version))
        assert found["RR"]["q"] == 1 / place
        if version == 9:
            theirs = pytrec_eval.RelevanceEvaluator({"q": {document: 1}}, {"recip_rank"}).evaluate({"q": CLOSE})
            assert theirs["q"]["recip_rank"] == 1 / place


@pytest.mark.parametrize("seed", range(3))
def test_single_scores_are_alike_in_both(seed: int) -> None:
    """Our own rankings have such: 9 and 10 can differ on those of others alone."""
    rng = random.Random(seed)
    scores = {f"d{i}": rng.randint(-(2**20), 2**20) / 2**14 for i in range(300)}
    assert ranking(scores, 9) == ranking(scores, 10)
    assert ranking(scores, 10) == sorted(scores, key=lambda d: (scores[d], d), reverse=True)


def test_the_command_takes_the_version(tmp_path: Path, clir: Callable[..., str]) -> None:
    (tmp_path / "run").write_text("q Q0 b 1 1.000000002 x\nq Q0 c 2 1.000000001 x\n")
    (tmp_path / "qrels").write_text("q 0 b 1\n")
    asked = ("evaluate", tmp_path / "run", "--qrels", tmp_path / "qrels", "--measures", "RR")
    nine, ten = (clir(*asked, "--trec-eval", version) for version in (9, 10))
    assert "0.500" in nine
    assert "1.000" in ten
    assert "judged: ties are those of trec_eval 10" in ten
    assert nine == clir(*asked)


def test_the_metric_judges_alike() -> None:
    run, qrels = deep_learning_track(6)
    judging = Judging(relevance_level=2, trec_eval=10)
    metric = RetrievalMeasures(NAMES, judging)
    metric.update(run, qrels)
    expected = {name: mean(values) for name, values in evaluate_run(run, qrels, NAMES, judging).items()}
    assert {name: float(value) for name, value in metric.compute().items()} == pytest.approx(expected, abs=1e-12)
    assert expected != {name: mean(values) for name, values in evaluate_run(run, qrels, NAMES).items()}


def test_only_what_is_unusual_is_said() -> None:
    assert (USUAL.options(), USUAL.notes()) == ([], [])
    unusual = Judging(2, True, 10)
    assert unusual.options() == ["--relevance-level", "2", "--ignore-identical-ids", "--trec-eval", "10"]
    assert len(unusual.notes()) == 3
    with pytest.raises(UserError, match="level is -1"):
        Judging(-1)
