"""The reference of commands, from the Makefile and the parser."""

import argparse
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tables import cell, sentence, table

_ROOT = Path(__file__).parents[2]


def commands() -> str:
    """Every target of make, every verb of `clir-ot`, every option."""
    from clir_ot.options import make_parser

    said = subprocess.run(["make", "help"], cwd=_ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^  ([a-z-]+) +(.*)$", said, re.MULTILINE)
    parts = [
        "# Commands\n\nMade from the Makefile and the parser of `clir-ot` when the site is built.",
        "## make",
        table(["target", "what it does"], [[f"`make {name}`", cell(says)] for name, says in targets]),
        "## clir-ot",
        _options(parser := make_parser(defaultdict(lambda: print))),
        *_verbs(parser),
    ]
    return "\n\n".join(part for part in parts if part)


def _verbs(parser: argparse.ArgumentParser) -> Iterator[str]:
    # argparse has no public way to its actions.
    (nested,) = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    about = {action.dest: action.help for action in nested._choices_actions}
    for name, verb in nested.choices.items():
        yield f"### {verb.prog}\n\n{sentence(about.get(name) or '')}"
        if verb._subparsers:
            yield from _verbs(verb)
        elif name == "fit":
            yield "Its options are the keys of its [configuration](configuration.md); `clir-ot fit --help` lists them."
        else:
            yield _options(verb)
            if verb.epilog:
                yield f"```text\n{verb.epilog}\n```" if "\n" in verb.epilog else sentence(cell(verb.epilog))


def _options(parser: argparse.ArgumentParser) -> str:
    nested = argparse._SubParsersAction
    rows = [_option(parser, a) for a in parser._actions if a.dest != "help" and not isinstance(a, nested)]
    return table(["option", "what it is"], rows)


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> list[str]:
    spelt = [*action.option_strings[:1]]
    if action.nargs != 0:
        spelt.append(str(action.metavar or (action.dest.upper() if spelt else action.dest)))
    if action.nargs == "+":
        spelt.append("...")
    says = [cell(parser._get_formatter()._expand_help(action))] if action.help else []
    if action.choices:
        says.append(f"one of {', '.join(f'`{choice}`' for choice in action.choices)}")
    if action.option_strings and action.required:
        says.append("required")
    if action.default not in (None, False, [], argparse.SUPPRESS) and not any("default" in said for said in says):
        says.append(f"default: `{action.default}`")
    return [f"`{' '.join(spelt)}`", "; ".join(says)]
