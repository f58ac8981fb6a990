"""A sweep file, in the format of Weights & Biases: which settings of an experiment to try, and what makes one better.

Format: https://docs.wandb.ai/models/sweeps/define-sweep-configuration. Its `command` is `clir-ot fit --config FILE
${args}`; the file, or name, behind `--config` is the experiment, as seen from the folder where the sweep is started.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import ValidationError
from sweeps import SweepConfig
from sweeps.params import HyperParameter, HyperParameterSet

from clir_ot.errors import UserError
from clir_ot.files import read_yaml
from clir_ot.kit.named import Shelf, find

METHODS = ("grid", "random", "bayes")
_ARGUMENTS = "${args}"
_PROGRAM = "clir-ot"
_DRAWN_AT = (0.05, 0.5, 0.95)  # where a distribution is looked at


@dataclass(frozen=True)
class SweepFile:
    """What the file says.

    Attributes:
        path: of the file.
        config: all of it, the defaults of W&B's format filled in.
        experiment: YAML of the experiment that is varied.
        options: of `clir-ot fit`, beside the swept ones.
    """

    path: Path
    config: dict[str, Any]
    experiment: Path
    options: list[str]

    @classmethod
    def read(cls, path: Path) -> "SweepFile":
        """Read and check the file.

        Raises:
            UserError: it is missing, no YAML, no sweep file, or its command trains no experiment.
        """
        said = read_yaml(path)
        if said.get("method") not in METHODS:
            raise UserError(f"{path}: method is {said.get('method')}; {_nearest(said.get('method'), METHODS)}")
        for key in ("metric", "parameters", "command"):
            if not said.get(key):
                raise UserError(
                    f"{path}: has no {key}; `clir-ot init DIR` lays files that have all: DIR/experiments/sweeps"
                )
        if not isinstance(said["metric"], dict) or not {"name", "goal"} <= said["metric"].keys():
            raise UserError(f"{path}: metric needs a name, such as dev/yo/MRR@10, and a goal: maximize or minimize")
        if not isinstance(said["parameters"], dict):
            raise UserError(
                f"{path}: parameters is no mapping; expected such as model.epsilon: {{values: [0.01, 0.1]}}"
            )
        for name, how in said["parameters"].items():
            if not isinstance(how, dict) or "parameters" in how:
                raise UserError(f"{path}: {name}: expected values, value, or min and max; nested names are dotted here")
        try:
            config = dict(SweepConfig(said))
            _refuse_unread(path, config)
        except (ValidationError, ValueError) as error:
            raise UserError(f"{path}: {'; '.join(str(error).splitlines()[:2])}") from error
        experiment, options = _read_command(path, said["command"])
        return cls(path, config, experiment, options)

    @property
    def metric(self) -> str:
        """Name of the figure, such as `dev/yo/MRR@10`."""
        return str(self.config["metric"]["name"])

    @property
    def is_maximized(self) -> bool:
        """Whether more is better."""
        return bool(self.config["metric"]["goal"] == "maximize")

    @property
    def swept(self) -> list[str]:
        """Parameters that are not the same in every trial, in the order of the file."""
        constant = {p.name for p in self._parameters() if p.type == HyperParameter.CONSTANT}
        return [name for name in self.config["parameters"] if name not in constant]

    def samples(self) -> list[tuple[str, Any]]:
        """`(parameter, value)`: every value that is listed, some of those that are drawn."""
        return [(p.name, plain(value)) for p in self._parameters() for value in _samples(p)]

    def size(self) -> int | None:
        """Trials of a grid; None: without end."""
        if self.config["method"] != "grid":
            return None
        size = 1
        for parameter in self._parameters():
            size *= len(parameter.config.get("values", [None]))
        return size

    def with_language(self, language: str | None) -> "SweepFile":
        """The same, chosen by the dev figure of this language, where it goes by a dev figure at all."""
        kind, _, rest = self.metric.partition("/")
        _, _, measure = rest.partition("/")
        if language is None or kind != "dev" or not measure:
            return self
        metric = self.config["metric"] | {"name": f"dev/{language}/{measure}"}
        return SweepFile(self.path, self.config | {"metric": metric}, self.experiment, self.options)

    def unknown(self, name: str, what: str, known: Iterable[str]) -> UserError:
        """The error that a name is none of those known; it gives the nearest."""
        return UserError(f"{self.path}: {what} {name}; {_nearest(name, list(known))}")

    def _parameters(self) -> list[HyperParameter]:
        return list(HyperParameterSet.from_config(self.config["parameters"]))


def plain(value: Any) -> Any:
    """A drawn value as Python's own, not numpy's."""
    return value.item() if hasattr(value, "item") else value


def _refuse_unread(path: Path, config: dict[str, Any]) -> None:
    """No key that would silently do nothing, and no draw that a grid cannot make."""
    parameters = list(HyperParameterSet.from_config(config["parameters"]))
    if missing := config["parameters"].keys() - {parameter.name for parameter in parameters}:
        raise UserError(f"{path}: {sorted(missing)[0]}: expected values, value, or min and max")
    if config["method"] == "grid":
        listed = (HyperParameter.CATEGORICAL, HyperParameter.CONSTANT)
        if drawn := [parameter.name for parameter in parameters if parameter.type not in listed]:
            raise UserError(f"{path}: {drawn[0]}: a grid needs its values listed")
    if config["method"] == "bayes" and all(parameter.type == HyperParameter.CONSTANT for parameter in parameters):
        raise UserError(f"{path}: all parameters are constant; bayes needs one to search")
    known = ("name", "description", "project", "entity", "method", "metric", "parameters", "early_terminate", "command")
    if unread := [key for key in config if key not in known]:
        raise UserError(f"{path}: nothing here reads {unread[0]}; {_nearest(unread[0], known)}")


def _read_command(path: Path, command: Any) -> tuple[Path, list[str]]:
    """The experiment and further options of `[${env}, clir-ot, fit, --config, FILE, ..., ${args}]`."""
    words = [str(word) for word in command] if isinstance(command, list) else []
    words = words[1:] if words[:1] == ["${env}"] else words
    if words[:3] != [_PROGRAM, "fit", "--config"] or len(words) < 5 or words[-1] != _ARGUMENTS:
        raise UserError(f"{path}: command: expected the list: ${{env}}, clir-ot, fit, --config, FILE, {_ARGUMENTS}")
    try:
        return find(words[3], Shelf.EXPERIMENT), words[4:-1]
    except UserError as error:
        raise UserError(f"{path}: command: {error}") from error


def _samples(parameter: HyperParameter) -> list[Any]:
    if parameter.type == HyperParameter.CONSTANT:
        return [parameter.value]
    if "values" in parameter.config:
        return list(parameter.config["values"])
    return [parameter.ppf(at) for at in _DRAWN_AT]


def _nearest(name: Any, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
