"""The metric is `evaluate_run`'s mean, however the queries are dealt out.

Run as a script, this file is one of two processes.
"""

import json
import random
import sys
from pathlib import Path

import pytest
import torch

from clir_ot.errors import UserError
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.evaluation.torch_metric import RetrievalMeasures
from tests.forked import finish

MEASURES = ("MRR@10", "nDCG@10", "MAP", "P@5", "R@100")


def problem() -> tuple[dict, dict]:
    """Negative scores, ties, graded judgements, a query that finds nothing."""
    chance = random.Random(5)
    run = {f"q{i}": {f"d{d}": float(chance.randint(-9, -1)) for d in range(30)} for i in range(13)}
    qrels = {name: {f"d{d}": chance.randint(0, 2) for d in chance.sample(range(40), 8)} for name in run}
    return run | {"q3": {}}, qrels


def part(found: dict, names: list[str]) -> dict:
    return {name: found[name] for name in names}


def expected() -> dict[str, float]:
    return {name: mean(values) for name, values in evaluate_run(*problem(), MEASURES).items()}


def test_queries_may_come_in_any_portions() -> None:
    run, qrels = problem()
    metric = RetrievalMeasures(MEASURES)
    for names in (list(run)[:5], [], list(run)[5:]):
        metric.update(part(run, names), part(qrels, names))
    found = {name: float(value) for name, value in metric.compute().items()}
    assert found == pytest.approx(expected(), abs=1e-12)
    metric.reset()
    with pytest.raises(UserError, match="mean over no queries"):
        metric.compute()


def test_a_query_counts_once_and_must_not_change() -> None:
    metric = RetrievalMeasures(["MRR@10"])
    metric.update({"q": {"d": 1.0, "e": 2.0}}, {"q": {"d": 1}})
    metric.update({"q": {"d": 1.0, "e": 2.0}}, {"q": {"d": 1}})
    metric.update({"r": {"d": 1.0}}, {"r": {"d": 1}})
    assert float(metric.compute()["MRR@10"]) == 0.75
    metric.update({"q": {"d": 3.0, "e": 2.0}}, {"q": {"d": 1}})
    with pytest.raises(UserError, match="given twice"):
        metric.compute()


def test_an_unknown_measure_is_named_at_once() -> None:
    with pytest.raises(UserError, match="unknown measure 'precision'"):
        RetrievalMeasures(["precision"])


def test_two_processes_have_the_values_of_one(tmp_path: Path) -> None:
    """One of them without a query in the first round; in the second both have a query that the other has too."""
    finish([__file__, str(tmp_path)], ranks=2)
    for rank in (0, 1):
        rounds = json.loads((tmp_path / f"{rank}.json").read_text())
        assert all(found == pytest.approx(expected(), abs=1e-12) for found in rounds)
        assert len(rounds) == 2


def main(folder: str) -> None:
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    run, qrels = problem()
    names = list(run)
    rounds = []
    for shares in ((names, []), (names[:7], names[6:])):
        metric = RetrievalMeasures(MEASURES).to("cpu")
        metric.update(part(run, shares[rank]), part(qrels, shares[rank]))
        rounds.append({name: float(value) for name, value in metric.compute().items()})
    Path(folder, f"{rank}.json").write_text(json.dumps(rounds))
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
