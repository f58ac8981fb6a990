"""Memory and time of exact and approximate search in an index of generated vectors.

    python benchmarks/search_scale.py --documents 100000 --tokens 130 --queries 32

Vectors lie around 1,000 centres, as those of the same word in many texts do. Every step runs in a process of its own;
printed are seconds, those that the processor worked, and the most memory that was resident at any time, pages of mapped
files included. Quality is no subject here: see index_quality.py.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from clir_ot.retrieval.approximate import TokenLists, approximate_search
from clir_ot.retrieval.codecs import codec_of
from clir_ot.retrieval.index_folder import Facts, StoredIndex, open_folder
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex

DIMENSIONS, SHARD, QUERY_TOKENS, CENTRES = 128, 4096, 16, 1000


def vectors(count: int, seed: int) -> torch.Tensor:
    """(count, D) float32 unit vectors."""
    centres = torch.randn(CENTRES, DIMENSIONS, generator=torch.Generator().manual_seed(0))
    chance = torch.Generator().manual_seed(seed)
    near = centres[torch.randint(CENTRES, (count,), generator=chance)]
    return F.normalize(near.add_(torch.randn(count, DIMENSIONS, generator=chance), alpha=0.7), dim=1)


def write(arguments: argparse.Namespace) -> None:
    precision = arguments.precision
    facts = Facts("generated", "", "", "en", precision, arguments.documents, DIMENSIONS, SHARD)
    index = StoredIndex(arguments.folder, facts, codec_of(precision, {}))
    for number in range(len(index.paths())):
        ids = [f"d{i}" for i in range(number * SHARD, min(arguments.documents, (number + 1) * SHARD))]
        chance = torch.Generator().manual_seed(number)
        least, most = arguments.tokens // 2, 2 * arguments.tokens - arguments.tokens // 2
        lengths = torch.randint(least, most + 1, (len(ids),), generator=chance)
        index.write(number, TokenIndex(ids, lengths, vectors(int(lengths.sum()), number + 1)))
    facts.write(arguments.folder)


def queries(arguments: argparse.Namespace) -> TokenIndex:
    lengths = torch.full((arguments.queries,), QUERY_TOKENS)
    return TokenIndex([f"q{i}" for i in range(arguments.queries)], lengths, vectors(int(lengths.sum()), 2**31))


def exact(arguments: argparse.Namespace) -> None:
    assert len(search(queries(arguments), open_folder(arguments.folder))) == arguments.queries


def lists(arguments: argparse.Namespace) -> None:
    TokenLists.open(open_folder(arguments.folder))


def approximate(arguments: argparse.Namespace) -> None:
    assert len(approximate_search(queries(arguments), open_folder(arguments.folder))) == arguments.queries


STEPS: dict[str, Callable[[argparse.Namespace], None]] = {
    "write the vectors": write,
    "exact search, depth 1000": exact,
    "make the lists": lists,
    "approximate search, depth 1000": approximate,
}


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--tokens", type=int, default=130, help="of a document, on average")
    parser.add_argument("--queries", type=int, default=32, help=f"of {QUERY_TOKENS} tokens each")
    parser.add_argument("--precision", default="float16", choices=["float32", "float16", "int8"])
    parser.add_argument("--folder", type=Path, help="of the index; default: one that is removed at the end")
    parser.add_argument("--exact-only", action="store_true")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        start, worked = time.perf_counter(), time.process_time()
        STEPS[arguments.step](arguments)
        status = Path("/proc/self/status").read_text().splitlines()
        peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 2**20
        print(json.dumps([time.perf_counter() - start, time.process_time() - worked, peak]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = str(arguments.folder or Path(temporary) / "index")
        print(f"{arguments.documents} documents, {arguments.tokens} tokens each; {arguments.queries} queries\n")
        print("| step | seconds | of the processor | peak resident GiB |\n|---|---|---|---|")
        for step in STEPS:
            if (step == "write the vectors" and (Path(folder) / "index.json").is_file()) or (
                arguments.exact_only and step in ("make the lists", "approximate search, depth 1000")
            ):
                continue
            command = [sys.executable, __file__, *sys.argv[1:], "--folder", folder, "--step", step]
            done = subprocess.run(command, env=os.environ, stdout=subprocess.PIPE, text=True, check=True)
            seconds, worked, peak = json.loads(done.stdout.splitlines()[-1])
            print(f"| {step} | {seconds:.1f} | {worked:.1f} | {peak:.2f} |", flush=True)


if __name__ == "__main__":
    main()
