"""What commands read and write, and what is hostile of each kind: the tables of the tests of hostile inputs.

`COMMANDS` has a line that works for every verb, with what it reads and writes in braces. Each of those gives way to
what is hostile of its kind: `READ` for inputs, `WRITTEN` for outputs, `CONTENTS` for the files of a collection, `YAML`
for those of experiments. A new verb, or a new kind of damage, is a line in one of these tables; a verb without a line
fails a test.
"""

import gzip
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from clir_ot import TokenEncoder, cli
from clir_ot.sources.builders import BUILDERS

ROOT = Path(__file__).parent.parent
SMALL = (
    "--trainer.max_steps 1 --data.batch_size 12 --trainer.accelerator cpu --trainer.logger false "
    "--trainer.callbacks null"
)

# By verb; a verb may have several. `{new...}` is written, everything else is read, and made by `World`.
COMMANDS: dict[str, list[str]] = {
    "ablate": ["ablate {ablation} --collection {collection} --teacher {encoder} --language yo --run {new_folder}"],
    "align": ["align bara arabx --teacher {encoder} --student {encoder} --language yo --output {new_picture}"],
    "bitext": [
        "collection bitext {pairs} --language ha --output {new_folder}",
        "collection bitext {good_pairs} --language ha --output {collection} --no-test-overlap",
    ],
    "build": [f"collection build {b.name} {{new_folder}} --from {{copy}}" for b in BUILDERS if ":" not in b.form]
    + [f"collection build {name} {{new_folder}} --from {{copy}}" for name in ("opus:X:ha", "nllb:ha")],
    "check": ["collection check {collection}"],
    "dashboard": ["dashboard {run}"],
    "evaluate": [
        "evaluate {ranking} --collection {collection} --language en",
        "evaluate {ranking} --qrels {qrels}",
        "evaluate {run} --collection {collection}",
    ],
    "export": ["export qdrant --index {index} --path {new_folder}"],
    "fit": [
        "fit --config {experiment} --model.encoder {base} --data.collection {collection} --run {new_folder} "
        f"--model.dimensions 8 {SMALL}"
    ],
    "init": ["init {new_folder}"],
    "index": ["index --encoder {encoder} --collection {collection} --output {new_folder}"],
    "push": ["push {run} --repo user/name"],
    "qrels": ["collection qrels {collection} --output {new_file}"],
    "report": ["report {runs} --collection {collection} --output {new_folder}"],
    "search": [
        "search --bm25 --collection {collection} --language en --output {new_file}",
        "search --encoder {encoder} --rerank {ranking} --collection {collection} --language en --output {new_file}",
        "search --encoder {encoder} --index {new_folder} --collection {collection} --language en --output {new_file}",
    ],
    "stats": ["collection stats {collection} --encoder {encoder}"],
    "sweep": ["sweep {sweep} --run {new_folder} --collection {collection} --teacher {encoder} --language yo"],
    "translate": ["translate --model {model} --collection {collection} --language yo"],
}  # fmt: skip
FOLDERS = ("collection", "encoder", "base", "run", "runs", "index", "copy", "model")


Make = Callable[[Path, Path], Path]
"""Takes a folder for what is hostile and the good thing; gives the path for the command."""


def loop(place: Path, good: Path) -> Path:
    (place / "a").symlink_to("b")
    (place / "b").symlink_to("a")
    return place / "a"


def file_of(content: bytes) -> Make:
    def make(place: Path, good: Path) -> Path:
        (path := place / good.name).write_bytes(content)
        return path

    return make


def folder(place: Path, good: Path) -> Path:
    (path := place / good.name).mkdir()
    return path


def below_a_file(place: Path, good: Path) -> Path:
    return file_of(b"a file")(place, good) / "below"


def not_ours(place: Path, good: Path) -> Path:
    """The system refuses even the superuser."""
    return Path("/proc/self/clir-ot") if Path("/proc/self").exists() else pytest.skip("needs /proc")


