"""A sweep at Weights & Biases: its server says what to try, its agent starts the trials here."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from clir_ot.runs.progress import say
from clir_ot.sweeps.experiment import Experiment
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.sweeps.trial_run import train
from clir_ot.sweeps.trials import Trial, Trials
from clir_ot.tracking.weights_and_biases import asking

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_at_wandb(file: SweepFile, experiment: Experiment, trials: Trials, count: int) -> None:
    """Create the sweep, or go on with the one that the folder has, and run its agent until there are `count` trials.

    Every trial is one W&B run, which its `clir-ot fit` writes, under the id that the agent gave. One that was running
    when the sweep was interrupted goes on, in the same W&B run. When to end a trial early, the server says.

    Args:
        file, experiment: what is swept.
        trials: of it, so far.
        count: trials in all.

    Raises:
        UserError: the server does not let the user create the sweep.
        KeyboardInterrupt: after the running trial, told to end, has saved.
    """
    import wandb

    place = trials.settings().get("wandb")
    if place is None:
        project, entity = file.config.get("project") or experiment.project, file.config.get("entity")
        with asking(f"{'/'.join(filter(None, (entity, project)))}: the sweep cannot be created"):
            sweep_id = wandb.sweep(file.config, project=project, entity=entity)
        place = {"id": sweep_id, "project": project, "entity": entity}
        trials.note(wandb=place)
    else:
        say(f"{trials.folder}: goes on with the sweep {place['id']}")
    environment = {
        "WANDB_SWEEP_ID": place["id"],
        **{f"WANDB_{key.upper()}": place[key] for key in ("project", "entity") if place[key]},
    }
    # What the agent writes beside the trials; `clir-ot fit` names its own folder.
    os.environ["WANDB_DIR"] = str(trials.folder)
    for trial in trials.unfinished:
        say(f"trial {trial.number}: goes on")
        here = environment | {"WANDB_RUN_ID": str(trial.wandb), "WANDB_RESUME": "allow"}
        trials.put(train(trial, trials, file, experiment, ends_early=False, environment=here))
    left = count - len(trials.all)
    if left <= 0:
        return

    def run_one(is_interrupted: Callable[[], bool]) -> None:
        parameters = Path(os.environ["WANDB_SWEEP_PARAM_PATH"])
        trial = Trial(len(trials.all) + 1, _read_values(parameters), wandb=os.environ["WANDB_RUN_ID"])
        trials.put(trial)
        try:
            ended = train(trial, trials, file, experiment, ends_early=False, environment=environment)
        except Exception:
            # So the agent ends the thread that this runs in: because the server says so, or because of Ctrl-C.
            if not is_interrupted():
                trials.put(replace(trial, state="stopped", reason="ended early by Weights & Biases"))
            raise
        trials.put(ended)
        said = ended.reason if ended.figure is None else f"{file.metric} {ended.figure:.4f}"
        say(f"trial {trial.number} of {count}: {ended.state}: {said}")

    _interruptible(
        lambda is_interrupted: wandb.agent(
            place["id"], function=lambda: run_one(is_interrupted), project=place["project"], entity=place["entity"],
            count=left,
        )
    )  # fmt: skip


def _read_values(path: Path) -> dict[str, Any]:
    """The agent's file: `{"model.epsilon": {"value": 0.02}, "wandb_version": 1}`."""
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: entry["value"] for name, entry in said.items() if isinstance(entry, dict)}


def _interruptible(run: Callable[[Callable[[], bool]], None]) -> None:
    """Call `run`; W&B's agent returns on Ctrl-C as it does at its end, here it is raised again."""
    interrupted = False

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    before = {name: signal.signal(name, note) for name in _SIGNALS}
    try:
        run(lambda: interrupted)
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    if interrupted:
        raise KeyboardInterrupt
