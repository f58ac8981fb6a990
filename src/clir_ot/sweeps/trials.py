"""The folder of a sweep, and what is known of its trials.

```
sweep.json         what the sweep reads; at W&B, where it is there
trials.jsonl       a line a trial: values, state, figure, reason of a failure; written anew, whole, after every change
table.md           the same for reading, best first
parallel.png       a line a trial across the parameters, coloured by the figure
trial-1/, ...      run folders, with what training said in trial-1.log
trial-1.epochs.jsonl   the figure after every epoch, where the sweep ends trials early
```
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from clir_ot.errors import UserError
from clir_ot.evaluation.table import columns
from clir_ot.files import remove_leftovers, write_text
from clir_ot.pictures.canvas import save_picture
from clir_ot.runs.folder import RunFolder
from clir_ot.sweeps.picture import parallel_coordinates
from clir_ot.sweeps.sweep_file import SweepFile

State = Literal["running", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class Trial:
    """One.

    Attributes:
        number: from 1.
        values: `{"model.epsilon": 0.02}`, constant ones too.
        state: `stopped` is early, as the sweep file's `early_terminate` says.
        figure: the metric, after the last epoch.
        seconds: of training.
        reason: of a failure, in a line.
        epochs: the figure after every epoch, where the sweep ends trials early.
        wandb: id of its run, where W&B gave the values.
    """

    number: int
    values: dict[str, Any]
    state: State = "running"
    figure: float | None = None
    seconds: float | None = None
    reason: str | None = None
    epochs: list[float] = field(default_factory=list)
    wandb: str | None = None

    def failed(self, reason: str) -> "Trial":
        """The same, ended without a figure."""
        return replace(self, state="failed", reason=reason)


class Trials:
    """All trials of a sweep, as its folder has them.

    Args:
        folder: of the sweep.
        file: what is swept.
    """

    def __init__(self, folder: Path, file: SweepFile) -> None:
        self.folder, self._file = folder, file
        self.all = read_trials(folder)

    def check(self, settings: Mapping[str, Any]) -> None:
        """See that the folder is free, or this sweep's already.

        Raises:
            UserError: it holds another sweep or something else.
        """
        if (self.folder / "sweep.json").is_file():
            before = self.settings()
            if changed := [key for key in settings if settings[key] != before.get(key)]:
                raise UserError(f"{self.folder}: holds a sweep with another {changed[0]}; choose another --run folder")
        elif self.folder.is_dir() and any(not path.name.startswith(".") for path in self.folder.iterdir()):
            raise UserError(f"{self.folder}: exists and is no sweep of clir-ot; choose another --run folder")

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Make the free folder this sweep's; where it already is, clear away what a kill left. To be checked before."""
        for name in ("sweep.json", "trials.jsonl", "table.md", "parallel.png"):
            remove_leftovers(self.folder / name)
        if not (self.folder / "sweep.json").is_file():
            write_text(self.folder / "sweep.json", json.dumps(settings, indent=1, ensure_ascii=False) + "\n")

    def settings(self) -> dict[str, Any]:
        """What `begin` was given, and `wandb`, where it is there, if that has been noted."""
        settings: dict[str, Any] = json.loads((self.folder / "sweep.json").read_text(encoding="utf-8"))
        return settings

    def note(self, **more: Any) -> None:
        """Add to the settings."""
        write_text(self.folder / "sweep.json", json.dumps(self.settings() | more, indent=1, ensure_ascii=False) + "\n")

    @property
    def unfinished(self) -> list[Trial]:
        """Those that were running when the sweep was interrupted."""
        return [trial for trial in self.all if trial.state == "running"]

    @property
    def best(self) -> Trial | None:
        """Of those with a figure, the earliest of equal ones."""
        measured = [trial for trial in self._by_figure() if trial.figure is not None]
        return measured[0] if measured else None

    def run_folder(self, trial: Trial) -> RunFolder:
        """Where a trial trains."""
        return RunFolder(self.folder / f"trial-{trial.number}")

    def put(self, trial: Trial) -> None:
        """Add or replace a trial, by its number; write everything anew."""
        self.all = sorted(
            [*(other for other in self.all if other.number != trial.number), trial], key=lambda t: t.number
        )
        lines = [json.dumps(asdict(trial), ensure_ascii=False) for trial in self.all]
        write_text(self.folder / "trials.jsonl", "".join(f"{line}\n" for line in lines))
        write_text(self.folder / "table.md", self.table() + "\n")
        if figure := parallel_coordinates(self._file, [(t.values, t.figure) for t in self.all if t.figure is not None]):
            save_picture(figure, self.folder / "parallel.png")

    def table(self) -> str:
        """Markdown, best first."""
        swept = self._file.swept
        rows = [["trial", self._file.metric, *swept, "state", "seconds", "why"]]
        for trial in self._by_figure():
            figure = "" if trial.figure is None else f"{trial.figure:.4f}"
            seconds = "" if trial.seconds is None else f"{trial.seconds:.0f}"
            why = (trial.reason or "").replace("|", "\\|")
            values = [_spelt(trial.values.get(name)) for name in swept]
            rows.append([str(trial.number), figure, *values, trial.state, seconds, why])
        constant = {name: value for name, value in self.all[0].values.items() if name not in swept} if self.all else {}
        same = "".join(f" {name} {_spelt(value)}." for name, value in constant.items())
        goal = "more" if self._file.is_maximized else "less"
        note = (
            f"{self._file.config['method']} search; {self._file.metric} after the last epoch, {goal} is better.{same}"
        )
        return f"{columns(rows)}\n\n{note}"

    def _by_figure(self) -> list[Trial]:
        sign = -1 if self._file.is_maximized else 1
        return sorted(self.all, key=lambda trial: (trial.figure is None, sign * (trial.figure or 0.0), trial.number))


def read_trials(folder: Path) -> list[Trial]:
    """Those of a sweep's folder, by number."""
    path = folder / "trials.jsonl"
    if not path.is_file():
        return []
    return [Trial(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _spelt(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
