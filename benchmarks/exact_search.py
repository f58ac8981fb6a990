"""Exact search beside what a user would run instead, over the same token vectors, and beside the machine's matmul.

    python benchmarks/exact_search.py --documents 4000 --rounds 5
    python benchmarks/exact_search.py --pylate pylate-venv/bin/python

Sides, all with vectors in memory as float32 and one thread, and the 100 best documents of every query as a result:

- `clir-ot`: `clir_ot.retrieval.search.search`;
- `torch`: what one writes down first: padded, every query with a block of documents, masked maximum, top-k;
- `ST`: sentence-transformers' `maxsim` and top-k;
- `PyLate`: its `rank.rerank`, given all documents, in an environment of its own (see `pylate_loads.py`).

And with one vector a text, as a dense encoder has: `clir-ot dense`, and `faiss`, an IndexFlatIP.

Vectors are generated as in `search_scale.py`. `same` is the share of the 100 documents that a side has in common with
clir-ot. The last line is the share of the machine's rate, that of a product of two large square matrices.
"""

import argparse
import sys
import time
from typing import Any

from sides import median, ratios, serve, spread, take_turns

DEPTH, QUERY_TOKENS, CENTRES, DIMENSIONS, SQUARE = 100, 16, 1000, 128, 1500
SIDES = ("clir-ot", "torch", "ST", "clir-ot dense", "faiss")


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--tokens", type=int, default=130, help="of a document, on average")
    parser.add_argument("--queries", type=int, default=64, help=f"of {QUERY_TOKENS} tokens each")
    parser.add_argument("--dense-documents", type=int, default=200_000, help="of one vector each")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--pylate", help="python of an environment that has PyLate")
    parser.add_argument("--side", help="to be one, instead of calling them")
    arguments = parser.parse_args()
    if arguments.side:
        name = arguments.side.replace(" ", "_").replace("-", "_").lower()
        serve(globals()[name](arguments))
        return
    names = dict.fromkeys(arguments.sides.split(","), sys.executable)
    if arguments.pylate:
        names["PyLate"] = arguments.pylate
    options = [f"--{key}={getattr(arguments, key)}" for key in ("documents", "tokens", "queries")]
    options.append(f"--dense-documents={arguments.dense_documents}")
    commands = {name: [python, __file__, "--side", name, *options] for name, python in names.items()}
    found = take_turns(commands, arguments.rounds)
    print("| side | queries/s | clir-ot / side | same | peak GiB |\n|---|---|---|---|---|")
    for group in (("clir-ot", "torch", "ST", "PyLate"), ("clir-ot dense", "faiss")):
        for name in (name for name in group if name in found):
            ours, theirs = found[group[0]][0]["found"], found[name][0]["found"]
            same = sum(len({*a} & {*b}) for a, b in zip(ours, theirs, strict=True)) / sum(map(len, ours))
            rates = f"{median(found[name], 'rate'):.1f} | {spread(ratios(found, 'rate', group[0])[name])}"
            print(f"| {name} | {rates} | {same:.2%} | {max(r['peak'] for r in found[name]) / 2**30:.2f} |")
    ours = found["clir-ot"]
    shares = [result["flops"] / result["machine"] for result in ours]
    print(
        f"\nclir-ot: {median(ours, 'flops') / 1e9:.0f} GFLOP/s of real tokens, the machine "
        f"{median(ours, 'machine') / 1e9:.0f}; share {spread(shares)}"
    )


def vectors(lengths: list[int], seed: int) -> list[Any]:
    """A text's (N, D) float32 unit vectors; made here, for PyLate's environment has no clir_ot to import."""
    import torch

    centres = torch.randn(CENTRES, DIMENSIONS, generator=torch.Generator().manual_seed(0))
    chance = torch.Generator().manual_seed(seed)
    near = centres[torch.randint(CENTRES, (sum(lengths),), generator=chance)]
    near += 0.7 * torch.randn(sum(lengths), DIMENSIONS, generator=chance)
    return [*torch.nn.functional.normalize(near, dim=1).split(lengths)]


