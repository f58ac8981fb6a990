"""Distillation beside what a user would run instead, on the starter's encoder and its Yoruba bitext.

    python benchmarks/distillation.py --rounds 3 --steps 12

Sides, all with batches of the same number of pairs, the same lengths, frozen word embeddings, no dropout, AdamW and
clipped gradients:

- `clir-ot`: `experiments/distill.yaml`, the teacher's vectors from the file;
- `plain`: a loop in PyTorch with the same loss, in random batches, and the teacher in every step;
- `ST foreign`: sentence-transformers' multilingual distillation (MSELoss to the teacher's sentence vectors, computed
  before), the student reads the foreign side alone, as ours does;
- `ST both`: as its documentation has it, the student reads both sides.

Prints pairs a second from the second epoch on and in the first, and the ratios of clir-ot to each.
"""

import argparse
import copy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from sides import StepClock, median, ratios, serve, spread, take_turns

BATCH, LENGTH = 16, 64
ROOT = Path(__file__).parent.parent
SIDES = ("clir-ot", "plain", "ST foreign", "ST both")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of a round; the first is a warm-up")
    parser.add_argument("--language", default="yo")
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--side", help="to be one, instead of calling them")
    arguments = parser.parse_args()
    if arguments.side:
        name = arguments.side.replace(" ", "_").replace("-", "_").lower()
        serve(globals()[name](arguments.language, arguments.steps))
        return
    options = ["--steps", str(arguments.steps), "--language", arguments.language]
    commands = {name: [sys.executable, __file__, "--side", name, *options] for name in arguments.sides.split(",")}
    found = take_turns(commands, arguments.rounds)
    later, first = ratios(found, "pairs_per_second", "clir-ot"), ratios(found, "first_epoch", "clir-ot")
    print("| side | pairs/s, later epochs | clir-ot / side | pairs/s, first epoch | clir-ot / side | peak GiB |")
    print("|---|---|---|---|---|---|")
    for name, results in found.items():
        rate, epoch, peak = (median(results, key) for key in ("pairs_per_second", "first_epoch", "peak"))
        cells = f"{rate:.1f} | {spread(later[name])} | {epoch:.1f} | {spread(first[name])} | {peak / 2**30:.2f}"
        print(f"| {name} | {cells} |")


def with_preparation(rate: dict[str, float], seconds: float, pairs: int) -> dict[str, Any]:
    """The first epoch's rate too, where `seconds` were spent on something of all pairs before it."""
    per_pair = 1 / rate["pairs_per_second"] + seconds / pairs
    return {**rate, "first_epoch": 1 / per_pair, "preparation": seconds}


def clir_ot(language: str, steps: int):
    """The suite itself: its module, its DataModule and the trainer."""
    import pytorch_lightning as pl

    from clir_ot import CLIRDataModule, OTDistillation, TokenEncoder
    from clir_ot.collections.cache import locate
    from clir_ot.runs.teacher_vectors import TeacherVectors

    experiment = yaml.safe_load((ROOT / "experiments" / "distill.yaml").read_text())
    settings = experiment["model"]["init_args"]
    folder = Path(tempfile.mkdtemp())
    TokenEncoder.from_pretrained(locate("starter", "encoder"), dimensions=128).save_pretrained(folder / "teacher")
    module = OTDistillation(**{**settings, "teacher": str(folder / "teacher")})
    options = {**experiment["data"], "languages": language, "batch_size": BATCH}
    prepared: list[float] = []

    class Clock(pl.Callback):
        def on_train_start(self, *_: Any) -> None:
            self.steps = StepClock()

        def on_train_batch_end(self, *_: Any) -> None:
            self.steps.tick()

    class Timed(TeacherVectors):
        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
            start = time.process_time()
            super().on_fit_start(trainer, pl_module)
            prepared.append(time.process_time() - start)

    def work(number: int) -> dict[str, Any]:
        clock, data = Clock(), CLIRDataModule(**options, seed=number)
        trainer = pl.Trainer(
            accelerator="cpu", max_epochs=1, limit_train_batches=steps, gradient_clip_val=1.0, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            use_distributed_sampler=False, callbacks=[Timed(folder, "starter"), clock],
        )  # fmt: skip
        trainer.fit(module, data)
        pairs = sum(map(len, data.texts.bitext.values()))
        # Of the round in which they were encoded.
        return with_preparation(clock.steps.rate(BATCH), prepared[0], pairs)

    return work


