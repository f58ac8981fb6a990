"""The reference of configuration keys, from signatures, docstrings, and the experiments with their comments."""

import inspect
import re
import sys
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import griffe
import yaml

from docstrings import each_by_itself
from tables import cell, table

_EXPERIMENTS = Path(__file__).parents[2] / "experiments"
_SYSTEMS = {"TeacherRanker": "teacher", "OTDistillation": "distill", "HybridBatchRanker": "hybrid"}
_HEADS = ["key", "type and default", "what it is"]


def configuration() -> str:
    """Every key of `clir-ot fit`'s configuration, and of ablation files."""
    import pytorch_lightning as pl

    import clir_ot
    from clir_ot.ablation.plan import Ablation

    parts = [
        "# Configuration\n\nAn experiment is a YAML file. Every key can be overridden on the command line, as `--key "
        "value`, or in make's `ARGS`. Types, defaults and descriptions are the code's; below them stands what the "
        "experiments set, with their comments.",
        "## clir-ot fit",
        table(_HEADS, list(_own_options())),
    ]
    for name, experiment in _SYSTEMS.items():
        file = f"[{experiment}.yaml](../../experiments/{experiment}.yaml)"
        parts += [f"## model: {name}", f"[`{name}`][clir_ot.{name}], of {file}."]
        parts += [_keys(getattr(clir_ot, name), "model", [experiment])]
    parts += ["## data", "[`CLIRDataModule`][clir_ot.CLIRDataModule], of all systems."]
    parts += [_keys(clir_ot.CLIRDataModule, "data", list(_SYSTEMS.values()))]
    parts += ["## trainer", "Lightning's `Trainer`. Those that an experiment sets come first."]
    parts += [_keys(pl.Trainer, "trainer", list(_SYSTEMS.values()))]
    parts += ["## Logger and callbacks", "What stands as `class_path` under `trainer.logger` and `trainer.callbacks`."]
    for path in _classes():
        module, _, name = path.rpartition(".")
        value = getattr(import_module(module), name)
        about = inspect.cleandoc(value.__doc__ or "").split("\n\n")[0]
        parts += [f"### {name}", f"`{path}`: {about}", _keys(value, "init_args", [])]
    parts += ["## Files of clir-ot ablate", "Such as [alignment.yaml](../../experiments/ablation/alignment.yaml)."]
    parts += [table(["key", "what it is"], [[f"`{key}`", cell(says)] for key, says in described(Ablation).items()])]
    return "\n\n".join(part for part in parts if part)


def described(value: type) -> dict[str, str]:
    """`{parameter: description}` from the docstring and those of the base classes."""
    found: dict[str, str] = {}
    for owner in reversed(value.__mro__):
        text = inspect.cleandoc(owner.__doc__ or owner.__dict__.get("__init__", owner).__doc__ or "")
        for section in griffe.Docstring(each_by_itself(text)).parse("google", warnings=False):
            if section.kind in (griffe.DocstringSectionKind.parameters, griffe.DocstringSectionKind.attributes):
                for item in section.value:
                    found[item.name] = _elsewhere(owner, item.name, item.description) or item.description
    return found


def _elsewhere(owner: type, parameter: str, description: str) -> str:
    """What is said of a parameter where its description refers to: "as in `Ranker`", "see `SolverOptions`"."""
    if not (matched := re.search(r"(?:as in|see)\s+`(?:[\w.]+\.)?([A-Z]\w+)`", description)):
        return ""
    named = getattr(sys.modules[owner.__module__], matched[1], None)
    return described(named).get(parameter, "") if inspect.isclass(named) else ""


def said(experiment: str) -> dict[str, tuple[str, str]]:
    """`{dotted key: (value, comment)}` of an experiment file; a comment goes on in the comments below it."""
    found: dict[str, tuple[str, str]] = {}
    section, last = "", ""
    for line in _text(experiment).splitlines():
        if more := re.fullmatch(r"\s{10,}#\s*(.*)", line):
            value, comment = found[last]
            found[last] = value, f"{comment} {more[1]}".strip()
        elif matched := re.fullmatch(r"( *)(\w+):\s*(.*?)(?:\s*#\s*(.*))?", line):
            section = matched[2] if not matched[1] else section
            last = f"{section}.{matched[2]}"
            found[last] = matched[3], matched[4] or ""
    return {key: what for key, what in found.items() if what[0]}


def _text(experiment: str) -> str:
    return (_EXPERIMENTS / f"{experiment}.yaml").read_text(encoding="utf-8")


def _own_options() -> Iterator[list[str]]:
    """Those that `fit` adds to Lightning's."""
    from clir_ot.fit_cli import FitCLI

    rows = [["`seed_everything`", "int; default `0`", "of weights and batches"]]

    class Parser:
        def add_argument(self, name: str, *, type: Any, help: str, default: Any = None, required: bool = False) -> None:
            how = "required" if required else f"default {_default(default)}"
            rows.append([f"`{name.removeprefix('--')}`", f"{_type(type)}; {how}", cell(help)])

        def link_arguments(self, *_: str) -> None:
            pass

    FitCLI.add_arguments_to_parser(None, Parser())  # type: ignore[arg-type]
    return iter(rows)


def _keys(value: type, prefix: str, experiments: list[str]) -> str:
    """A table of a class's parameters, with what the experiments say of them."""
    hints, about = get_type_hints(value.__init__), described(value)  # type: ignore[misc]
    first: list[list[str]] = []
    others: list[list[str]] = []
    for name, parameter in inspect.signature(value).parameters.items():
        if name not in hints or hints[name] is Any:
            continue
        how = "required" if parameter.default is parameter.empty else f"default {_default(parameter.default)}"
        says = cell(about.get(name, ""))
        lines = [re.split(r"(?<=[.])\s", says)[0] if prefix == "trainer" else says]  # Lightning's are pages long
        for experiment in experiments:
            if what := said(experiment).get(f"{prefix}.{name}"):
                adds = "" if what[1].lower() in says.lower() else f", {cell(what[1])}"
                lines.append(f"*{experiment}.yaml*: `{what[0]}`{adds}")
        row = [f"`{prefix}.{name}`", f"{_type(hints[name])}; {how}", "<br>".join(filter(None, lines))]
        (others if prefix == "trainer" and len(lines) == 1 else first).append(row)
    return table(_HEADS, [*first, *others])


def _classes() -> list[str]:
    """The `class_path` of every logger and callback in the experiments."""
    paths = []
    for experiment in _SYSTEMS.values():
        trainer = yaml.safe_load(_text(experiment))["trainer"]
        paths += [trainer["logger"]["class_path"], *(callback["class_path"] for callback in trainer["callbacks"])]
    return list(dict.fromkeys(paths))


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_type(a) for a in arguments if a is not type(None))
        return " or ".join([*kinds, *(["null"] if type(None) in arguments else [])])
    if origin in (list, set, tuple):
        return f"{origin.__name__} of {' or '.join(_type(a) for a in arguments if a is not ...)}"
    return str(getattr(origin or annotation, "__name__", annotation))


def _default(value: Any) -> str:
    plain = isinstance(value, (str, bool, int, float, type(None)))
    return f"`{yaml.safe_dump(value).splitlines()[0] if plain else value}`"
