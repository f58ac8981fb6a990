"""What can be said after `clir-ot collection`."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clir_ot.collections.builders import builder_list


def add_collection(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verb `collection` and its actions to the parser of `clir-ot`'s verbs."""
    collection = commands.add_parser("collection", help="build, check or count a collection folder")
    actions = collection.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser(
        "build",
        help="fetch or convert a collection and write it as a folder",
        epilog=f"names:\n{builder_list()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action.add_argument("name", help="one of the names below")
    action.add_argument("folder", type=Path, nargs="?", help="to write; of the starter, default: the cache folder")
    action.add_argument("--from", dest="source", type=Path, metavar="PATH", help="a local copy in the published format")
    action.add_argument("--languages", help="some of the languages: yo,sw; default: all that there are")
    action.add_argument("--accept-licence", action="store_true", help="of sets whose terms must be accepted")
    action.add_argument("--quiet", action="store_true", help="no table at the end")
    action.set_defaults(verb=verbs["build"])
    action = actions.add_parser("check", help="name the problems, with file and line")
    action.add_argument("folder", type=Path)
    action.add_argument("--languages", help="also check what training and testing in these (yo,sw) need")
    action.set_defaults(verb=verbs["check"])
    action = actions.add_parser("stats", help="documents, queries, bitext pairs and pieces per word by language")
    action.add_argument("folder", type=Path)
    action.add_argument("--encoder", type=Path, help="folder whose tokenizer.json counts the pieces")
    action.set_defaults(verb=verbs["stats"])
    action = actions.add_parser("qrels", help="write judgements in TREC's format, for trec_eval and ir_measures")
    action.add_argument("folder", type=Path)
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--language", default="en", help="of the queries; default: en")
    action.add_argument("--output", type=Path, required=True, help="file to write")
    action.set_defaults(verb=verbs["qrels"])
