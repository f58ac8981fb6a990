"""What a run has cost, over all the times it was stopped and resumed."""

import time
from typing import Any

import pytorch_lightning as pl

from clir_ot.data.batches import token_sides
from clir_ot.models.gather import from_all


class TrainingCost(pl.Callback):
    """Count the real tokens of the batches, on both sides and on all ranks, and the seconds of training.

    Both travel in the run's checkpoints, so that a resumed run goes on counting. To be placed before what writes them.
    """

    def __init__(self) -> None:
        self._tokens = 0  # of this rank, since the start or the checkpoint
        self._before: dict[str, float] = {"tokens": 0, "seconds": 0.0}
        self._start = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._tokens += sum(sum(side.lengths) for side in token_sides(batch))

    def total(self) -> dict[str, float]:
        """`{"tokens": of all ranks, "seconds": of one}`; to be called on every rank."""
        seconds = self._before["seconds"] + time.monotonic() - self._start
        return {"tokens": self._before["tokens"] + sum(from_all(self._tokens)), "seconds": round(seconds, 1)}

    def state_dict(self) -> dict[str, Any]:
        return self.total()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._before = state
