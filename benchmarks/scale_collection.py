"""A collection of millions of documents and sentence pairs: time and resident memory of all that reads it.

    python benchmarks/scale_collection.py --texts 1000000 --folder /tmp/scale

Makes a collection of so many documents and as many pairs (about 250 bytes of text each, and a tenth as many queries),
then runs every step in a process of its own and prints a table: seconds, those of them that the processor worked on it,
and the most memory that was resident at any time, pages of mapped files included. The folder is kept if it is given,
and the collection made again only for another number.
"""

import argparse
import contextlib
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LOOKUPS = 200_000
WORDS = ["ọmọ", "ilé", "ọ̀nà", "ìwé", "ẹ̀kọ́", "orílẹ̀", "àti", "fún", "nípa", "àwọn", "kan", "tí", "wọ́n", "ní", "láti"]
WORDS += ["the", "of", "a", "school", "road", "book", "house", "for", "and"]


def make(folder: Path, count: int) -> None:
    """Write the collection's files."""
    sentences = _sentences(18)

    def texts(kind: str, count: int) -> Iterator[str]:
        for i in range(count):
            text = f"{sentences[i % 1000]} {i} {sentences[i * 7 % 997]}"
            yield json.dumps({"_id": f"{kind}{i}", "text": text}, ensure_ascii=False)

    queries = count // 10
    write(folder / "corpus.jsonl", texts("d", count))
    write(folder / "queries.jsonl", texts("q", queries))
    write(folder / "queries.yo.jsonl", texts("q", queries))
    make_pairs(folder, count)
    write(folder / "qrels" / "test.tsv", (f"q{i}\td{i * 9}\t1" for i in range(queries)))


def make_pairs(folder: Path, count: int, words: int = 18) -> None:
    """Write the bitext alone, with so many words and a number on a side."""
    here = _sentences(words)
    write(folder / "bitext" / "yo.tsv", (f"{here[i % 997]} {i}\t{here[i * 3 % 1000]} {i}" for i in range(count)))


def _sentences(words: int) -> list[str]:
    chance = random.Random(0)
    return [" ".join(chance.choices(WORDS, k=words)) for _ in range(1000)]


def write(path: Path, lines: Iterator[str]) -> None:
    """Lines to a file, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def first_documents(folder: Path) -> None:
    from clir_ot import Collection

    assert len(Collection(folder).documents()) > 0


def iterate_documents(folder: Path) -> None:
    from clir_ot import Collection

    assert sum(map(len, Collection(folder).documents().values())) > 0


def look_up_documents(folder: Path) -> None:
    from clir_ot import Collection

    documents, chance = Collection(folder).documents(), random.Random(1)
    for _ in range(LOOKUPS):
        name = f"d{chance.randrange(len(documents))}"
        assert name[1:] in documents[name]
    assert f"d{len(documents)}" not in documents


def first_pairs(folder: Path) -> None:
    from clir_ot import Collection

    assert len(Collection(folder).bitext("yo")) > 0


def iterate_pairs(folder: Path) -> None:
    from clir_ot import Collection

    assert sum(len(english) + len(foreign) for english, foreign in Collection(folder).bitext("yo")) > 0


def look_up_pairs(folder: Path) -> None:
    from clir_ot import Collection

    pairs, chance = Collection(folder).bitext("yo"), random.Random(1)
    for _ in range(LOOKUPS):
        row = chance.randrange(len(pairs))
        assert all(side.endswith(f" {row}") for side in pairs[row])


def fingerprint(folder: Path) -> None:
    from clir_ot import Collection

    Collection(folder).fingerprint()


def check(folder: Path) -> None:
    from clir_ot.collections.check import find_problems

    assert find_problems(folder, ["yo"]).count == 0


def stats(folder: Path) -> None:
    from clir_ot.cli import main

    sys.argv = ["clir-ot", "collection", "stats", str(folder)]
    with contextlib.redirect_stdout(io.StringIO()) as said:
        main()
    assert "leakage: no test query in training" in said.getvalue()


def import_pairs(folder: Path) -> None:
    from clir_ot.cli import main

    with tempfile.TemporaryDirectory(dir=folder.parent) as other:
        pairs = str(folder / "bitext" / "yo.tsv")
        filters = ["--no-duplicates", "--no-copies", "--max-length-ratio", "9"]
        sys.argv = ["clir-ot", "collection", "bitext", pairs, "--language", "yo", "--output", other, *filters]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main()
    assert "pairs written" in said.getvalue()


STEPS: dict[str, Callable[[Path], None]] = {
    "documents, first time": first_documents,
    "documents, all in order": iterate_documents,
    f"documents, {LOOKUPS} by _id": look_up_documents,
    "pairs, first time": first_pairs,
    "pairs, all in order": iterate_pairs,
    f"pairs, {LOOKUPS} by number": look_up_pairs,
    "fingerprint": fingerprint,
    "collection check": check,
    "collection stats": stats,
    "collection bitext, three filters": import_pairs,
}


def run_step(name: str, folder: Path) -> None:
    """One step in this process; prints its figures."""
    start = time.perf_counter()
    STEPS[name](folder)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "cpu": time.process_time(), "peak": peak() / 2**20}))


def peak() -> int:
    """The most bytes that were resident in this process."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def measure(folder: Path, count: int) -> None:
    """All steps, one line of the table each."""
    made = folder / f"{count}"
    if not made.is_dir():
        make(folder / "half", count)
        (folder / "half").rename(made)
    size = sum(path.stat().st_size for path in made.rglob("*.*"))
    print(f"{count} documents, {count} pairs, {size / 2**30:.2f} GiB of files\n")
    print(f"| {'step':32} | seconds | CPU seconds | peak resident MiB |")
    print(f"|{'-' * 34}|---------|-------------|-------------------|")
    environment = os.environ | {"CLIR_OT_CACHE": str(folder / f"cache-{os.getpid()}")}
    for name in STEPS:
        command = [sys.executable, __file__, "--folder", str(made), "--step", name]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {name:32} | {figures['seconds']:7.1f} | {figures['cpu']:11.1f} | {figures['peak']:17.0f} |", flush=True
        )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_000_000, help="documents, and pairs; default: 1000000")
    parser.add_argument("--folder", type=Path, help="to work in; default: one that is removed at the end")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        run_step(arguments.step, arguments.folder)
    elif arguments.folder:
        measure(arguments.folder, arguments.texts)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), arguments.texts)


if __name__ == "__main__":
    main()