ANY: dict[str, Make] = {
    "missing": lambda place, good: place / "missing",
    "too long": lambda place, good: place / ("n" * 300),
    "too deep": lambda place, good: Path("/".join([str(place), *["deep"] * 1200])),
    "a loop": loop,
    "a line end in its name": lambda place, good: place / "no\nsuch",
    "no UTF-8 in its name": lambda place, good: place / os.fsdecode(b"no\xff"),
    "below a file": below_a_file,
    "denied": lambda place, good: copied(place, good),  # see `deny`
}
READ: dict[str, dict[str, Make]] = {
    "folder": {**ANY, "a file": file_of(b"a file"), "empty": folder},
    "file": {
        **ANY, "a folder": folder, "empty": file_of(b""), "blank": file_of(b" \n\n"),
        "binary": file_of(bytes(range(256))),
        "Latin-1": file_of("\xe9t\xe9\tn\xe9\n".encode("latin-1")), "UTF-16": file_of("a\tb\n".encode("utf-16")),
        "deep": file_of(b"[" * 100_000), "long": file_of(b"a " * 200_000),
    },
}  # fmt: skip
WRITTEN: dict[str, Make] = {
    "below a file": below_a_file,
    "too long": ANY["too long"],
    "below a loop": lambda place, good: loop(place, good) / "below",
    "not ours": not_ours,
    "the other kind": lambda place, good: (file_of(b"a") if good.suffix == "" else folder)(place, good),
}
QUICK = {"missing", "too long", "a file", "a folder", "binary", "denied", "empty", "below a file", "the other kind"}


def corpus(*lines: str) -> Make:
    """A collection like the good one, but for further lines of its corpus."""

    def make(place: Path, good: Path) -> Path:
        copy = copied(place, good)
        with (copy / "corpus.jsonl").open("ab") as file:
            file.write(b"".join(line.encode("utf-8", "surrogateescape") + b"\n" for line in lines))
        return copy

    return make


def copied(place: Path, good: Path) -> Path:
    copy = shutil.copytree if good.is_dir() else shutil.copyfile
    return Path(copy(good, place / good.name))


def instead(name: str, content: bytes | None) -> Make:
    """A collection with another file in place of one of its; None is a folder of that name."""

    def make(place: Path, good: Path) -> Path:
        copy = copied(place, good)
        (copy / name).unlink(missing_ok=True)
        (copy / name).mkdir() if content is None else (copy / name).write_bytes(content)
        return copy

    return make


CONTENTS: dict[str, Make] = {
    "an _id with a space": corpus('{"_id": "a b", "text": "c"}'),
    "an _id with a tab": corpus('{"_id": "a\\tb", "text": "c"}'),
    "an _id with a no-break space": corpus('{"_id": "a\\u00a0b", "text": "c"}'),
    "an _id that is empty": corpus('{"_id": "", "text": "c"}'),
    "an _id that is a number": corpus('{"_id": 7, "text": "c"}'),
    "an _id that is half a character": corpus('{"_id": "\\ud800", "text": "c"}'),
    "two texts of an _id": corpus('{"_id": "d0", "text": "c"}'),
    "a text that is a number": corpus('{"_id": "a", "text": 7}'),
    "a text that is a list": corpus('{"_id": "a", "text": ["c"]}'),
    "a title that is a list": corpus('{"_id": "a", "title": ["c"], "text": "c"}'),
    "a text that is half a character": corpus('{"_id": "a", "text": "\\udc00"}'),
    "no text": corpus('{"_id": "a"}'),
    "no JSON": corpus("a, b"),
    "JSON that is no object": corpus("[1]"),
    "deep JSON": corpus('{"_id": "a", "text": ' + "[" * 100_000),
    "a large number": corpus('{"_id": "a", "text": ' + "1" * 5000 + "}"),
    "Latin-1": corpus(os.fsdecode('{"_id": "a", "text": "\xe9"}'.encode("latin-1"))),
    "no corpus left": instead("corpus.jsonl", b""),
    "a folder for a corpus": instead("corpus.jsonl", None),
    "a gzip cut short": instead("corpus.jsonl.gz", gzip.compress(b"x" * 5000)[:-20]),
    "a Parquet that is none": instead("corpus.parquet", b"PAR1"),
    "two corpora": instead("corpus.tsv", b"a\tb\n"),
    "blank documents alone": instead("corpus.jsonl", b'{"_id": "d3", "text": " "}\n'),
    "an empty query": instead("queries.jsonl", b'{"_id": "d3.0", "text": ""}\n'),
    "a query that is NaN": instead("queries.jsonl", b'{"_id": "d3.0", "text": NaN}\n'),
    "a query that is a comment": instead("queries.jsonl", b'{"_id": "#1", "text": "a"}\n'),
    "no queries": instead("queries.jsonl", b"\n"),
    "no language": instead("queries.klingon!.jsonl", b'{"_id": "a", "text": "b"}\n'),
    "a grade with two signs": instead("qrels/test.tsv", b"d3.0\td3\t--1\n"),
    "a grade that is no whole number": instead("qrels/test.tsv", b"d3.0\td3\t0.5\n"),
    "judgements with spaces": instead("qrels/test.tsv", b"d3.0 d3 1\n"),
    "judgements without a line": instead("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n"),
    "two grades": instead("qrels/test.tsv", b"d3.0\td3\t1\nd3.0\td3\t0\n"),
    "a folder for judgements": instead("qrels/test.tsv", None),
}  # fmt: skip

