"""The papers' experiments as their first lines say: built from files in the published layouts, trained, evaluated.

The files are tiny and the encoder is; commands, builders and settings are those of the papers' size.
"""

import gzip
import itertools
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from clir_ot.sources.lareqa import DATASETS
from clir_ot.sources.mmarco import NAMES

PAPER = Path(__file__).parent.parent / "experiments" / "paper"
# What a laptop cannot do: their length, the precision of a GPU.
SHORT = ["--trainer.max_steps", 2, "--trainer.accelerator", "cpu", "--trainer.precision", "32-true"]
SHORT += ["--data.batch_size", 4]
WORDS = ["bara", "desil", "fitem", "govu", "kuzo", "lamra"]  # of the tiny encoder
SENTENCES = [" ".join(words) for words in itertools.permutations(WORDS, 3)]
PASSAGES = {str(n): f"{SENTENCES[n]} {SENTENCES[-n]}" for n in range(1, 25)}
QUERIES = {str(100 + n): SENTENCES[n] for n in range(1, 25)}  # the passage of 101 is 1
SPLITS = {"train": range(1, 17), "dev": range(17, 21), "test": range(21, 25)}


def foreign(text: str) -> str:
    return " ".join("x" + word[::-1] for word in text.split())


def triples() -> str:
    return "".join(f"{100 + n}\t{n}\t{1 + n % 16}\n" for n in SPLITS["train"])


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def msmarco(root: Path) -> Path:
    """BeIR's repositories, and the triples beside them."""
    for kind, content in (("corpus", PASSAGES), ("queries", QUERIES)):
        rows = [{"_id": name, "title": "", "text": text} for name, text in content.items()]
        folder = root / "BeIR" / "msmarco" / kind
        folder.mkdir(parents=True)
        parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"{kind}-00000-of-00001.parquet")
    for split, numbers in SPLITS.items():
        rows_of = "".join(f"{100 + n}\t{n}\t1\n" for n in numbers)
        write(root / "BeIR" / "msmarco-qrels" / f"{split}.tsv", f"query-id\tcorpus-id\tscore\n{rows_of}")
    write(root / "unicamp-dl" / "mmarco" / "data" / "triples.train.ids.small.tsv", triples())
    return root


def mmarco(root: Path) -> Path:
    data = root / "data"
    for code in ("en", "ar", "de"):
        spell = str if code == "en" else foreign
        for place, content in (
            (f"collections/{NAMES[code]}_collection.tsv", PASSAGES),
            (f"queries/train/{NAMES[code]}_queries.train.tsv", QUERIES),
            (f"queries/dev/{NAMES[code]}_queries.dev.tsv", QUERIES),
        ):
            write(data / "google" / place, "".join(f"{name}\t{spell(text)}\n" for name, text in content.items()))
    write(data / "qrels.dev.small.tsv", "".join(f"{100 + n}\t0\t{n}\t1\n" for n in SPLITS["dev"]))
    write(data / "triples.train.ids.small.tsv", triples())
    return root


def nllb(path: Path) -> Path:
    """The published table: both sides, then scores and where the pair is from."""
    rest = "1.2\t0.9\t0.8\tcrawl\thttps://a\tcrawl\thttps://b"
    write(path, gzip.compress("".join(f"{text}\t{foreign(text)}\t{rest}\n" for text in SENTENCES[30:]).encode()))
    return path


def ccaligned(path: Path) -> Path:
    """OPUS's zip of a Moses pair."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("CCAligned.en-so.en", "".join(f"{text}\n" for text in SENTENCES[30:]))
        archive.writestr("CCAligned.en-so.so", "".join(f"{foreign(text)}\n" for text in SENTENCES[30:]))
    return path


def lareqa(root: Path, name: str) -> Path:
    """SQuAD's layout with sentences; every language has every question."""

    def paragraph(number: int, spell: Callable[[str], str]) -> dict[str, Any]:
        first, second = spell(SENTENCES[2 * number]), spell(SENTENCES[2 * number + 1])
        starts = (0, len(first) + 1)
        questions = [
            {"id": f"q{number}.{at}", "question": text, "answers": [{"text": text.split()[0], "answer_start": start}]}
            for at, (text, start) in enumerate(zip((first, second), starts, strict=True))
        ]
        breaks = [[start, start + len(text)] for text, start in zip((first, second), starts, strict=True)]
        return {
            "context": f"{first} {second}", "qas": questions, "sentences": [first, second], "sentence_breaks": breaks,
        }  # fmt: skip

    for language in DATASETS[name].languages:
        spell = str if language == "en" else foreign
        articles = [{"title": "T", "paragraphs": [paragraph(number, spell) for number in range(4)]}]
        write(root / f"{language}.json", json.dumps({"version": "1.1", "data": articles}))
    return root


