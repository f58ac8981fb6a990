"""`clir-ot init DIR`: its options, and the function that runs it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def add_init(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verb `init` to the parser of `clir-ot`'s verbs."""
    action = commands.add_parser("init", help="lay the experiments and the Makefile into a folder of your own")
    action.add_argument("folder", type=Path, metavar="DIR", help="new, or without a Makefile and experiments")
    action.set_defaults(verb=verbs["init"])


def init(arguments: argparse.Namespace) -> None:
    """`init DIR`: what is there now, and what comes next."""
    import shlex
    import shutil
    import sys

    from clir_ot.kit.laying import lay

    folder = arguments.folder
    makefile, environment, pins, experiments = lay(folder)
    files = len(list(experiments.rglob("*.yaml")))
    bin_folder = Path(sys.executable).parent
    on_path = shutil.which("clir-ot")
    # Where a shell finds this very clir-ot, so does make.
    found = on_path is not None and Path(on_path).resolve().parent == bin_folder.resolve()
    there = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    venv = "" if found else f" VENV={shlex.quote(str(bin_folder.parent))}"
    print(
        f"{experiments}: {files} files, every hyper-parameter; `--config distill` now reads them\n"
        f"{makefile}, {environment.name}: `make` lists what it does\n"
        f"{pins}: the tested versions; `make install` brings them into the environment of this clir-ot\n"
        f"next: {there}make distill LANG=yo{venv}"
    )


VERBS = (init,)