YAML = {
    "ablation": [
        {"variants": ["ot"]}, {"variants": {"ot": 3}}, {"seeds": "many"}, {"seeds": []}, {"baselines": 3},
        {"table": ["student"]}, {"experiment": 3}, {"experiment": "nowhere.yaml"}, {"common": [1]}, {"variants": {}},
    ],
    "sweep": [
        {"parameters": [1]}, {"parameters": {}}, {"parameters": {"model.epsilon": 3}}, {"method": "guess"},
        {"metric": "dev"}, {"metric": {"name": 3}}, {"command": "clir-ot"}, {"command": ["rm"]}, {"early_terminate": 3},
    ],
    "experiment": [
        {"model": 3}, {"model": {"class_path": "clir_ot.Nothing"}}, {"data": None}, {"trainer": "gpu"}, {"more": 1},
        {"seed_everything": "x"}, {"data": {"languages": "en", "batch_size": "all"}},
    ],
}  # fmt: skip


def make_good(place: Path, collection_folder: Path, encoder_folder: Path) -> dict[str, Path]:
    """Everything that a command reads, as it should be."""
    torch.manual_seed(0)
    encoder = place / "encoder"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(encoder)
    found = {
        "collection": collection_folder,
        "encoder": encoder,
        "base": encoder_folder,
        "model": encoder,
        "copy": place / "copy",
    }
    found["copy"].mkdir()
    files = {
        "ranking": ("run.trec", "d3.0 Q0 d3 1 2.0 t\n"),
        "qrels": ("qrels.txt", "d3.0 0 d3 1\n"),
        "pairs": ("pairs.tsv", "bara\tarab\n"),
        "good_pairs": ("good.tsv", "bara\tarab\n"),
        "hybrid": ("hybrid.yaml", (ROOT / "experiments" / "hybrid.yaml").read_text()),
        "experiment": ("experiment.yaml", (ROOT / "experiments" / "teacher.yaml").read_text()),
        "ablation": ("ablation.yaml", (ROOT / "experiments" / "ablation" / "alignment.yaml").read_text()),
        "sweep": ("sweep.yaml", (ROOT / "experiments" / "sweeps" / "distill.yaml").read_text()),
    }
    for name, (file, content) in files.items():
        found[name] = place / file
        found[name].write_text(
            content.replace("experiments/", f"{ROOT}/experiments/").replace("../", f"{ROOT}/experiments/")
        )
    runs = place / "runs"
    found |= {"run": runs / "hybrid", "teacher": runs / "teacher", "runs": runs, "index": place / "index"}
    with pytest.MonkeyPatch.context() as patch:
        for command in (
            COMMANDS["fit"][0].replace("{new_folder}", "{teacher}"),
            COMMANDS["fit"][0].replace("{new_folder}", "{run}").replace("{experiment}", "{hybrid}"),
            COMMANDS["index"][0].replace("{new_folder}", "{index}"),
        ):
            patch.setattr(sys, "argv", ["clir-ot", *command.format(**found).split()])
            cli.main()
    return found


def uses() -> Iterator[tuple[str, str, str]]:
    """(command, name of what it reads or writes, its kind)."""
    for command in (command for commands in COMMANDS.values() for command in commands):
        for name in dict.fromkeys(part.partition("}")[0] for part in command.split("{")[1:]):
            if name == "good_pairs":
                continue
            yield command, name, "written" if name.startswith("new") else "folder" if name in FOLDERS else "file"


def names(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*") if path.name != "new")