def miracl(root: Path) -> Path:
    for code in ("ar", "de", "en"):
        rest, spell = root / "miracl" / f"miracl-v1.0-{code}", str if code == "en" else foreign
        rows = [json.dumps({"docid": f"{n}#0", "title": "T", "text": spell(text)}) for n, text in PASSAGES.items()]
        write(
            root / "miracl-corpus" / f"miracl-corpus-v1.0-{code}" / "docs-0.jsonl.gz",
            gzip.compress("".join(f"{row}\n" for row in rows).encode()),
        )
        for split in ("train", "dev") if code != "de" else ("dev",):
            name, numbers = f"miracl-v1.0-{code}-{split}.tsv", SPLITS[split]
            topics = "".join(f"{n}#0\t{spell(SENTENCES[n])}\n" for n in numbers)
            write(rest / "topics" / f"topics.{name}", topics)
            write(rest / "qrels" / f"qrels.{name}", "".join(f"{n}#0\tQ0\t{n}#0\t1\n" for n in numbers))
    return root


class Bench:
    """Runs the commands in one folder."""

    def __init__(self, folder: Path, clir: Callable[..., str]) -> None:
        self.folder, self._clir = folder, clir

    def build(self, name: str, collection: str, source: Path, *options: object) -> Path:
        printed = self._clir("collection", "build", name, self.folder / collection, "--from", source, *options)
        assert not printed.startswith("FAILED"), printed
        return self.folder / collection

    def fit(self, experiment: str, collection: Path, *options: object) -> Path:
        run = self.folder / f"run-{experiment}"
        config = PAPER / f"{experiment}.yaml"
        printed = self._clir("fit", "--config", config, "--data.collection", collection, *options, "--run", run, *SHORT)
        assert "trained 2 steps" in printed, printed
        return run

    def evaluate(self, run: Path, collection: Path, *options: object) -> list[tuple[str, str]]:
        """System and query language of each row."""
        printed = self._clir("evaluate", run, "--collection", collection, *options)
        assert not printed.startswith("FAILED"), printed
        files = sorted(run.rglob("metrics.json"), key=lambda path: path.stat().st_mtime_ns)
        return [(row["system"], row["language"]) for row in json.loads(files[-1].read_text())["systems"]]


@pytest.fixture
def bench(tmp_path: Path, clir: Callable[..., str]) -> Bench:
    return Bench(tmp_path, clir)


@pytest.mark.slow
def test_optical_from_ms_marco_and_mined_bitext(bench: Bench, encoder_folder: Path) -> None:
    source = bench.folder / "from"
    collection = bench.build("msmarco", "data", msmarco(source), "--accept-licence")
    teacher = bench.fit("teacher", collection, "--model.encoder", encoder_folder)
    assert bench.evaluate(teacher, collection) == [("teacher", "en")]
    # Whose queries are asked in the languages is the user's: translations, by the `_id` of what they translate.
    for code in ("sw", "so"):
        lines = [json.dumps({"_id": name, "text": foreign(text)}) for name, text in QUERIES.items()]
        write(collection / f"queries.{code}.jsonl", "\n".join(lines) + "\n")
    bench.build("nllb:sw", "data", nllb(source / "eng_Latn-swh_Latn.gz"))
    bench.build("opus:CCAligned:so", "data", ccaligned(source / "en-so.txt.zip"))
    for code in ("sw", "so"):
        student = bench.fit("optical", collection, "--model.teacher", teacher / "encoder", "--data.languages", code)
        rows = bench.evaluate(student, collection)
        assert rows == [
            ("English reference", "en"), ("zero-shot", code), ("distilled", code), ("distilled", "en"),
        ]  # fmt: skip
        student.rename(bench.folder / code)


@pytest.mark.slow
def test_hybrid_batches_from_mmarco_over_xquad_r_mlqa_r_and_miracl(bench: Bench, encoder_folder: Path) -> None:
    source, rows = bench.folder / "from", [("hybrid", "en"), ("hybrid", "ar"), ("hybrid", "de")]
    options = "--languages", "ar,de", "--accept-licence"
    collection = bench.build("mmarco", "data", mmarco(source / "mmarco"), *options)
    tiny = "--model.encoder", encoder_folder, "--model.dimensions", 32
    run = bench.fit("hybrid", collection, *tiny, "--data.languages", "en,ar,de")
    assert bench.evaluate(run, collection, "--split", "dev") == rows
    for name in ("xquad-r", "mlqa-r"):
        assert bench.evaluate(run, bench.build(name, name, lareqa(source / name, name))) == rows
    miracl_ = bench.build("miracl", "miracl", miracl(source / "miracl"), "--languages", "ar,de,en")
    assert bench.evaluate(run, miracl_, "--split", "dev") == rows
