"""Dev figures: those of a search by hand, of all ranks' queries, and gathered once."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from clir_ot import CLIRDataModule, HybridBatchRanker
from clir_ot.evaluation.metrics import evaluate_run
from clir_ot.models.maxsim import maxsim
from clir_ot.tracking import dev_retrieval
from clir_ot.tracking.dev_retrieval import DevRetrieval

MEASURES = ["MRR@10", "nDCG@10"]


def measure(
    module: HybridBatchRanker, data: CLIRDataModule, monkeypatch: pytest.MonkeyPatch, ranks: int
) -> list[dict[str, float]]:
    """What each rank logs, and how often it gathers: an index, then figures."""
    sent: list[list[Any]] = [[] for _ in range(ranks)]
    logged = []
    monkeypatch.setattr(module, "log_dict", logged.append)
    # Once to learn what every rank sends, first the index and then what follows from it, then with all of it.
    for _ in range(3):
        logged.clear()
        for rank in range(ranks):
            numbers = iter(range(2))

            def from_all(own: Any, rank: int = rank, numbers: Any = numbers) -> list[Any]:
                number = next(numbers)  # a third time is an error
                sent[rank][number:] = [own, *sent[rank][number + 1 :]]
                return [there[number] for there in sent if len(there) > number and there[number] is not None]

            monkeypatch.setattr(dev_retrieval, "from_all", from_all)
            trainer = SimpleNamespace(
                datamodule=data, global_rank=rank, world_size=ranks, current_epoch=0, max_epochs=1, callback_metrics={}
            )
            DevRetrieval(MEASURES).on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    return logged


@pytest.fixture
def module(encoder_folder: Path) -> HybridBatchRanker:
    torch.manual_seed(3)
    return HybridBatchRanker(str(encoder_folder), dimensions=8)


def test_figures_are_of_all_queries_and_gathered_once_for_all_languages(
    module: HybridBatchRanker, collection_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = CLIRDataModule(collection_folder, "yo,sw")
    module.eval()
    expected = {}
    documents = data.collection.documents()
    tokens = module.tokenizer.documents(list(documents.values()))
    for language in ("en", "yo", "sw"):
        queries, qrels = data.collection.judged("dev", language)
        asked = module.tokenizer.queries(list(queries.values()))
        with torch.no_grad():
            scores = maxsim(module.encoder(asked), module.encoder(tokens), asked.mask, tokens.mask)
        run = {q: dict(zip(documents, row.tolist(), strict=True)) for q, row in zip(queries, scores, strict=True)}
        for name, values in evaluate_run(run, qrels, MEASURES).items():
            expected[f"dev/{language}/{name}"] = sum(values.values()) / len(values)
    alone = measure(module, data, monkeypatch, 1)
    assert alone[0] == pytest.approx(expected, abs=1e-6)
    together = measure(module, data, monkeypatch, 2)
    assert together == [alone[0]] * 2  # to the last bit


def test_there_may_be_fewer_documents_than_ranks(
    module: HybridBatchRanker, own_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = (own_collection / "corpus.jsonl").read_text().splitlines()[2:3]
    for language in ("", ".yo", ".sw"):
        (own_collection / f"corpus{language}.jsonl").write_text(kept[0] + "\n")
    (own_collection / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nd2.0\td2\t1\n")
    figures = measure(module, CLIRDataModule(own_collection, "yo"), monkeypatch, 3)
    assert figures == [{f"dev/{language}/{name}": 1.0 for language in ("en", "yo") for name in MEASURES}] * 3
