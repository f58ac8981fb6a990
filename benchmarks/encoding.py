"""Encoding beside sentence-transformers' MultiVectorEncoder and PyLate: the starter's texts and encoder.

    python benchmarks/encoding.py --texts 160 --rounds 3
    python benchmarks/encoding.py --pylate pylate-venv/bin/python

All sides read one encoder folder, texts of all lengths in the collection's order, and give token vectors as they come
to a user. The largest difference of a coordinate from clir-ot's says whether the vectors are the same.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sides import median, ratios, serve, spread, take_turns

HERE = ("clir-ot", "ST")
KINDS = ("queries", "documents")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=160, help="of each kind")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sides", default=",".join(HERE))
    parser.add_argument("--pylate", help="python of an environment that has PyLate")
    parser.add_argument("--side", help="to be one, instead of calling them")
    parser.add_argument("--folder", type=Path, help="of the data that the sides read")
    arguments = parser.parse_args()
    if arguments.side:
        sides = {"clir-ot": clir_ot, "ST": sentence_transformers, "PyLate": pylate}
        texts = json.loads((arguments.folder / "texts.json").read_text())
        serve(measured(sides[arguments.side](arguments.folder / "encoder"), texts, arguments))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), arguments.texts)
        names = dict.fromkeys(arguments.sides.split(","), sys.executable)
        if arguments.pylate:
            names["PyLate"] = arguments.pylate
        commands = {name: [python, __file__, "--side", name, "--folder", folder] for name, python in names.items()}
        found = take_turns(commands, arguments.rounds)
        print("| side | " + " | ".join(f"{kind}/s | clir-ot / side" for kind in KINDS) + " | difference |")
        print("|---|---|---|---|---|---|")
        for name, results in found.items():
            cells = [f"{median(results, kind):.1f} | {spread(ratios(found, kind, 'clir-ot')[name])}" for kind in KINDS]
            print(f"| {name} | {' | '.join(cells)} | {difference(Path(folder), name):.1e} |")


def write(folder: Path, count: int) -> None:
    """The encoder and the texts."""
    import torch

    from clir_ot import Collection, TokenEncoder
    from clir_ot.collections.cache import locate

    torch.manual_seed(0)
    prefixes = {"query_prefix": "query: ", "document_prefix": "passage: "}
    encoder = TokenEncoder.from_pretrained(locate("starter", "encoder"), dimensions=128, **prefixes)
    encoder.save_pretrained(folder / "encoder")
    collection = Collection("starter")
    texts = {"queries": collection.queries("yo"), "documents": collection.documents("en")}
    (folder / "texts.json").write_text(json.dumps({kind: [*all_.values()][:count] for kind, all_ in texts.items()}))


def measured(encode: Any, texts: dict[str, list[str]], arguments: argparse.Namespace):
    def work(number: int) -> dict[str, Any]:
        found, result = {}, {}
        for kind in KINDS:
            start = time.process_time()
            vectors = encode(kind, texts[kind])
            result[kind] = len(texts[kind]) / (time.process_time() - start)
            found |= {f"{kind}.{i}": np.asarray(rows, dtype=np.float32) for i, rows in enumerate(vectors)}
        if number == 0:
            np.savez(arguments.folder / f"{arguments.side}.npz", **found)
        return result

    return work


def difference(folder: Path, side: str) -> float:
    """The largest of a coordinate; infinite where a text has another number of vectors."""
    with np.load(folder / "clir-ot.npz") as ours, np.load(folder / f"{side}.npz") as theirs:
        return max(
            float(np.abs(ours[name] - theirs[name]).max()) if ours[name].shape == theirs[name].shape else float("inf")
            for name in ours
        )


def clir_ot(encoder: Path):
    from clir_ot import TokenEncoder
    from clir_ot.retrieval.token_index import encode

    model = TokenEncoder.from_pretrained(encoder).eval()

    def side(kind: str, texts: list[str]) -> Any:
        index = encode(model, getattr(model.tokenizer, kind), {str(i): text for i, text in enumerate(texts)})
        return index.vectors.split(index.lengths.tolist())

    return side


def sentence_transformers(encoder: Path):
    from sentence_transformers import MultiVectorEncoder

    model = MultiVectorEncoder(str(encoder), device="cpu")
    calls = {"queries": model.encode_query, "documents": model.encode_document}
    return lambda kind, texts: calls[kind](texts)


def pylate(encoder: Path):
    from pylate import models

    model = models.ColBERT(str(encoder), device="cpu")
    names = {"queries": "query", "documents": "document"}

    def side(kind: str, texts: list[str]) -> Any:
        options = {"is_query": kind == "queries", "prompt_name": names[kind], "show_progress_bar": False}
        return model.encode(texts, **options)

    return side


if __name__ == "__main__":
    main()
