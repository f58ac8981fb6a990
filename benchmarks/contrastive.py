"""Contrastive training (teacher and hybrid) beside what a user would run instead, on the starter.

    python benchmarks/contrastive.py teacher --rounds 3 --steps 8
    python benchmarks/contrastive.py hybrid --sides clir-ot,ST,PyLate,lightning-ir \
        --pylate pylate-venv/bin/python --lightning-ir lir-venv/bin/python

Sides, all from one encoder folder, with the batch size, lengths, temperature, frozen word embeddings and absence of
dropout of `experiments/teacher.yaml` (hybrid: its batches of 100 in eight languages, likewise without dropout):

- `clir-ot`: the suite's module, DataModule and trainer;
- `clir-ot chunked`: likewise, `chunk_rows` a quarter of a batch;
- `ST`: sentence-transformers' MultiVectorEncoder and its MultipleNegativesRankingLoss;
- `ST cached`: its cached loss, in chunks of a quarter of a batch;
- `PyLate`, `PyLate cached`: Contrastive and CachedContrastive, in an environment of its own (see `pylate_loads.py`);
- `lightning-ir`: its ColBERT module with InBatchCrossEntropy, likewise (0.0.6 needs `transformers<5 datasets<4.5`).

In the first round all sides get the same batches in the same order, those that the suite would make without a passage
that occurs twice, so that their losses can be compared. In the others, every side makes its own: the suite as it does,
the peers by shuffling the same (query, passage) pairs. Peak memory is the process's.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from sides import StepClock, median, ratios, serve, spread, take_turns

ROOT = Path(__file__).parent.parent
HERE = ("clir-ot", "clir-ot chunked", "ST", "ST cached")
RATE = 5e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=["teacher", "hybrid"])
    parser.add_argument("--rounds", type=int, default=3, help="the first of them with the same batches for all")
    parser.add_argument("--steps", type=int, default=8, help="of a round; the first is a warm-up")
    parser.add_argument("--sides", default=",".join(HERE), help=f"default: {','.join(HERE)}")
    parser.add_argument("--pylate", help="python of an environment that has PyLate")
    parser.add_argument("--lightning-ir", help="python of an environment that has lightning-ir")
    parser.add_argument("--side", help="to be one, instead of calling them")
    parser.add_argument("--folder", type=Path, help="of the data that the sides read")
    arguments = parser.parse_args()
    if arguments.side:
        kind, _, cached = arguments.side.partition(" ")
        sides = {"clir-ot": clir_ot, "ST": sentence_transformers, "PyLate": pylate, "lightning-ir": lightning_ir}
        task = json.loads((arguments.folder / "task.json").read_text())
        serve(sides[kind](arguments.folder, task, bool(cached)))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), arguments)
        pythons = {"PyLate": arguments.pylate, "lightning-ir": arguments.lightning_ir}
        commands = {}
        for name in arguments.sides.split(","):
            python = pythons.get(name.partition(" ")[0], sys.executable)
            if python is None:
                parser.error(f"{name} needs the python of its environment: --pylate or --lightning-ir")
            commands[name] = [python, __file__, arguments.experiment, "--side", name, "--folder", folder]
        found = take_turns(commands, arguments.rounds)
    own = {name: results[1:] for name, results in found.items()}
    same = {name: results[:1] for name, results in found.items()}
    print("| side | pairs/s | clir-ot / side | same batches: clir-ot / side | peak GiB | losses on the same batches |")
    print("|---|---|---|---|---|---|")
    for name, results in found.items():
        speeds = [spread(ratios(rounds, "pairs_per_second", "clir-ot")[name]) for rounds in (own, same)]
        losses = " ".join(f"{loss:.4f}" for loss in results[0]["losses"])
        peak = max(result["peak"] for result in results) / 2**30
        rate = median(own[name], "pairs_per_second")
        print(f"| {name} | {rate:.1f} | {' | '.join(speeds)} | {peak:.2f} | {losses} |")


def write(folder: Path, arguments: argparse.Namespace) -> None:
    """The encoder, and the texts of the batches that the suite would make."""
    import yaml

    from clir_ot import CLIRDataModule, TokenEncoder
    from clir_ot.collections.cache import locate
    from clir_ot.data.training_batches import TrainingBatches

    experiment = yaml.safe_load((ROOT / "experiments" / f"{arguments.experiment}.yaml").read_text())
    settings, data = experiment["model"]["init_args"], experiment["data"]
    kept = ("dimensions", "query_prefix", "document_prefix", "query_length", "document_length", "scoring")
    encoder = TokenEncoder.from_pretrained(locate("starter", "encoder"), **{name: settings[name] for name in kept})
    encoder.transformer.config.hidden_dropout_prob = encoder.transformer.config.attention_probs_dropout_prob = 0.0
    encoder.save_pretrained(folder / "encoder")

    class Texts:  # in place of tokens
        queries = documents = staticmethod(list)

    module = CLIRDataModule(**data)
    module.setup("fit")
    sampler = module.sampler(encoder.tokenizer)
    batches = TrainingBatches(module.texts, Texts, module.cloze_share, module.passage_words)  # type: ignore[arg-type]
    pairs, documents = [], []
    for plan in sampler:
        batch = batches[plan]
        pairs += zip(batch.queries, batch.documents, strict=True)
        documents += [
            (row.document_language, d) for row, (d, _) in ((row, batches._document(row)) for row in plan.rows)
        ]
    task = {
        "data": data, "model": settings, "steps": arguments.steps, "pairs": pairs,
        "batches": without_repeats(pairs, documents, data["batch_size"], arguments.steps),
    }  # fmt: skip
    (folder / "task.json").write_text(json.dumps(task))


def without_repeats(pairs: list[Any], documents: list[Any], size: int, steps: int) -> list[list[Any]]:
    """Batches in about the order of the pairs, in which no document occurs twice."""
    left, batches = list(zip(pairs, documents, strict=True)), []
    while len(batches) < steps:
        taken: dict[Any, Any] = {}
        for pair, document in left:
            if len(taken) < size:
                taken.setdefault(document, pair)
        if len(taken) < size:
            break
        batches.append(list(taken.values()))
        used = {id(pair) for pair in taken.values()}
        left = [(pair, document) for pair, document in left if id(pair) not in used]
    return batches


def outcome(clock: StepClock, rows: int, losses: list[float]) -> dict[str, Any]:
    return {**clock.rate(rows), "losses": losses}


def clir_ot(folder: Path, task: dict[str, Any], chunked: bool):
    """The suite itself."""
    import pytorch_lightning as pl
    import torch

    from clir_ot import CLIRDataModule, HybridBatchRanker
    from clir_ot.data.batches import RankingBatch

    size = task["data"]["batch_size"]
    model = {**task["model"], "encoder": str(folder / "encoder"), "learning_rate": RATE, "dropout": False}
    module = HybridBatchRanker(**model, chunk_rows=math.ceil(size / 4) if chunked else None)
    losses: list[float] = []

    class Clock(pl.Callback):
        def on_train_start(self, *_: Any) -> None:
            self.steps = StepClock()

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_: Any) -> None:
            losses.append(float(outputs["loss"]))
            self.steps.tick()

    def given() -> list[RankingBatch]:
        made = []
        for batch in task["batches"]:
            queries, passages = zip(*batch, strict=True)
            tokens = module.tokenizer.queries(queries), module.tokenizer.documents(passages)
            relevant = torch.eye(size, dtype=torch.bool)
            made.append(RankingBatch(*tokens, relevant, [("en", "en")] * size, ["en"] * size, ["-"] * size, "given"))
        return made

    def work(number: int) -> dict[str, Any]:
        losses.clear()
        clock = Clock()
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=1, limit_train_batches=task["steps"], gradient_clip_val=1.0, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            use_distributed_sampler=False, callbacks=[clock],
        )  # fmt: skip
        if number == 0:
            trainer.fit(module, torch.utils.data.DataLoader(given(), batch_size=None))
        else:
            trainer.fit(module, CLIRDataModule(**task["data"], seed=number))
        return outcome(clock.steps, size, losses)

    return work


def _columns(task: dict[str, Any], same: bool) -> dict[str, list[str]]:
    pairs = [pair for batch in task["batches"] for pair in batch] if same else task["pairs"]
    queries, passages = zip(*pairs, strict=True)
    return {"query": list(queries), "positive": list(passages)}


def _huggingface(task: dict[str, Any], trainer_class: Any, arguments_class: Any, model: Any, loss: Any, collator: Any):
    """Rounds of a trainer that is Hugging Face's, as both sentence-transformers and PyLate have it."""
    from datasets import Dataset
    from torch.utils.data import BatchSampler, SequentialSampler
    from transformers import TrainerCallback

    def in_order(dataset: Any, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
        return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)

    data = {same: Dataset.from_dict(_columns(task, same)) for same in (True, False)}
    model[0].auto_model.get_input_embeddings().requires_grad_(False)
    losses: list[float] = []
    forward = loss.forward

    def noted(*arguments: Any, **options: Any) -> Any:
        value = forward(*arguments, **options)
        losses.append(float(value.detach()))
        return value

    loss.forward = noted

    def work(number: int) -> dict[str, Any]:
        class Clock(TrainerCallback):
            def on_train_begin(self, *_: Any, **__: Any) -> None:
                self.steps = StepClock()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                self.steps.tick()

        losses.clear()
        clock, size = Clock(), task["data"]["batch_size"]
        sampling = {"batch_sampler": in_order} if number == 0 else {}
        arguments = arguments_class(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=size, max_steps=task["steps"],
            learning_rate=RATE, warmup_steps=int(0.1 * task["steps"]), weight_decay=0.01, seed=number,
            data_seed=number, report_to="none", save_strategy="no", logging_strategy="no", disable_tqdm=True,
            dataloader_pin_memory=False, use_cpu=True, **sampling,
        )  # fmt: skip
        options = {"data_collator": collator} if collator else {}
        trainer_class(
            model=model, args=arguments, train_dataset=data[number == 0], loss=loss, callbacks=[clock], **options
        ).train()
        return outcome(clock.steps, size, losses)

    return work


