"""Checkpoints from which a run that was stopped goes on, to the same weights."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO
from pytorch_lightning.utilities.exceptions import SIGTERMException

from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.models.gather import from_all
from clir_ot.runs.progress import say

SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
"""That tell a process to save and end; Slurm sends the first, and any that `--signal` names."""

_REQUEUES = signal.SIGUSR1  # the one after which Lightning puts a Slurm job into the queue again
_IDENTITY = "clir_ot_run"


class RunCheckpoint(Checkpoint):
    """Write one checkpoint file anew every so often, after every epoch, and when the process is told to end (SIGNALS).

    Lightning's own `ModelCheckpoint` would write between two halves of an accumulated gradient, and leaves the random
    states out, from which dropout draws. Its answers to signals do so too, and talk to other processes from within the
    signal handler, while they may be in the middle of a step; here they agree between two steps, whichever of them were
    told. As Lightning does, SIGUSR1 puts a Slurm job into the queue again.

    Args:
        path: of the file.
        seconds: between two checkpoints within an epoch.

    Attributes:
        metrics: what was logged last under each name up to the newest checkpoint.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        self._path, self._seconds = path, seconds
        self._written = time.monotonic()
        self._loaded: list[dict[str, Any]] = []
        self._told: int | None = None  # the signal
        self._requeued: str | None = None
        self.metrics: dict[str, float] = {}

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # In place of Lightning's own handlers, set just before this; at the end it sets those that were there before.
        for number in SIGNALS:
            signal.signal(number, self._tell)

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
        # Writing is work for all ranks together. That it is time, rank 0 decides.
        due = trainer.is_global_zero and time.monotonic() - self._written >= self._seconds
        if trainer.strategy.reduce_boolean_decision(bool(self._told) or due, all=False):
            self._write(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._write(trainer)

    def state_dict(self) -> dict[str, Any]:
        # Lightning calls this on every rank, and rank 0 writes what it gets.
        return {"ranks": from_all(_random_states()), "metrics": self.metrics}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._loaded, self.metrics = state["ranks"], state["metrics"]

    def _tell(self, number: int, frame: Any) -> None:
        self._told = number

    def what_next(self) -> str:
        """After it has ended training: who goes on."""
        if self._requeued:
            return f"Slurm's job {self._requeued} is in the queue again and resumes it"
        return "the same command resumes it"

    def _write(self, trainer: pl.Trainer) -> None:
        """Write a checkpoint; then end training on all ranks if one of them was told to."""
        self.metrics |= {name: float(value) for name, value in trainer.callback_metrics.items()}
        if not trainer.fast_dev_run:  # type: ignore[attr-defined]
            trainer.save_checkpoint(self._path)
        self._written = time.monotonic()
        if trainer.strategy.reduce_boolean_decision(bool(self._told), all=False):
            if trainer.strategy.reduce_boolean_decision(self._told == _REQUEUES, all=False) and trainer.is_global_zero:
                self._requeued = _requeue()
            raise SIGTERMException


class WholeCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there whole or not at all, wherever temporary files lie, and the one before each.

    Lightning writes into the system's temporary folder and moves, which between two file systems is a copy: killed in
    the middle, it leaves half a file under the final name.

    Args:
        previous: where a checkpoint goes when the next one takes its place.
        identity: of the run. Frozen weights are in no checkpoint and missing ones are no error, so that another
            system's would be taken for this one's without it.
        defaults: of what checkpoints may lack that are older than an option.
    """

    def __init__(self, previous: Path, identity: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._previous, self._identity, self._defaults = previous, dict(identity), dict(defaults or {})

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        path = Path(path)
        with replacing(path) as temporary:
            with temporary.open("wb") as file:  # torch's own does not say what the system refused
                torch.save(checkpoint | {_IDENTITY: self._identity}, file)
            # Not before the new one is written. Of a kill between the two renamings, the previous one is left.
            if path.is_file():
                os.replace(path, self._previous)

    def load_checkpoint(self, path: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        """As torch does.

        Raises:
            UserError: it is another run's.
        """
        checkpoint: dict[str, Any] = super().load_checkpoint(path, *arguments, **options)
        found = self._defaults | checkpoint.get(_IDENTITY, {})
        for key, expected in self._identity.items():
            if found.get(key) != expected:
                raise UserError(
                    f"{path}: is a checkpoint of a run with another {key}; delete it, or give another --run folder"
                )
        return checkpoint


def _requeue() -> str | None:
    """Put this process's Slurm job into the queue again; its number, or None where there is none or Slurm refuses."""
    job = os.environ.get("SLURM_JOB_ID")
    if array := os.environ.get("SLURM_ARRAY_JOB_ID"):
        job = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    if not job or not shutil.which("scontrol"):
        return None
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
    if done.returncode:
        say(f"scontrol requeue {job}: {done.stderr.strip() or f'exit status {done.returncode}'}")
        return None
    return job


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
