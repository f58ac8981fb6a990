"""How training goes: a bar with the figures that matter on a terminal, and one line an epoch anywhere."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar

from clir_ot.runs.progress import say

_FIGURES = {"loss": "train/loss", "lr": "train/learning_rate", "tokens/s": "speed/tokens_per_second"}
_SPELT = {"loss": "{:.3f}", "lr": "{:.1e}", "tokens/s": "{:,.0f}"}


def figures(metrics: dict[str, Any]) -> dict[str, str]:
    """`{"loss": "0.412", "lr": "3.0e-04", "tokens/s": "5,210"}`, of those that are logged."""
    return {name: _SPELT[name].format(float(metrics[key])) for name, key in _FIGURES.items() if key in metrics}


class TrainingBar(RichProgressBar):
    """Lightning's bar in rich, with loss, learning rate and speed; on standard error, where it disturbs no output."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=1, console_kwargs={"stderr": True})

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """In place of all that is logged for a bar, and of the logger's version."""
        return {**figures(trainer.callback_metrics)}


class EpochLine(pl.Callback):
    """Say one line an epoch: time, loss, learning rate, speed and dev figures.

    To be placed after what logs them.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = trainer.callback_metrics
        parts = [f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}", f"{time.monotonic() - self._start:.0f} s"]
        parts += [f"{name} {value}" for name, value in figures(metrics).items()]
        parts += [f"{name} {float(value):.3f}" for name, value in metrics.items() if name.startswith("dev/")]
        say("  ".join(parts))
