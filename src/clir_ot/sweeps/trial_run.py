"""A trial's training: `clir-ot fit` in a process of its own, which a sweep that was killed finds again."""

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.runs.fit_process import option, reason
from clir_ot.runs.progress import say
from clir_ot.sweeps.early_stop import end_early, read_epochs
from clir_ot.sweeps.experiment import Experiment
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.sweeps.trials import State, Trial, Trials

_POLL = 0.1  # seconds


def train(
    trial: Trial,
    trials: Trials,
    file: SweepFile,
    experiment: Experiment,
    *,
    ends_early: bool,
    environment: Mapping[str, str] | None = None,
) -> Trial:
    """Train it, from its checkpoint if it has one, and return it with its figure or the reason of its failure.

    Args:
        trial: to be trained; noted as running.
        trials: it is one of.
        file, experiment: what is swept.
        ends_early: whether this end decides that, as the file's `early_terminate` says.
        environment: variables for the process, beside this one's.

    Raises:
        KeyboardInterrupt: and whatever else ends the sweep, after the process, told to end, has saved.
    """
    run = trials.run_folder(trial)
    log, lock = run.path.with_suffix(".log"), run.path.with_suffix(".lock")
    options = [*experiment.options, "--run", str(run.path)]
    for name, value in trial.values.items():
        options += option(name, value)
    if trial.wandb is not None:
        # The variable that the agent sets is enough for W&B, but not for what the run folder notes of the run.
        options += option("trainer.logger.init_args.id", trial.wandb)
    if ends_early and "early_terminate" in file.config:
        options += end_early(trials.folder, trial.number)
    variables = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}  # of another process
    with _locked(lock, log) as descriptor, log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "clir_ot.cli", "fit", *options], stdout=output, stderr=subprocess.STDOUT,
            env={**variables, **(environment or {})},
            # The process holds the lock too: should this one be killed, the lock is free only when training has ended.
            pass_fds=[descriptor],
        )  # fmt: skip
        try:
            # Not `wait`: W&B's agent ends the thread it runs this in by an exception, which no call to C would see.
            while process.poll() is None:
                time.sleep(_POLL)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode:
        return trial.failed(reason(process.returncode, log))
    facts = run.read_facts()
    figure, seconds = facts["metrics"].get(file.metric), facts["seconds"]
    epochs, is_stopped = read_epochs(trials.folder, trial.number)
    if figure is None:
        return trial.failed(f"its run has not logged {file.metric}")
    state: State = "stopped" if is_stopped else "finished"
    return replace(trial, state=state, figure=figure, seconds=seconds, epochs=epochs)


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """While this is open, no other process sweeps in the folder.

    Raises:
        UserError: another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: a sweep is running there; wait for it, or choose another --run folder"
            ) from None
        try:
            yield
        finally:
            (folder / ".lock").unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path, log: Path) -> Iterator[int]:
    """The lock of a trial, once a process that a killed sweep has left training has ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{path.with_suffix('')}: still trains, though its sweep was ended; waiting for it (see {log})")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
    path.unlink(missing_ok=True)
