"""Lightning's logger for Weights & Biases, with which training goes on whatever becomes of the server or the disk."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pytorch_lightning.loggers import WandbLogger

from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say
from clir_ot.tracking.weights_and_biases import is_offline, one_line

_ONLINE_SECONDS, _OFFLINE_SECONDS = 45, 600  # for a run to begin
_FALLS_BACK_TO = {"online": "offline", "offline": "disabled"}
_SAID = {
    "offline": "the run stays on this machine",
    "disabled": "nothing is logged there, and nothing else changes",
}


class RunLogger(WandbLogger):
    """A `WandbLogger` that falls back to an offline run, and then to none, with one line that says why.

    Args:
        save_dir: the run folder, in which the run's own folder is made.
        project, entity: at W&B; without an entity, the user's default one.
        id, name, group, job_type, tags: of the run, see `weights_and_biases.identify`.
        mode: None as the user is logged in, or `offline`.
    """

    def __init__(
        self,
        save_dir: str | None = None,
        project: str | None = None,
        entity: str | None = None,
        id: str | None = None,
        name: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: list[str] | None = None,
        mode: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"entity": entity, "group": group, "job_type": job_type, "tags": tags, "mode": mode}
        super().__init__(name=name, save_dir=save_dir or ".", project=project, id=id, **options)

    @property
    def experiment(self) -> Any:
        """The run; of a fallback, the next one that can be begun."""
        while True:
            try:
                if self._experiment is None:
                    self._bound()
                return super().experiment
            # Of wandb, its service process, the network, the disk: training must outlive all of them.
            except Exception as error:
                mode = _FALLS_BACK_TO.get(self._wandb_init.get("mode") or "online")
                if mode is None:
                    raise
                self._fall_back(error, mode)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """As `WandbLogger`; what fails is said once, and logging ends."""
        with self.unharmed():
            super().log_metrics(metrics, step)

    def log_hyperparams(self, params: Any) -> None:
        """As `WandbLogger`; what fails is said once, and logging ends."""
        with self.unharmed():
            super().log_hyperparams(params)

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Whatever goes wrong with the run within the block is said once, and no more is logged."""
        try:
            yield
        except Exception as error:  # see `experiment`
            if self._wandb_init.get("mode") != "disabled":
                self._fall_back(error, "disabled")

    def identity(self) -> dict[str, Any]:
        """What `RunLogger` must be given to go on with this run, and where the server shows it (None: it does not)."""
        run, options = self.experiment, self._wandb_init
        kept = {key: options.get(key) for key in ("id", "project", "name", "group", "job_type", "tags")}
        is_online = options.get("mode") is None and not run.disabled and not run.offline
        return {
            **kept,
            "entity": run.entity if is_online else options.get("entity"),
            "url": run.url if is_online else None,
        }

    @property
    def is_online(self) -> bool:
        """The server knows the run."""
        return bool(self.identity()["url"])

    def _bound(self) -> None:
        """A server that does not answer must not hold up training; a machine that is busy must not end logging."""
        import wandb

        # Lightning's default, of which wandb warns.
        self._wandb_init.pop("anonymous", None)
        if "WANDB_INIT_TIMEOUT" in os.environ and not self._wandb_init.get("mode"):
            return
        seconds = _OFFLINE_SECONDS if self._wandb_init.get("mode") else _ONLINE_SECONDS
        self._wandb_init["settings"] = wandb.Settings(init_timeout=seconds)

    def _fall_back(self, error: Exception, mode: str) -> None:
        import wandb

        say(f"Weights & Biases: {one_line(error)}; {_SAID[mode]}")
        self._wandb_init["mode"] = mode
        # A service process that has died would fail whatever is begun next, too.
        with suppress(Exception):
            wandb.teardown()
        self._experiment = None
        if mode == "disabled":
            # Not by the parent, which would take up a run that has broken. What wandb captures of the terminal's output
            # goes there still, and would be an error a line.
            logging.getLogger("wandb").setLevel(logging.CRITICAL)
            self._experiment = wandb.init(mode="disabled")


def reopen(run: RunFolder) -> RunLogger | None:
    """Go on with the run that training began, from another process; None where training logged none.

    An offline run goes on as a second part with the same id, see `weights_and_biases.sync_command`.
    """
    kept = run.read_facts().get("wandb")
    if kept is None:
        return None
    options = {key: kept.get(key) for key in ("id", "project", "name", "group", "job_type", "tags", "entity")}
    return RunLogger(save_dir=str(run.path), mode="offline" if is_offline() else None, **options)
