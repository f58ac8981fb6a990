"""Which English token moves to which foreign token, as training goes on: in Weights & Biases."""

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.pictures.canvas import pixels
from clir_ot.pictures.fonts import missing_message
from clir_ot.pictures.plan_picture import plan_figure
from clir_ot.pictures.sentence_alignment import plan_entropy, residuals, token_labels
from clir_ot.runs.progress import say


class PlanHeatmap(pl.Callback):
    """Follow the plans of a few fixed pairs: parallel dev queries, or else bitext.

    The student is the one in training, not the one that is saved, which lies between it and the teacher. Logged after
    every epoch and, at step 0, before the first: `plans/<language>/entropy`, the mean over the pairs of
    -sum p_ij log p_ij / log(N M), in [0, 1] (`clir_ot.pictures.sentence_alignment.plan_entropy`), and
    `plans/<language>/residual`, the largest L1 distance from a marginal over the pairs and their two sides. After every
    epoch also the pictures, `plans/<language>/1` and on.

    Args:
        pairs: how many.
    """

    def __init__(self, pairs: int = 3) -> None:
        self.pairs = pairs
        self._missing = ""

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        # A run that goes on has logged this already.
        if trainer.global_step == 0:
            self._log(trainer, pl_module, pictures=False)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self._log(trainer, pl_module, pictures=True)

    def _log(self, trainer: pl.Trainer, module: Any, pictures: bool) -> None:
        loggers = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        if not loggers or not trainer.is_global_zero:
            return
        collection, language = trainer.datamodule.collection, trainer.datamodule.languages[0]  # type: ignore[attr-defined]
        plans, residual = solve_plans(module, *_parallel(collection, language, self.pairs))
        entropy = float(np.mean([plan_entropy(plan) for plan, _, _ in plans]))
        values = {f"plans/{language}/entropy": entropy, f"plans/{language}/residual": residual}
        drawn = [self._draw(plan, language) for plan in plans] if pictures else []
        for logger in loggers:
            logger.log_metrics(values, step=trainer.global_step)
            for number, picture in enumerate(drawn, start=1):
                # A key for each: pictures of one key must be of one size.
                logger.log_image(key=f"plans/{language}/{number}", images=[picture], step=trainer.global_step)

    def _draw(self, plan: tuple[np.ndarray, list[str], list[str]], language: str) -> np.ndarray:
        sides = "English tokens (teacher)", f"{language} tokens (student)"
        figure, missing = plan_figure(*plan, f"plan entropy {plan_entropy(plan[0]):.2f}", sides)
        if missing and not self._missing:
            # Once a run, not once an epoch.
            self._missing = missing
            say(missing_message(missing))
        return pixels(figure)


def _parallel(collection: Collection, language: str, pairs: int) -> tuple[list[str], list[str]]:
    """The first dev queries that exist in both languages, or else the first pairs of the bitext."""
    if collection.is_judged("dev", language) and ENGLISH in collection.query_languages:
        english, foreign = collection.queries(ENGLISH), collection.queries(language)
        shared = [q for q in collection.qrels("dev", language) if q in english and q in foreign][:pairs]
        if shared:
            return [english[q] for q in shared], [foreign[q] for q in shared]
    first = collection.bitext(language)[:pairs]
    return [pair[0] for pair in first], [pair[1] for pair in first]


@torch.inference_mode()
def solve_plans(
    module: Any, english: list[str], foreign: list[str]
) -> tuple[list[tuple[np.ndarray, list[str], list[str]]], float]:
    """The plan (N, M) of each pair with its row and column labels, and the largest residual.

    Special and prefix tokens are left out where the module's plans give them no mass.

    Args:
        module: has `encoder`, `tokenizer` and `transport(english, foreign) -> TransportResult`.
    """
    was_training = module.encoder.training
    module.encoder.eval()
    sides = module.tokenizer.queries(english), module.tokenizer.queries(foreign)
    result = module.transport(*(side.to(module.device) for side in sides))
    module.encoder.train(was_training)
    plans = []
    for number, plan in enumerate(result.plan.cpu()):
        shown, labels = [], []
        for side, mass in zip(sides, (plan.sum(1), plan.sum(0)), strict=True):
            real, content = side.mask[number], side.content[number]
            shown.append(real if mass[real & ~content].any() else content)
            labels.append(token_labels(module.tokenizer, side.input_ids[number], shown[-1]))
        plans.append((plan[shown[0]][:, shown[1]].numpy(), *labels))
    return plans, float(residuals(result).max())
