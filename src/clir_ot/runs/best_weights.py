"""The weights of the epoch whose dev figure is best."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from clir_ot.errors import UserError
from clir_ot.files import replacing


class BestWeights(pl.Callback):
    """Keep the trained weights of the epoch with the highest dev figure, the earliest of equal ones.

    Which one that is travels in the run's checkpoints, so a resumed run keeps the same. To be placed after
    `DevRetrieval`, which logs the figure, and before what writes the checkpoints.

    Args:
        path: of the file with the weights.
        monitor: a figure of `DevRetrieval`, such as `dev/yo/MRR@10`; more is better.
    """

    def __init__(self, path: Path, monitor: str) -> None:
        self._path, self._monitor = path, monitor
        self._best: dict[str, Any] | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """See that there will be such a figure.

        Raises:
            UserError: there will not.
        """
        callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
        # Whatever says what it will log; `DevRetrieval` does, which belongs to a floor above.
        logged = [name for callback in callbacks if hasattr(callback, "logs") for name in callback.logs(trainer)]
        if self._monitor not in logged:
            there = ", ".join(logged) or "none (trainer.callbacks has no DevRetrieval, or there are no dev judgements)"
            raise UserError(f"monitor is {self._monitor}, which is not logged; there are: {there}")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        value = float(trainer.callback_metrics[self._monitor])
        if self._best is not None and value <= self._best["value"]:
            return
        self._best = {"epoch": trainer.current_epoch + 1, "value": value}
        if trainer.is_global_zero and not trainer.fast_dev_run:  # type: ignore[attr-defined]
            trained = {name: p.detach() for name, p in pl_module.named_parameters() if p.requires_grad}
            # A file of ours: torch's own does not say what the system refused.
            with replacing(self._path) as temporary, temporary.open("wb") as file:
                torch.save(trained, file)

    def restore(self, module: pl.LightningModule) -> dict[str, Any]:
        """Give `module` the best weights; return `{"epoch": from 1, "value": of the figure}`."""
        assert self._best is not None
        module.load_state_dict(torch.load(self._path, weights_only=True), strict=False)
        return self._best

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._best = state["best"]
