"""`clir-ot index` and `clir-ot export`: their options, and the functions that run them."""

import argparse
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError


def add_index(commands: Any, verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> None:
    """Add the verbs `index` and `export` to the parser of `clir-ot`'s verbs."""
    action = commands.add_parser(
        "index", help="encode the documents, to be searched later; one that was stopped goes on"
    )
    action.add_argument("--encoder", type=Path, required=True, help="folder of the document encoder")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--documents", default="en", help="language of the documents; default: en")
    action.add_argument("--output", type=Path, required=True, help="folder of the index: new, or to go on with")
    action.add_argument(
        "--precision",
        help="float32, float16, int8, 4bit, 2bit or 1bit a dimension; default: float32, or float16 from 50,000 "
        "documents on",
    )
    action.add_argument(
        "--shard", metavar="I/N", help="encode this share alone, 0/4 to 3/4 of four; default: torchrun's rank, or all"
    )
    action.set_defaults(verb=verbs["index"])

    action = commands.add_parser("export", help="send an index to a server that scores token vectors itself")
    action.add_argument("server", choices=["qdrant"])
    action.add_argument("--index", type=Path, required=True, help="folder that `index` or `search --index` wrote")
    action.add_argument("--url", help="of the server: http://localhost:6333; its key is read from QDRANT_API_KEY")
    action.add_argument("--path", type=Path, help="instead: folder that the client itself serves, for trials")
    action.add_argument("--name", default="clir-ot", help="of the collection there; default: clir-ot")
    action.set_defaults(verb=verbs["export"])


def index(arguments: argparse.Namespace) -> None:
    """`index`: the documents, encoded."""
    from clir_ot.collections import Collection
    from clir_ot.models.encoder_folder import fingerprint
    from clir_ot.progress import counting
    from clir_ot.retrieval.ranker import load_encoder
    from clir_ot.retrieval.stored_index import build_index

    share, collection = _share(arguments.shard), Collection(arguments.collection)
    made = build_index(
        arguments.output,
        load_encoder(arguments.encoder),
        fingerprint(arguments.encoder),
        collection,
        arguments.documents,
        counting,
        arguments.precision,
        share,
    )
    size = sum(path.stat().st_size for path in made.folder.iterdir() if path.is_file())
    for note in collection.notes(arguments.documents):
        print(f"note: {note}")
    said = f"{len(made)} documents, {made.facts.precision}, {size / 1e6:.1f} MB: {made.folder}"
    if missing := made.missing():
        print(f"{said}\n{len(missing)} of {len(made.paths())} shards are missing, which other shares encode")
        return
    print(
        f"{said}\nnext: clir-ot search --index {made.folder} --encoder DIR --document-encoder {arguments.encoder} "
        f"--collection {arguments.collection} --documents {arguments.documents} --language LANG --output RUN.trec"
    )


def export(arguments: argparse.Namespace) -> None:
    """`export qdrant`: an index, to a server."""
    from clir_ot.progress import counting
    from clir_ot.retrieval.index_folder import open_folder
    from clir_ot.retrieval.qdrant import export_qdrant

    if bool(arguments.url) == bool(arguments.path):
        raise UserError("export: give either --url, of a server, or --path, of a folder")
    place = {"path": str(arguments.path)}
    if arguments.url:
        place = {"url": arguments.url, "api_key": os.environ.get("QDRANT_API_KEY", "")}
    found = open_folder(arguments.index)
    count = export_qdrant(
        found, {key: value for key, value in place.items() if value}, arguments.name, counting("documents sent")
    )
    print(f"{count} documents: collection {arguments.name} at {arguments.url or arguments.path}")


def _share(said: str | None) -> tuple[int, int]:
    if said is None:
        return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    matched = re.fullmatch(r"(\d+)/([1-9]\d*)", said)
    if not matched or int(matched[1]) >= int(matched[2]):
        raise UserError(f"index: --shard is {said!r}; of four shares it is 0/4, 1/4, 2/4 or 3/4")
    return int(matched[1]), int(matched[2])


VERBS = (index, export)
