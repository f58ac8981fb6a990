"""Precision of an index, and approximate search: what they cost and what they lose against exact search in float32.

    python benchmarks/encoded_sentences.py ... --vectors vectors
    python benchmarks/index_quality.py --vectors vectors --folder indexes
    python benchmarks/index_quality.py --encoder runs/starter/teacher/encoder --collection starter --language en

Prints nDCG@10 of every precision, and of approximate search with several depths and numbers of lists looked into. Times
are seconds of one thread of the processor, a query, when all queries are searched at once; exact and approximate search
take turns, and ratios are medians over the rounds.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.collections.trec import Qrels, Run
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.retrieval.approximate import TokenLists, approximate_search
from clir_ot.retrieval.codecs import PRECISIONS, import_faiss
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode
from encoded_sentences import load, write_index


def ndcg(run: Run, qrels: Qrels) -> float:
    return mean(evaluate_run(run, qrels, ["nDCG@10"])["nDCG@10"])


def timed(work: Callable[[], Run]) -> tuple[Run, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def precisions(queries: TokenIndex, documents: TokenIndex, qrels: Qrels, folder: Path) -> None:
    exact = search(queries, documents, 100)
    base = ndcg(exact, qrels)
    print("| precision | bytes a vector | of float32 | nDCG@10 | difference | of exact top 10 |\n" + "|---" * 6 + "|")
    for precision in PRECISIONS:
        index = write_index(folder / precision, documents, precision)
        stored = next(index.shards()).stored
        size = sum(t.nbytes // len(t) for name, t in stored.items() if name not in ("ids", "lengths"))
        run = search(queries, index, 100)
        same = sum(len({*list(exact[q])[:10]} & {*list(run[q])[:10]}) for q in exact) / sum(
            min(10, len(s)) for s in exact.values()
        )
        value = ndcg(run, qrels)
        share = size / documents.dimensions / 4
        print(f"| `{precision}` | {size} | {share:.1%} | {value:.4f} | {value - base:+.4f} | {same:.1%} |", flush=True)


def approximate(queries: TokenIndex, documents: TokenIndex, qrels: Qrels, folder: Path, rounds: int) -> None:
    index = write_index(folder / "float16", documents, "float16")
    start = time.process_time()
    TokenLists.open(index)
    print(f"\nlists made in {time.process_time() - start:.0f} s, or read\n")
    print("| depth | lists | ms a query | exact / approximate | spread | nDCG@10 of exact | of exact top 10 |")
    print("|---|---|---|---|---|---|---|")
    for depth, probes in ((100, 4), (100, 16), (100, 64), (1000, 16)):
        ratios, times = [], []
        for _ in range(rounds):
            exact, slow = timed(lambda depth=depth: search(queries, index, depth))
            run, fast = timed(lambda depth=depth, probes=probes: approximate_search(queries, index, depth, probes))
            ratios.append(slow / fast)
            times.append(fast / len(queries))
        found = sum(len({*list(exact[q])[:10]} & {*list(run[q])[:10]}) for q in exact) / 10 / len(exact)
        print(
            f"| {depth} | {probes} | {1000 * statistics.median(times):.2f} | {statistics.median(ratios):.1f} | "
            f"{min(ratios):.1f} to {max(ratios):.1f} | {ndcg(run, qrels) / ndcg(exact, qrels):.1%} | {found:.1%} |",
            flush=True,
        )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=Path, help="what encoded_sentences.py has written")
    parser.add_argument("--encoder", type=Path, help="instead: an encoder, of a collection's test queries")
    parser.add_argument("--collection")
    parser.add_argument("--language", default="en")
    parser.add_argument("--folder", type=Path, help="of the indexes; default: one that is removed at the end")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["precisions", "approximate"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    import_faiss("this benchmark").omp_set_num_threads(1)
    if arguments.vectors:
        queries, documents, qrels = load(arguments.vectors)
    else:
        encoder, collection = TokenEncoder.from_pretrained(arguments.encoder), Collection(arguments.collection)
        texts, qrels = collection.judged("test", arguments.language)
        queries = encode(encoder, encoder.tokenizer.queries, texts)
        documents = encode(encoder, encoder.tokenizer.documents, collection.documents())
    print(
        f"{len(queries)} queries, {len(queries.vectors)} tokens; {len(documents)} documents, {len(documents.vectors)}\n"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.only != "approximate":
            precisions(queries, documents, qrels, folder)
        if arguments.vectors and arguments.only != "precisions":
            approximate(queries, documents, qrels, folder, arguments.rounds)


if __name__ == "__main__":
    main()
