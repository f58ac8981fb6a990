"""The scheduler of sweeps on this machine: W&B's own `sweeps` says what to try next."""

import contextlib
import hashlib
import random
import warnings
from collections.abc import Iterator

import numpy as np

# The three searches are imported here although `sweeps` does so too: between seeding and drawing, and that draws.
from sweeps import RunState, SweepRun, bayes_search, grid_search, next_run, random_search  # noqa: F401

from clir_ot.runs.progress import say
from clir_ot.sweeps.experiment import Experiment
from clir_ot.sweeps.sweep_file import SweepFile, plain
from clir_ot.sweeps.trial_run import train
from clir_ot.sweeps.trials import Trial, Trials

_STATES = {"finished": RunState.finished, "stopped": RunState.finished, "failed": RunState.failed}


def run_here(file: SweepFile, experiment: Experiment, trials: Trials, count: int, seed: int) -> None:
    """Train one trial after the other until there are `count`, the grid is empty or a figure reaches the target.

    A trial that fails is noted, and the next one begins. One that was running when the sweep was interrupted goes on.

    Args:
        file, experiment: what is swept.
        trials: of it, so far.
        count: trials in all.
        seed: of what is drawn: trial n depends on it, on n and, for bayes, on the figures before.
    """
    for trial in trials.unfinished:
        say(f"trial {trial.number}: goes on")
        _run(trial, file, experiment, trials, count)
    while len(trials.all) < count and not _is_reached(file, trials):
        values = next_values(file, trials.all, seed)
        if values is None:
            return
        trial = Trial(len(trials.all) + 1, values)
        trials.put(trial)
        _run(trial, file, experiment, trials, count)


def next_values(file: SweepFile, trials: list[Trial], seed: int) -> dict[str, object] | None:
    """What to try next; None where a grid is covered."""
    runs = [
        SweepRun(
            name=str(trial.number),
            config={name: {"value": value} for name, value in trial.values.items()},
            state=_STATES[trial.state],
            summaryMetrics={} if trial.figure is None else {file.metric: trial.figure},
        )
        for trial in trials
    ]
    with _seeded(f"{seed} {len(trials) + 1}"), warnings.catch_warnings():
        # Of a Gaussian process on few points: `sweeps` sees by itself that it fits badly, and draws at random then.
        warnings.simplefilter("ignore")
        found = next_run(file.config, runs)
    return None if found is None else {name: plain(entry["value"]) for name, entry in sorted(found.config.items())}


def _run(trial: Trial, file: SweepFile, experiment: Experiment, trials: Trials, count: int) -> None:
    of = min(count, file.size() or count)
    say(f"trial {trial.number} of {of}: " + ", ".join(f"{name} {trial.values[name]}" for name in file.swept))
    ended = train(trial, trials, file, experiment, ends_early=True)
    trials.put(ended)
    said = ended.reason if ended.figure is None else f"{file.metric} {ended.figure:.4f}"
    say(f"trial {trial.number} of {of}: {ended.state}: {said}")


def _is_reached(file: SweepFile, trials: Trials) -> bool:
    target, best = file.config["metric"].get("target"), trials.best
    if target is None or best is None or best.figure is None:
        return False
    return bool(best.figure >= target if file.is_maximized else best.figure <= target)


@contextlib.contextmanager
def _seeded(name: str) -> Iterator[None]:
    """The generators that `sweeps` draws from, which are the process's own, seeded; afterwards as they were."""
    states = random.getstate(), np.random.get_state()
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
