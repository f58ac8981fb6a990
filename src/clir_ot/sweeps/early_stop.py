"""Ends a trial early, after an epoch in which it is worse than the others were (Hyperband, Li et al. 2018)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from sweeps import RunState, SweepRun, stop_runs

from clir_ot.files import write_text


class EndEarly(pl.Callback):
    """Note the sweep's metric after every epoch, and end training as W&B's own `sweeps` says.

    Decided in the trial's process, between two epochs, not by one that looks on: the same trials end at the same
    epochs however fast they are. To be placed after `DevRetrieval`, which logs the figure.

    Args:
        sweep: folder of the sweep, with `sweep.json` and the trials before this one.
        trial: number.
    """

    def __init__(self, sweep: str, trial: int) -> None:
        self._folder, self._trial = Path(sweep), trial

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # A run that goes on from a checkpoint repeats what came after; what came before may already have ended it.
        epochs, _ = read_epochs(self._folder, self._trial)
        self._decide(trainer, epochs[: trainer.current_epoch])

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epochs, _ = read_epochs(self._folder, self._trial)
        name = self._config()["metric"]["name"]
        self._decide(trainer, [*epochs[: trainer.current_epoch], float(trainer.callback_metrics[name])])

    def _config(self) -> dict[str, Any]:
        settings = json.loads((self._folder / "sweep.json").read_text(encoding="utf-8"))
        config: dict[str, Any] = settings["sweep"]
        return config

    def _decide(self, trainer: pl.Trainer, epochs: Sequence[float]) -> None:
        stop = False
        if trainer.is_global_zero:
            stop = (
                bool(epochs) and len(epochs) != trainer.max_epochs and is_worse(self._config(), self._others(), epochs)
            )
            lines = [json.dumps({"figure": value, "stop": False}) for value in epochs]
            lines[-1:] = [json.dumps({"figure": value, "stop": stop}) for value in epochs[-1:]]
            write_text(epochs_file(self._folder, self._trial), "".join(f"{line}\n" for line in lines))
        if trainer.strategy.reduce_boolean_decision(stop, all=False):
            trainer.should_stop = True

    def _others(self) -> list[list[float]]:
        lines = (self._folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
        return [trial["epochs"] for trial in map(json.loads, lines) if trial["number"] != self._trial]


def end_early(folder: Path, number: int) -> list[str]:
    """The options of `clir-ot fit` that put the callback into a trial."""
    arguments = {"sweep": str(folder), "trial": number}
    return ["--trainer.callbacks+", json.dumps({"class_path": f"{__name__}.EndEarly", "init_args": arguments})]


def is_worse(config: dict[str, Any], others: Sequence[Sequence[float]], own: Sequence[float]) -> bool:
    """Whether Hyperband ends the trial with the figures `own`, given those of the others, one each epoch.

    Args:
        config: of the sweep, with `metric` and `early_terminate`.
    """
    name = config["metric"]["name"]
    runs = [
        # `sweeps` 0.2 reads the figure of bracket n at index n and so after n + 1 epochs; 0.3, which needs numpy < 2,
        # has that mended. Doubling the first figure gives the right one: the minimum and the order stay as they are.
        SweepRun(sampledHistory=[{name: value} for value in [*figures[:1], *figures]], state=state)
        for figures, state in [*((other, RunState.finished) for other in others), (own, RunState.running)]
    ]
    return bool(stop_runs(config, runs))


def epochs_file(folder: Path, number: int) -> Path:
    """Where a trial's figures are, an epoch a line."""
    return folder / f"trial-{number}.epochs.jsonl"


def read_epochs(folder: Path, number: int) -> tuple[list[float], bool]:
    """A trial's figures so far, and whether the last of them has ended it."""
    path = epochs_file(folder, number)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    rows = [json.loads(line) for line in lines]
    return [row["figure"] for row in rows], bool(rows) and rows[-1]["stop"]
