"""The training runs of an ablation: each once, several at a time."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from clir_ot.errors import UserError
from clir_ot.files import write_text
from clir_ot.runs.deciding import CONTENT
from clir_ot.runs.fit_process import option, reason
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say


@dataclass(frozen=True)
class Variant:
    """One run of an ablation.

    Attributes:
        name: of the variant.
        folder: of the run.
        experiment: YAML that `arguments` change.
        collection: folder; what counts is its content.
        arguments: `{"model.alignment": "mse"}`.
    """

    name: str
    folder: RunFolder
    experiment: Path
    collection: Path
    arguments: dict[str, Any]

    def is_measured(self, read: str) -> bool:
        """Nothing is left to do.

        Raises:
            UserError: what was measured there had other settings.
        """
        if not self._marker.is_file():
            return False
        before = json.loads(self._marker.read_text(encoding="utf-8"))
        if _comparable(before) != _comparable(self._settings(read)):
            raise UserError(f"{self.folder.path}: was measured with other settings; delete it or choose another --run")
        return True

    def train(self, threads: int, devices: int | None) -> str | None:
        """Run `clir-ot fit`, whose output goes to `<seed>.log` beside the folder; what went wrong, in a line."""
        options = [word for key, value in self.arguments.items() for word in option(key, value)]
        places = ["--config", self.experiment, "--run", self.folder.path, "--data.collection", self.collection]
        options += ["--upload_encoder", "false"]  # it may be dropped before it is uploaded
        options += ["--wait", "true"]  # for one that a killed ablation has left training
        if devices is not None:
            options += ["--trainer.devices", str(devices)]
        log = self.folder.path.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as output:
            status = subprocess.run(
                [sys.executable, "-m", "clir_ot.cli", "fit", *map(str, places), *options],
                stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            ).returncode  # fmt: skip
        if not status:
            return None
        return f"{self.folder.path}: {reason(status, log)} (all of it: {log})"

    def finish(self, read: str, keep_encoder: bool) -> None:
        """Note that it is measured; only then drop what training needed."""
        write_text(self._marker, json.dumps(self._settings(read), indent=1) + "\n")
        shutil.rmtree(self.folder.checkpoints, ignore_errors=True)
        if not keep_encoder:
            shutil.rmtree(self.folder.encoder)

    @property
    def _marker(self) -> Path:
        return self.folder.path / "measured.json"

    def _settings(self, read: str) -> dict[str, Any]:
        text = self.experiment.read_text(encoding="utf-8")
        return {"arguments": self.arguments, "experiment": text, "read": read}


def _comparable(settings: dict[str, Any]) -> dict[str, Any]:
    """Without places whose content is among what is read."""
    arguments = {key: value for key, value in settings["arguments"].items() if key not in CONTENT}
    return settings | {"arguments": arguments}


def train_and_measure(
    runs: Collection[Variant],
    read: str,
    measure: Callable[[Variant], None],
    *,
    jobs: int,
    devices: int | None,
    keep_encoders: bool,
) -> None:
    """Do what is not done: a run that is measured is left alone, one that was stopped goes on from its checkpoint.

    Args:
        runs: wanted.
        read: fingerprint of what is read, the collection and perhaps a teacher.
        measure: writes what the table needs of a run's encoder into its folder.
        jobs: runs trained or measured at a time, which share the cores: two that want all of them hinder each other.
        devices: of each run; None is what the experiment says. They change the time, not the weights.
        keep_encoders: leave the trained encoders (500 MB each) there.

    Raises:
        UserError: a run fails, or a folder holds a run of other settings.
    """
    missing = [run for run in runs if not run.is_measured(read)]
    say(f"{len(runs)} runs, {len(missing)} of them to train, {jobs} at a time")
    threads = max(1, (os.cpu_count() or 1) // (jobs * (devices or 1)))
    measuring = Lock()

    def work(run: Variant) -> None:
        if problem := run.train(threads, devices):
            raise UserError(problem)
        with measuring:
            measure(run)
            run.finish(read, keep_encoders)

    pool = ThreadPoolExecutor(jobs)
    try:
        waiting = {pool.submit(work, run): run for run in missing}
        # As they are done, in whatever order.
        for number, future in enumerate(as_completed(waiting), start=1):
            future.result()
            say(f"[{number}/{len(missing)}] {waiting[future].folder.path}")
    finally:
        # An error and a kill cancel what has not begun; what has begun ends by itself.
        pool.shutdown(wait=True, cancel_futures=True)
