"""A trial's training: `clir-ot fit` in a process of its own, which a sweep that was killed finds again."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from clir_ot.runs.fit_process import option, reason
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
    log = run.path.with_suffix(".log")
    # One that a killed sweep has left training is waited for: here, where it is seen, and by one that is just starting.
    with run.held("trained", wait=True):
        pass
    options = [*experiment.options, "--run", str(run.path), "--wait", "true"]
    for name, value in trial.values.items():
        options += option(name, value)
    if trial.wandb is not None:
        # The variable that the agent sets is enough for W&B, but not for what the run folder notes of the run.
        options += option("trainer.logger.init_args.id", trial.wandb)
    if ends_early and "early_terminate" in file.config:
        options += end_early(trials.folder, trial.number)
    variables = {name: value for name, value in os.environ.items() if name != "WANDB_SERVICE"}  # of another process
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "clir_ot.cli", "fit", *options], stdout=output, stderr=subprocess.STDOUT,
            env={**variables, **(environment or {})},
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
