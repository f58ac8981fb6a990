"""Dev figures: those of a search by hand, however many processes share the documents and the queries.

Run as a script, this file is one of two processes.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import distributed

from clir_ot import CLIRDataModule, HybridBatchRanker
from clir_ot.evaluation.metrics import evaluate_run
from clir_ot.models.maxsim import maxsim
from clir_ot.tracking.dev_retrieval import DevRetrieval
from tests.forked import finish

MEASURES = ["MRR@10", "nDCG@10"]


def ranker(encoder: str | Path) -> HybridBatchRanker:
    torch.manual_seed(3)
    return HybridBatchRanker(str(encoder), dimensions=8)


def measure(module: HybridBatchRanker, collection: str | Path, rank: int = 0, ranks: int = 1) -> dict[str, float]:
    """What is logged after an epoch."""
    data = CLIRDataModule(collection, "yo,sw")
    trainer = SimpleNamespace(datamodule=data, global_rank=rank, world_size=ranks)
    logged: dict[str, torch.Tensor] = {}
    module.log_dict = logged.update  # type: ignore[method-assign,assignment]
    DevRetrieval(MEASURES).on_train_epoch_end(trainer, module)  # type: ignore[arg-type]
    return {name: float(value) for name, value in logged.items()}


def test_figures_are_of_all_queries_and_the_same_to_the_last_bit_on_two_processes(
    encoder_folder: Path, collection_folder: Path, own_collection: Path, tmp_path: Path
) -> None:
    module, collection = ranker(encoder_folder), CLIRDataModule(collection_folder, "yo,sw").collection
    module.eval()
    expected = {}
    documents = collection.documents()
    tokens = module.tokenizer.documents(list(documents.values()))
    for language in ("en", "yo", "sw"):
        queries, qrels = collection.judged("dev", language)
        asked = module.tokenizer.queries(list(queries.values()))
        with torch.no_grad():
            scores = maxsim(module.encoder(asked), module.encoder(tokens), asked.mask, tokens.mask)
        run = {q: dict(zip(documents, row.tolist(), strict=True)) for q, row in zip(queries, scores, strict=True)}
        for name, values in evaluate_run(run, qrels, MEASURES).items():
            expected[f"dev/{language}/{name}"] = sum(values.values()) / len(values)
    alone = measure(module, collection_folder)
    assert alone == pytest.approx(expected, abs=1e-6)

    # The second collection has one document and one query: nothing for the second process.
    kept = (own_collection / "corpus.jsonl").read_text().splitlines()[2:3]
    for language in ("", ".yo", ".sw"):
        (own_collection / f"corpus{language}.jsonl").write_text(kept[0] + "\n")
    (own_collection / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nd2.0\td2\t1\n")
    finish([__file__, *map(str, (encoder_folder, tmp_path, collection_folder, own_collection))], ranks=2)
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        assert found == [alone, dict.fromkeys(alone, 1.0)]


def main(encoder: str, output: str, *collections: str) -> None:
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    found = [measure(ranker(encoder), collection, rank, 2) for collection in collections]
    Path(output, f"{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
