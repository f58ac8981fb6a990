"""A whole sweep: checked, run where it can be, and told."""

import os
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.errors import UserError
from clir_ot.locks import hold
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.runs.progress import say
from clir_ot.sweeps.experiment import Experiment
from clir_ot.sweeps.scheduler import run_here
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.sweeps.trials import Trials
from clir_ot.sweeps.wandb_agent import run_at_wandb
from clir_ot.tracking.weights_and_biases import is_offline


def sweep(
    path: Path,
    collection: Collection,
    folder: Path,
    *,
    teacher: str | None = None,
    language: str | None = None,
    count: int | None = None,
    seed: int = 0,
    devices: int | None = None,
) -> Trials:
    """Run the trials that are missing, at Weights & Biases where the user is logged in, else by W&B's package here.

    Args:
        path: of the sweep file.
        collection: to train on.
        folder: of the sweep: new, or to be gone on with.
        teacher: folder of the teacher's encoder, of experiments with one.
        language: canonical code, of experiments that leave `data.languages` open, and of the metric's dev queries.
        count: trials in all; None is all of a grid.
        seed: of what is drawn.
        devices: of each trial; None is what the experiment says.

    Raises:
        UserError: the file is wrong, or the folder holds another sweep, both before anything runs; all trials failed.
    """
    file = SweepFile.read(path).with_language(language)
    size = file.size()
    if count is None and size is None:
        raise UserError(f"{path}: a {file.config['method']} search has no end; say how many trials: --count 8")
    if count is not None and count < 1:
        raise UserError(f"sweep: --count is {count}; it must be 1 or more")
    wanted = min(number for number in (count, size) if number is not None)
    experiment = Experiment.of(file, collection, teacher, language, devices)
    settings = {
        "sweep": file.config, "experiment": file.experiment.read_text(encoding="utf-8"), "options": file.options,
        "collection": collection.fingerprint(), "teacher": fingerprint(teacher) if teacher else None,
        "language": language, "seed": seed,
    }  # fmt: skip
    online = experiment.project is not None and not _stays_here()
    trials = Trials(folder, file)
    trials.check(settings)
    with hold(folder / ".lock", f"{folder}: is being swept", "wait until it ends, or give another --run folder"):
        trials.begin(settings)
        begun_there = "wandb" in trials.settings()
        if begun_there and not online:
            raise UserError(
                f"{folder}: its sweep is at Weights & Biases; log in (wandb login), or choose another --run"
            )
        if begun_there or (online and not trials.all):
            run_at_wandb(file, experiment, trials, wanted)
        else:
            say(f"{folder}: {wanted} trials, {file.config['method']} search on this machine, by {file.metric}")
            run_here(file, experiment, trials, wanted, seed)
        if trials.all and trials.best is None:
            raise UserError(f"{folder}: all trials failed; the first: {trials.all[0].reason}")
    return trials


def _stays_here() -> bool:
    return os.environ.get("WANDB_MODE") in ("offline", "disabled", "dryrun") or is_offline()