def _pairs(language: str) -> list[tuple[str, str]]:
    from clir_ot import Collection

    return list(Collection("starter").bitext(language))


def plain(language: str, steps: int):
    """What one writes down first: the teacher in every step, random batches, all texts as long as the longest."""
    import random

    import torch
    import torch.nn.functional as F

    from clir_ot import TokenEncoder
    from clir_ot.collections.cache import locate
    from clir_ot.models.losses import info_nce
    from clir_ot.models.transport_scores import transport_costs

    teacher = TokenEncoder.from_pretrained(locate("starter", "encoder"), dimensions=128).eval().requires_grad_(False)
    student = copy.deepcopy(teacher).requires_grad_(True)
    student.transformer.get_input_embeddings().requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in student.parameters() if p.requires_grad], lr=4e-4)
    pairs = _pairs(language)

    def encode(encoder: TokenEncoder, tokens: Any) -> torch.Tensor:
        states = encoder.transformer(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
        return F.normalize(encoder.projection(states.last_hidden_state), dim=-1)

    def work(number: int) -> dict[str, Any]:
        chance = random.Random(number)
        clock = StepClock()
        for _ in range(steps):
            rows = chance.sample(pairs, BATCH)
            foreign = [x if chance.random() < 0.25 else y for x, y in rows]  # a quarter keeps English in place
            tokens_x, tokens_y = (teacher.tokenizer.queries(texts) for texts in ([x for x, _ in rows], foreign))
            with torch.no_grad():
                held = encode(teacher, tokens_x)
            costs, _ = transport_costs(held, encode(student, tokens_y), tokens_x.content, tokens_y.content)
            loss = info_nce(-costs, torch.eye(BATCH, dtype=torch.bool), 0.1)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            clock.tick()
        return with_preparation(clock.rate(BATCH), 0.0, len(pairs))

    return work


def st_foreign(language: str, steps: int):
    """MSE distillation by sentence-transformers, of the foreign sides."""
    return _sentence_transformers(language, steps, both=False)


def st_both(language: str, steps: int):
    """MSE distillation by sentence-transformers, of both sides."""
    return _sentence_transformers(language, steps, both=True)


def _sentence_transformers(language: str, steps: int, both: bool):
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer import losses
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
    from transformers import TrainerCallback

    from clir_ot.collections.cache import locate

    undropped = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    transformer = Transformer(str(locate("starter", "encoder")), max_seq_length=LENGTH, config_kwargs=undropped)
    dense = Dense(transformer.get_word_embedding_dimension(), 128, bias=False)
    model = SentenceTransformer(modules=[transformer, Pooling(384, "mean"), dense], device="cpu")
    english, foreign = ([f"query: {text}" for text in side] for side in zip(*_pairs(language), strict=True))
    start = time.process_time()
    labels = model.encode(english, batch_size=64)
    prepared = time.process_time() - start
    columns = {"english": english} if both else {}
    data = Dataset.from_dict({**columns, "foreign": foreign, "label": labels.tolist()})
    transformer.auto_model.get_input_embeddings().requires_grad_(False)
    loss = losses.MSELoss(model)

    def work(number: int) -> dict[str, Any]:
        class Clock(TrainerCallback):
            def on_train_begin(self, *_: Any, **__: Any) -> None:
                self.steps = StepClock()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                self.steps.tick()

        clock = Clock()
        arguments = SentenceTransformerTrainingArguments(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=BATCH, max_steps=steps, learning_rate=4e-4,
            seed=number, data_seed=number, report_to="none", save_strategy="no", logging_strategy="no",
            disable_tqdm=True, dataloader_pin_memory=False, use_cpu=True,
        )  # fmt: skip
        trainer = SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=data, loss=loss, callbacks=[clock]
        )
        trainer.train()
        return with_preparation(clock.steps.rate(BATCH), prepared, len(english))

    return work


if __name__ == "__main__":
    main()
