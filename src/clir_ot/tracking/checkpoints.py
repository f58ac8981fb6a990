"""Checkpoints from which a run that was stopped goes on, to the same weights."""

import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from clir_ot.files import replacing
from clir_ot.models.gather import from_all


class RunCheckpoint(Checkpoint):
    """Write one checkpoint file anew every so often, after every epoch, and when the process is told to end (SIGTERM).

    Lightning's own `ModelCheckpoint` would write between two halves of an accumulated gradient, and leaves the random
    states out, from which dropout draws.

    Args:
        path: of the file.
        seconds: between two checkpoints within an epoch.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._written = time.monotonic()
        self._loaded: list[dict[str, Any]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Not before: whatever else starts up may draw random numbers.
        if len(self._loaded) == trainer.world_size:
            _set_random_states(self._loaded[trainer.global_rank])
        self._loaded = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        last = batch_idx + 1 == trainer.num_training_batches
        if last or (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        due = trainer.received_sigterm or time.monotonic() - self._written >= self._seconds
        # Writing is work for all ranks together: rank 0 decides.
        if trainer.strategy.broadcast(due):
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def state_dict(self) -> dict[str, Any]:
        # Lightning calls this on every rank, and rank 0 writes what it gets.
        return {"ranks": from_all(_random_states())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._loaded = state["ranks"]

    def _write(self, trainer: pl.Trainer) -> None:
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            trainer.save_checkpoint(self._path)
        self._written = time.monotonic()


class WholeCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there whole or not at all, wherever temporary files lie.

    Lightning writes into the system's temporary folder and moves, which between two file systems is a copy: killed in
    the middle, it leaves half a file under the final name.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


def _random_states() -> dict[str, Any]:
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _set_random_states(states: dict[str, Any]) -> None:
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states["cuda"])
