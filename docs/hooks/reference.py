"""The pages of the reference, made from what they describe when the site is built."""

import configparser
from pathlib import Path

import public_names
from commands import commands
from configuration import configuration
from tables import cell, table

_SETTINGS = Path(__file__).parents[2] / "setup.cfg"


def pages() -> dict[str, str]:
    """`{place among the site's sources: Markdown}`."""
    return {
        "reference/commands.md": commands(),
        "reference/configuration.md": configuration(),
        "reference/python.md": python(),
        "reference/formulas.md": formulas(),
    }


def python() -> str:
    """The names that stay, and the rooms of the package."""
    settings = configparser.ConfigParser()
    settings.read(_SETTINGS, encoding="utf-8")
    floors = settings["importlinter:contract:floors"]["layers"].split()
    rooms = [[f"`{room}`", cell(_about(f"clir_ot.{room}"))] for room in floors if room != "|"]
    parts = [
        "# Python\n\nThese names stay: scripts and other libraries may call them.",
        *(
            "\n\n".join([f"## {heading}", *(f"::: {name}" for name in names)])
            for heading, names in public_names.PUBLIC.items()
        ),
        "## Rooms\n\nA file imports only from rooms below its own in this table.",
        table(["room", "what is in it"], rooms),
    ]
    return "\n\n".join(parts)


def formulas() -> str:
    """The modules that [From paper to code](papers.md) leads to."""
    parts = ["# What implements the papers\n\nModules of formulas; [From paper to code](../papers.md) leads here."]
    for module, names in public_names.formulas().items():
        parts += [f"## {module}", _about(module), *(f"::: {module}.{name}" for name in names)]
    return "\n\n".join(parts)


def _about(module: str) -> str:
    """The first sentence of a module's docstring."""
    docstring = public_names.find(module).docstring
    return docstring.value.splitlines()[0] if docstring else ""
