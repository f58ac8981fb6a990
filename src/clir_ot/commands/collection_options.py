"""What can be said after `clir-ot collection`."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clir_ot.bitext.format_names import FORMATS
from clir_ot.sources.builders import builder_list


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
    action = actions.add_parser("stats", help="how much there is, how long it is, and whether training has seen tests")
    action.add_argument("folder", type=Path)
    action.add_argument("--encoder", type=Path, help="folder whose tokenizer.json counts the pieces")
    action.add_argument("--strict", action="store_true", help="exit 1 if test queries are in the training data")
    action.set_defaults(verb=verbs["stats"])
    _add_bitext(actions, verbs)
    action = actions.add_parser("qrels", help="write judgements in TREC's format, for trec_eval and ir_measures")
    action.add_argument("folder", type=Path)
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--language", default="en", help="of the queries; default: en")
    action.add_argument("--output", type=Path, required=True, help="file to write")
    action.set_defaults(verb=verbs["qrels"])


def _add_bitext(actions: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    action = actions.add_parser(
        "bitext",
        help="write a collection's bitext from other formats, filtered",
        epilog=(
            "sources: .tsv, .csv, .tmx, .json or .jsonl with {'translation': {...}}, a Moses pair such as x.en and "
            "x.yo, or x_en.txt and x_yo.txt, .parquet or a folder with Hugging Face's translation feature, .zip of a "
            "Moses pair or of one such file; text files also .gz or .zst. A pair counts for the first filter that "
            "drops it."
        ),
    )
    action.add_argument("sources", type=Path, nargs="+", metavar="SOURCE")
    action.add_argument("--language", required=True, help="of the side that is not English")
    action.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="collection to write bitext/<lang>.tsv of"
    )
    action.add_argument("--replace", action="store_true", help="also where the collection has that bitext")
    action.add_argument("--format", choices=FORMATS, help="of sources whose names do not say it")
    action.add_argument(
        "--columns",
        metavar="ENGLISH,FOREIGN",
        help="of .tsv and .csv: numbers, or names in the first line; default: what that names, or 1,2",
    )
    filters = action.add_argument_group("filters")
    filters.add_argument(
        "--max-length-ratio", type=float, metavar="R", help="drop if one side has over R times the other's characters"
    )
    filters.add_argument("--no-duplicates", action="store_true", help="drop pairs that were there before")
    filters.add_argument("--no-copies", action="store_true", help="drop pairs with the same text on both sides")
    filters.add_argument("--no-test-overlap", action="store_true", help="drop test and dev queries of the collection")
    filters.add_argument("--identify-language", action="store_true", help="drop sides in another language (py3langid)")
    filters.add_argument(
        "--max-pieces", type=int, metavar="N", help="drop pairs with a side of more pieces of --encoder"
    )
    filters.add_argument("--encoder", type=Path, metavar="DIR", help="folder whose tokenizer.json counts the pieces")
    action.set_defaults(verb=verbs["bitext"])