def texts(arguments: argparse.Namespace, dense: bool = False) -> tuple[list[Any], list[Any]]:
    """Vectors of queries and of documents."""
    import torch

    if dense:
        return vectors([1] * arguments.queries, 1), vectors([1] * arguments.dense_documents, 2)
    least, most = arguments.tokens // 2, 2 * arguments.tokens - arguments.tokens // 2
    chance = torch.Generator().manual_seed(3)
    lengths = torch.randint(least, most + 1, (arguments.documents,), generator=chance).tolist()
    return vectors([QUERY_TOKENS] * arguments.queries, 1), vectors(lengths, 2)


def measured(search: Any, queries: int):
    """A side: `search()` gives each query's best documents, best first, as positions."""

    def work(number: int) -> dict[str, Any]:
        start = time.process_time()
        found = search()
        rate = queries / (time.process_time() - start)
        return {"rate": rate, "found": found if number == 0 else []}

    return work


def _clir_ot(arguments: argparse.Namespace, dense: bool):
    import torch

    from clir_ot.retrieval.search import search
    from clir_ot.retrieval.token_index import TokenIndex

    def index(some: list[Any]) -> TokenIndex:
        return TokenIndex([str(i) for i in range(len(some))], torch.tensor([len(v) for v in some]), torch.cat(some))

    queries, documents = map(index, texts(arguments, dense))
    work = measured(lambda: [[*map(int, row)] for row in search(queries, documents, DEPTH).values()], len(queries))
    products = 2 * DIMENSIONS * len(queries.vectors) * len(documents.vectors)
    square = torch.randn(SQUARE, SQUARE)

    def with_machine(number: int) -> dict[str, Any]:
        result = work(number)
        start = time.process_time()
        for _ in range(10):
            square @ square
        machine = 10 * 2 * SQUARE**3 / (time.process_time() - start)
        return {**result, "flops": products * result["rate"] / len(queries), "machine": machine}

    return with_machine


def clir_ot(arguments: argparse.Namespace):
    """The suite, with token vectors."""
    return _clir_ot(arguments, dense=False)


def clir_ot_dense(arguments: argparse.Namespace):
    """The suite, with one vector a text."""
    return _clir_ot(arguments, dense=True)


def torch(arguments: argparse.Namespace):
    """In a few lines."""
    import torch

    queries, documents = texts(arguments)
    asked = torch.stack(queries)  # (Q, N, D)
    block = 128

    def search() -> list[list[int]]:
        scores = []
        for start in range(0, len(documents), block):
            part = documents[start : start + block]
            held = torch.nn.utils.rnn.pad_sequence(part, batch_first=True)  # (B, M, D)
            real = torch.arange(held.shape[1]) < torch.tensor([len(v) for v in part])[:, None]
            similarities = torch.einsum("qnd,bmd->qbnm", asked, held)
            similarities.masked_fill_(~real[None, :, None], -torch.inf)
            scores.append(similarities.amax(dim=3).sum(dim=2))
        return torch.cat(scores, dim=1).topk(DEPTH).indices.tolist()

    return measured(torch.inference_mode()(search), len(queries))


def st(arguments: argparse.Namespace):
    """Sentence-transformers."""
    import torch
    from sentence_transformers.util import maxsim

    queries, documents = texts(arguments)
    search = torch.inference_mode()(lambda: maxsim(queries, documents).topk(DEPTH).indices.tolist())
    return measured(search, len(queries))


def pylate(arguments: argparse.Namespace):
    """Its re-ranking of all documents."""
    from pylate import rank

    queries, documents = texts(arguments)
    names = [[*range(len(documents))]] * len(queries)

    def search() -> list[list[int]]:
        ranked = rank.rerank(names, queries, [documents] * len(queries))
        return [[found["id"] for found in row[:DEPTH]] for row in ranked]

    return measured(search, len(queries))


def faiss(arguments: argparse.Namespace):
    """A flat index of one vector a text."""
    import faiss
    import torch

    faiss.omp_set_num_threads(1)
    queries, documents = (torch.cat(some).numpy() for some in texts(arguments, dense=True))
    index = faiss.IndexFlatIP(DIMENSIONS)
    index.add(documents)
    return measured(lambda: index.search(queries, DEPTH)[1].tolist(), len(queries))


if __name__ == "__main__":
    main()
