"""Which runs a report is about: found in folders, seen to belong together, grouped into systems."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import parse_languages
from clir_ot.errors import UserError
from clir_ot.runs.deciding import CONTENT, deciding
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.rankings import DISTILLED, HYBRID, TEACHER, kind_of
from clir_ot.systems.alignment import method_title

# What runs of one system may differ in: the seed, a student's language, and where its teacher lies.
_SEED = ("seed.everything", "data.seed")
_NO_LIMIT = ("trainer.max_steps", -1)  # Lightning's null
_OF_A_STUDENT = ("data.languages", "model.teacher")


@dataclass(frozen=True)
class TrainedRun:
    """A run whose training is complete.

    Attributes:
        folder: of the run.
        kind: teacher, distilled or hybrid.
        languages: foreign ones that it was trained in.
        settings: what decides the weights, without seed and, of a student, without its language and teacher; settings
            that are null are left out.
        facts: of `run.json`.
    """

    folder: RunFolder
    kind: str
    languages: list[str]
    settings: dict[str, Any]
    facts: dict[str, Any]

    @property
    def title(self) -> str:
        """What it is called after: of a student what it was taught by, never that it is a student."""
        if self.kind != DISTILLED:
            return self.kind
        return method_title(self.settings["model.alignment"], self.settings.get("model.marginals"))


@dataclass(frozen=True)
class SystemRuns:
    """Runs of one system: they differ in seed and, if they are students, in language.

    Attributes:
        name: its title and, where several systems have that, what sets it apart: `hybrid, alpha 0.25`.
        runs: one or more.
    """

    name: str
    runs: Sequence[TrainedRun]

    @property
    def kind(self) -> str:
        """Of all its runs."""
        return self.runs[0].kind

    @property
    def settings(self) -> dict[str, Any]:
        """Of all its runs."""
        return self.runs[0].settings

    @property
    def title(self) -> str:
        """Of all its runs."""
        return self.runs[0].title

    def of(self, language: str) -> list[TrainedRun]:
        """Its runs that answer queries in a language; English is answered by all."""
        return [run for run in self.runs if language in (ENGLISH, *run.languages)]


def find_runs(paths: Iterable[Path]) -> list[TrainedRun]:
    """Every complete run at or below the paths, in the order of their names.

    Raises:
        UserError: a path does not exist, or holds no complete run.
    """
    runs: dict[Path, TrainedRun] = {}
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such folder; give the folders of runs, or one that they lie in")
        # A run says in config.yaml what it is; Weights & Biases has a file of that name, too.
        configs = sorted(c for c in path.rglob("config.yaml") if c.with_name("run.json").is_file())
        found = {config.parent: run for config in configs if (run := _read(RunFolder(config.parent)))}
        if not found:
            raise UserError(f"{path}: no run there is trained; make teacher, make distill or make hybrid trains one")
        runs |= found
    spelt: dict[str, str] = {}
    for run in runs.values():
        if key := next((key for key in run.settings if CONTENT.get(key) == "encoder"), None):
            # By content: the same encoder has one name, however its place is spelt.
            run.settings[key] = spelt.setdefault(run.facts["encoder_fingerprint"], run.settings[key])
    return list(runs.values())


def check_runs(runs: Sequence[TrainedRun]) -> None:
    """See that the runs can be compared: students of one teacher, and all but teachers trained on one collection.

    Raises:
        UserError: they cannot; names two of them.
    """
    students = [run for run in runs if run.kind == DISTILLED]
    if not students and not any(run.kind == HYBRID for run in runs):
        raise UserError(
            "the report has neither a distilled nor a hybrid run, so there is nothing to compare; train one"
        )
    _same(students, lambda run: run.facts["encoder_fingerprint"], "are students of different teachers")
    compared = [run for run in runs if run.kind != TEACHER]
    _same(compared, lambda run: run.facts["collection_fingerprint"], "were trained on different collections")


def systems_of(runs: Sequence[TrainedRun]) -> tuple[list[SystemRuns], list[str]]:
    """Distilled systems, then hybrid ones; runs of the same settings are one system.

    Returns:
        The systems, and a note on each run that is left out since it repeats another one's settings, seed and language.
    """
    systems, notes = [], []
    for kind in (DISTILLED, HYBRID):
        groups: dict[tuple[tuple[str, str], ...], dict[tuple[Any, ...], TrainedRun]] = {}
        for run in runs:
            if run.kind != kind:
                continue
            group = groups.setdefault(tuple(sorted((k, repr(v)) for k, v in run.settings.items())), {})
            first = group.setdefault((run.facts["seed"], *run.languages), run)
            if first is not run:
                notes.append(f"{run.folder.path} repeats {first.folder.path} and is left out.")
        members = [list(group.values()) for group in groups.values()]
        systems += [SystemRuns(_name(group, members), group) for group in members]
    return systems, notes


def of_which(runs: Sequence[TrainedRun], collection: Collection) -> str:
    """Where the runs were trained, if not on the collection that they are measured on: a sentence, or nothing."""
    fingerprint = collection.fingerprint()
    return "" if all(run.facts["collection_fingerprint"] == fingerprint for run in runs) else (
        "The systems were trained on another collection than the one they are measured on."
    )  # fmt: skip


def _read(folder: RunFolder) -> TrainedRun | None:
    facts = folder.read_facts()
    if "steps" not in facts:  # training writes it at its end
        return None
    config = folder.read_config()
    kind = kind_of(config)
    left_out = {*_SEED, *(_OF_A_STUDENT if kind == DISTILLED else ())}
    said = {k: v for k, v in deciding(config).items() if k not in left_out and v is not None}
    settings = {k: v for k, v in said.items() if (k, v) != _NO_LIMIT}
    foreign = [language for language in parse_languages(config["data"]["languages"]) if language != ENGLISH]
    return TrainedRun(folder, kind, foreign, settings, {"seed": config["seed_everything"], **facts})


def _name(group: Sequence[TrainedRun], groups: Iterable[Sequence[TrainedRun]]) -> str:
    mine, title = group[0].settings, group[0].title
    others = [other[0].settings for other in groups if other[0].title == title]
    apart = [key for key in mine if any(other.get(key) != mine[key] for other in others)]
    return ", ".join([title, *(f"{key.split('.', 1)[1]} {mine[key]}" for key in sorted(apart))])


def _same(runs: Sequence[TrainedRun], what: Callable[[TrainedRun], Any], problem: str) -> None:
    for run in runs[1:]:
        if what(run) != what(runs[0]):
            raise UserError(f"{runs[0].folder.path} and {run.folder.path} {problem}; report them apart")