def sentence_transformers(folder: Path, task: dict[str, Any], cached: bool):
    """MultiVectorEncoder."""
    from sentence_transformers import (
        MultiVectorEncoder,
        MultiVectorEncoderTrainer,
        MultiVectorEncoderTrainingArguments,
    )
    from sentence_transformers.multi_vector_encoder import losses
    from sentence_transformers.multi_vector_encoder.scoring import mean_colbert_scores

    model = MultiVectorEncoder(str(folder / "encoder"), device="cpu")
    options = {"scale": 1 / task["model"]["temperature"], "similarity_fct": mean_colbert_scores}
    chunk = math.ceil(task["data"]["batch_size"] / 4)
    if cached:
        loss = losses.CachedMultiVectorMultipleNegativesRankingLoss(model, mini_batch_size=chunk, **options)
    else:
        loss = losses.MultiVectorMultipleNegativesRankingLoss(model, **options)

    def arguments(**given: Any) -> MultiVectorEncoderTrainingArguments:
        prompts = {"query": task["model"]["query_prefix"], "positive": task["model"]["document_prefix"]}
        return MultiVectorEncoderTrainingArguments(**given, prompts=prompts)

    return _huggingface(task, MultiVectorEncoderTrainer, arguments, model, loss, None)


def pylate(folder: Path, task: dict[str, Any], cached: bool):
    """ColBERT of PyLate; its scores are sums over query tokens, the average is what the temperature is for."""
    from pylate import losses, models, utils
    from pylate.losses.contrastive import ColBERTScores  # of documents stacked by their place in a row
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    model, scores = models.ColBERT(str(folder / "encoder"), device="cpu"), ColBERTScores()

    def mean_scores(queries: Any, documents: Any, queries_mask: Any = None, documents_mask: Any = None) -> Any:
        summed = scores(queries, documents, queries_mask=queries_mask, documents_mask=documents_mask)
        return summed / queries_mask.sum(dim=1, keepdim=True)

    options = {"score_metric": mean_scores, "temperature": task["model"]["temperature"]}
    chunk = math.ceil(task["data"]["batch_size"] / 4)
    if cached:
        loss = losses.CachedContrastive(model, mini_batch_size=chunk, **options)
    else:
        loss = losses.Contrastive(model, **options)
    prompts = {"query": task["model"]["query_prefix"], "positive": task["model"]["document_prefix"]}
    collator = utils.ColBERTCollator(model.tokenize, prompts=prompts)
    return _huggingface(task, SentenceTransformerTrainer, SentenceTransformerTrainingArguments, model, loss, collator)


