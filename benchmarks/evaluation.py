"""Measures of a run beside torchmetrics and pytrec_eval: 1,000 queries, 1,000 results each.

    python benchmarks/evaluation.py --queries 1000 --results 1000 --rounds 7

Every side gives MRR@10, nDCG@10, MAP, R@10 and R@100 of each query. torchmetrics gets tensors, as its functions want
them; clir-ot and pytrec_eval get dictionaries of names. Sides take turns; times are seconds of the processor, medians.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytrec_eval
import torch
from torchmetrics.retrieval import RetrievalMAP, RetrievalMRR, RetrievalNormalizedDCG, RetrievalRecall

from clir_ot.collections.trec import Qrels, Run
from clir_ot.evaluation.metrics import DEFAULT_MEASURES, evaluate_run


def make(queries: int, results: int) -> tuple[Run, Qrels]:
    """Every query has 5 relevant documents, of which some are retrieved; scores are MaxSim's, between 0 and 1."""
    chance = random.Random(0)
    run, qrels = {}, {}
    for q in range(queries):
        names = chance.sample(range(10 * results), results)
        run[f"q{q}"] = {f"d{d}": chance.random() for d in names}
        judged = chance.sample(names, 3) + chance.sample(range(10 * results), 2)
        qrels[f"q{q}"] = {f"d{d}": chance.randint(1, 3) for d in judged}
    return run, qrels


def ours(run: Run, qrels: Qrels) -> float:
    return float(np.mean([*evaluate_run(run, qrels)["nDCG@10"].values()]))


def theirs(evaluator: pytrec_eval.RelevanceEvaluator, run: Run) -> float:
    return float(np.mean([values["ndcg_cut_10"] for values in evaluator.evaluate(run).values()]))


def torchmetrics_(scores: torch.Tensor, grades: torch.Tensor, indexes: torch.Tensor) -> float:
    metrics = (
        RetrievalMRR(top_k=10), RetrievalNormalizedDCG(top_k=10), RetrievalMAP(), RetrievalRecall(top_k=10),
        RetrievalRecall(top_k=100),
    )  # fmt: skip
    values = []
    for metric in metrics:
        target = grades if isinstance(metric, RetrievalNormalizedDCG) else (grades > 0).long()
        metric.update(scores, target, indexes=indexes)
        values.append(float(metric.compute()))
    return values[1]


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--results", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run, qrels = make(arguments.queries, arguments.results)
    scores = torch.tensor([score for found in run.values() for score in found.values()])
    grades = torch.tensor([qrels[q].get(d, 0) for q, found in run.items() for d in found])
    indexes = torch.arange(arguments.queries).repeat_interleave(arguments.results)
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank", "map", "ndcg_cut.10", "recall.10,100"})
    sides: dict[str, Callable[[], float]] = {
        "clir-ot": partial(ours, run, qrels),
        "pytrec_eval": partial(theirs, evaluator, run),
        "torchmetrics": partial(torchmetrics_, scores, grades, indexes),
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(arguments.rounds):
        for side, work in sides.items():
            start = time.process_time()
            work()
            times[side].append(time.process_time() - start)
    print(f"{arguments.queries} queries, {arguments.results} results each; {', '.join(DEFAULT_MEASURES)}\n")
    print("| side | seconds | ratio to clir-ot | spread |\n|---|---|---|---|")
    for side, found in times.items():
        ratios = [theirs / ours for theirs, ours in zip(found, times["clir-ot"], strict=True)]
        middle, spread = statistics.median(ratios), f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"| {side} | {statistics.median(found):.3f} | {middle:.1f} | {spread} |")


if __name__ == "__main__":
    main()
