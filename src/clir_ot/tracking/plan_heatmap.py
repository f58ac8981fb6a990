"""Which English token moves to which foreign token: transport plans as pictures, in Weights & Biases."""

import warnings
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH


class PlanHeatmap(pl.Callback):
    """Draw the plans of a few fixed pairs after every epoch: parallel dev queries, or else bitext.

    Args:
        pairs: how many.
    """

    def __init__(self, pairs: int = 3) -> None:
        self.pairs = pairs

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        loggers = [logger for logger in trainer.loggers if isinstance(logger, WandbLogger)]
        if not loggers or not trainer.is_global_zero:
            return
        collection, language = trainer.datamodule.collection, trainer.datamodule.languages[0]  # type: ignore[attr-defined]
        english, foreign = _parallel(collection, language, self.pairs)
        for number, picture in enumerate(draw_plans(pl_module, english, foreign), start=1):
            for logger in loggers:
                # A key for each: pictures of one key must be of one size.
                logger.log_image(key=f"plans/{language}/{number}", images=[picture], step=trainer.global_step)


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
def draw_plans(module: Any, english: list[str], foreign: list[str]) -> list[Any]:
    """One RGB picture, uint8 (height, width, 3), for each pair: rows are English tokens, columns foreign tokens."""
    was_training = module.encoder.training
    module.encoder.eval()
    tokenizer = module.tokenizer
    sides = tokenizer.queries(english), tokenizer.queries(foreign)
    plans = module.transport(*(side.to(module.device) for side in sides)).plan.cpu()
    module.encoder.train(was_training)
    pictures = []
    for row, plan in enumerate(plans):
        labels = [
            tokenizer.tokenizer.convert_ids_to_tokens(side.input_ids[row][side.mask[row]].tolist()) for side in sides
        ]
        pictures.append(draw_plan(plan[: len(labels[0]), : len(labels[1])].numpy(), *labels))
    return pictures


def draw_plan(plan: np.ndarray, rows: list[str], columns: list[str]) -> np.ndarray:
    """A heat map of one plan, (N, M) with N row and M column labels, as RGB uint8 (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # The object interface, not pyplot: no global state, no display, nothing to close.
    figure = Figure(figsize=(2 + 0.32 * len(columns), 1.5 + 0.28 * len(rows)), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(plan, cmap="Blues", vmin=0)
    axes.set_xticks(range(len(columns)), columns, rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xlabel("foreign tokens (student)")
    axes.set_ylabel("English tokens (teacher)")
    figure.colorbar(image, label="mass")
    with warnings.catch_warnings():
        # No font is bundled: a script that matplotlib's own font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
