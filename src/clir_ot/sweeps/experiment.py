"""The experiment that a sweep varies: what it needs, which keys it has, what its runs log."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.data.from_collection import training_languages
from clir_ot.errors import UserError
from clir_ot.files import read_yaml
from clir_ot.runs.fit_process import option
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.tracking.dev_retrieval import DevRetrieval

_LOSS = "train/loss"
_DEV_RETRIEVAL = f"{DevRetrieval.__module__}.{DevRetrieval.__qualname__}"
# What the sweep itself gives to `clir-ot fit`.
_GIVEN = ("model.teacher", "data.collection", "trainer.default_root_dir")


@dataclass(frozen=True)
class Experiment:
    """What every trial of a sweep shares.

    Attributes:
        options: of `clir-ot fit`, all but the swept values and the folder.
        config: as resolved with them.
    """

    options: list[str]
    config: dict[str, Any]

    @classmethod
    def of(
        cls, file: SweepFile, collection: Collection, teacher: str | None, language: str | None, devices: int | None
    ) -> "Experiment":
        """Resolve the experiment and check the sweep file against it; nothing is trained.

        Raises:
            UserError: a parameter is no key of it or has a value of another kind, no run logs the metric, the teacher
                or the language is missing or is one too many.
        """
        written = read_yaml(file.experiment)
        if not all(isinstance(written.get(part), dict) for part in ("model", "data", "trainer")):
            raise UserError(f"{file.path}: {file.experiment} is no experiment: it lacks model, data or trainer")
        options = ["--config", str(file.experiment), *file.options, "--data.collection", str(collection.folder)]
        if ("teacher" in written["model"].get("init_args", {})) != (teacher is not None):
            wanted = "has no use for" if teacher else "needs"
            raise UserError(f"{file.path}: its experiment {file.experiment} {wanted} --teacher")
        if teacher is not None:
            options += ["--model.teacher", teacher]
        if written["data"].get("languages") is None:
            if language is None and "--data.languages" not in file.options:
                raise UserError(f"{file.path}: its experiment {file.experiment} needs --language")
            options += ["--data.languages", str(language)] if language else []
        if devices is not None:
            options += ["--trainer.devices", str(devices)]
        samples = [word for name, value in file.samples() for word in option(name, value)]
        said, problem = _resolve([*options, *samples])
        if problem:
            # An unknown key, or else a value of another kind: what is wrong is clearer from the keys that there are.
            said, other = _resolve(options)
            if other:
                raise UserError(f"{file.path}: {file.experiment}: {other}")
        config = yaml.safe_load(said)
        keys = _keys(config)
        for name in file.config["parameters"]:
            if name in _GIVEN:
                raise UserError(f"{file.path}: parameter {name} cannot be swept; the sweep's own options give it")
            if name not in keys:
                raise file.unknown(name, "unknown parameter", keys)
        if problem:
            raise UserError(f"{file.path}: {problem}")
        logged = _logged(config, collection)
        if file.metric not in logged:
            raise file.unknown(file.metric, "no run logs the metric", logged)
        return cls(options, config)

    @property
    def project(self) -> str | None:
        """At Weights & Biases; None where its runs are not logged there."""
        logger = self.config["trainer"]["logger"]
        options = logger.get("init_args", {}) if isinstance(logger, dict) else {}
        return options.get("project")


def _resolve(options: Sequence[str]) -> tuple[str, str | None]:
    """The configuration that `clir-ot fit` would run, as YAML; or what is wrong with it."""
    command = [sys.executable, "-m", "clir_ot.cli", "fit", *options, "--run", "unused", "--print_config"]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.returncode:
        return done.stdout, None
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return "", said[-1].removeprefix("clir-ot: ")


def _keys(config: dict[str, Any]) -> list[str]:
    """Those that can be given a value, dotted: `model.epsilon`."""
    parts = {"model": config["model"]["init_args"], "data": config["data"], "trainer": config["trainer"]}
    dotted = [f"{part}.{key}" for part, values in parts.items() for key in values]
    alone = [key for key in config if key not in (*parts, "run")]
    return [key for key in (*dotted, *alone) if key not in _GIVEN]


def _logged(config: dict[str, Any], collection: Collection) -> list[str]:
    """Figures that a sweep can go by: the dev figures of every language, and the loss."""
    names = []
    for callback in config["trainer"]["callbacks"] or []:
        if callback["class_path"] == _DEV_RETRIEVAL:
            measures = DevRetrieval(**callback.get("init_args", {})).measures
            languages = dict.fromkeys([ENGLISH, *training_languages(collection, config["data"]["languages"])])
            there = [language for language in languages if collection.is_judged("dev", language)]
            names += [f"dev/{language}/{measure}" for language in there for measure in measures]
    return [*names, _LOSS]
