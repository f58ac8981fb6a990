"""`clir-ot sweep FILE`: its options, and the function that runs it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def add_sweep(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verb `sweep` to the parser of `clir-ot`'s verbs."""
    action = commands.add_parser(
        "sweep", help="try settings of an experiment, as a W&B sweep file says: at W&B where you are logged in, or here"
    )
    action.add_argument("file", help="a file, or a name such as distill")
    action.add_argument("--run", type=Path, required=True, help="folder of the trials and the table: new, or to go on")
    action.add_argument("--collection", required=True, help="a folder, or starter")
    action.add_argument("--teacher", help="folder of the teacher's encoder, of sweeps of students")
    action.add_argument("--language", help="of the students, and of the dev queries that the metric is about")
    action.add_argument("--count", type=int, help="trials in all; a grid: default all")
    action.add_argument("--seed", type=int, default=0, help="of what is drawn on this machine; default: 0")
    action.add_argument("--devices", type=int, help="of each trial; default: what the experiment says")
    action.set_defaults(verb=verbs["sweep"])


def sweep(arguments: argparse.Namespace) -> None:
    """`sweep FILE`: trials, a table, a picture."""
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import canonical_language
    from clir_ot.kit.named import Shelf, find
    from clir_ot.sweeps.sweep import sweep as run_sweep

    language = canonical_language(arguments.language) if arguments.language else None
    trials = run_sweep(
        find(arguments.file, Shelf.SWEEP), Collection(arguments.collection), arguments.run, teacher=arguments.teacher,
        language=language, count=arguments.count, seed=arguments.seed, devices=arguments.devices,
    )  # fmt: skip
    best = trials.best
    assert best is not None, "a sweep without a figure is an error"
    print(
        f"{trials.table()}\n\ntable: {arguments.run / 'table.md'}\npicture: {arguments.run / 'parallel.png'}\n"
        f"best: {trials.run_folder(best).path}"
    )


VERBS = (sweep,)
