"""`clir-ot push RUN`: its options, and the function that runs it."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def add_push(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verb `push` to the parser of `clir-ot`'s verbs."""
    action = commands.add_parser("push", help="upload a run's encoder, with its card, to the Hugging Face hub")
    action.add_argument("run", type=Path, metavar="RUN", help="folder of a trained run")
    action.add_argument("--repo", required=True, metavar="USER/NAME", help="on the hub; made if it is not there")
    action.add_argument("--private", action="store_true", help="seen by you alone; refused where it is public already")
    action.set_defaults(verb=verbs["push"])


def push(arguments: argparse.Namespace) -> None:
    """`push RUN --repo USER/NAME`."""
    from clir_ot.publishing.hub import push_encoder

    print(f"uploaded: {push_encoder(arguments.run, arguments.repo, private=arguments.private)}")


VERBS = (push,)