def lightning_ir(folder: Path, task: dict[str, Any], cached: bool):
    """Its ColModel, of whose loss the temperature is no option."""
    import random

    import lightning
    import torch
    from lightning_ir import BiEncoderModule, InBatchCrossEntropy, TrainBatch
    from lightning_ir.models import ColConfig
    from safetensors.torch import load_file

    model, size = task["model"], task["data"]["batch_size"]

    class Loss(InBatchCrossEntropy):
        def process_scores(self, output: Any) -> Any:
            return super().process_scores(output) / model["temperature"]

    config = ColConfig(
        query_length=model["query_length"], doc_length=model["document_length"], normalization_strategy="l2",
        query_aggregation_function="mean", embedding_dim=model["dimensions"], projection="linear_no_bias",
    )  # fmt: skip
    module = BiEncoderModule(str(folder / "encoder"), config=config, loss_functions=[Loss()])
    weights = load_file(folder / "encoder" / "1_Dense" / "model.safetensors")["linear.weight"]
    module.model.projection.weight.data.copy_(weights)
    module.model.get_input_embeddings().requires_grad_(False)
    trained = [p for p in module.parameters() if p.requires_grad]
    module._optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    losses: list[float] = []

    class Clock(lightning.pytorch.Callback):
        def on_train_start(self, *_: Any) -> None:
            self.steps = StepClock()

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_: Any) -> None:
            losses.append(float(outputs["loss"]))
            self.steps.tick()

    def work(number: int) -> dict[str, Any]:
        losses.clear()
        batches = task["batches"]
        if number:
            chance = random.Random(number)
            batches = [chance.sample(task["pairs"], size) for _ in range(task["steps"])]
        made = [
            TrainBatch(
                queries=[model["query_prefix"] + query for query, _ in batch],
                docs=[[model["document_prefix"] + passage] for _, passage in batch],
                query_ids=["-"] * size, doc_ids=[["-"]] * size, targets=torch.ones(size, 1),
            )
            for batch in batches
        ]  # fmt: skip
        clock = Clock()
        trainer = lightning.pytorch.Trainer(
            accelerator="cpu", max_epochs=1, limit_train_batches=task["steps"], gradient_clip_val=1.0, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, callbacks=[clock],
        )  # fmt: skip
        trainer.fit(module, torch.utils.data.DataLoader(made, batch_size=None))
        return outcome(clock.steps, size, losses)

    return work


if __name__ == "__main__":
    main()
