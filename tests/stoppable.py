"""`clir-ot` for tests that stop it: it kills itself where they say, and has callbacks that note, tell and spoil."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

# The n-th time that a file or folder of this name is about to be renamed into its place, no process is left to do it.
KILL_AT = "CLIR_OT_TEST_KILL_AT"  # "NAME n"


class BatchOrder(pl.Callback):
    """Note which rows every batch has, a line for each."""

    only_observes = True

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        row = [[trainer.global_rank, trainer.current_epoch, batch_idx], batch.ids]
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")


class TellAt(pl.Callback):
    """Tell this process to end when a batch starts; in epoch -1, before there is any."""

    def __init__(self, epoch: int, batch: int, signal: str = "SIGTERM") -> None:
        self.at, self.signal = (epoch, batch), signal

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if self.at[0] == -1:
            os.kill(os.getpid(), getattr(signal, self.signal))

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if (trainer.current_epoch, batch_idx) == self.at:
            os.kill(os.getpid(), getattr(signal, self.signal))


class SpoilOneRank(pl.Callback):
    """The loss of the last rank is not a number in the third batch."""

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        healthy = pl_module.training_step

        def step(batch: Any, batch_idx: int) -> torch.Tensor:
            spoilt = batch_idx == 2 and trainer.global_rank == trainer.world_size - 1
            return healthy(batch, batch_idx) * (float("nan") if spoilt else 1)

        pl_module.training_step = step


def main() -> None:
    from clir_ot import cli

    cli._PATIENCE = 240  # a machine may be busy
    name, number = os.environ.get(KILL_AT, "none 0").split()
    left = int(number)
    replace = os.replace

    def replace_or_die(source: Any, target: Any) -> None:
        nonlocal left
        left -= Path(target).name == name
        if Path(target).name == name and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    os.replace = replace_or_die
    cli.main()


if __name__ == "__main__":
    main()
