"""Every command over inputs that it cannot use: one line on standard error, exit status 1, nothing half-written.

`COMMANDS` has a line that works for every verb, with what it reads and writes in braces. Each of those gives way to
what is hostile of its kind: `READ` for inputs, `WRITTEN` for outputs, `CONTENTS` for the files of a collection, `YAML`
for those of experiments. A new verb, or a new kind of damage, is a line in one of these tables; a verb without a line
fails a test. What is hostile is quick to refuse; the whole of the matrix is slow all the same.
"""

import errno
import gzip
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import yaml

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


@dataclass(frozen=True)
class World:
    """What commands read, good, and a folder for what is not."""

    good: dict[str, Path]
    place: Path


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


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, collection_folder: Path, encoder_folder: Path) -> dict[str, Path]:
    """Everything that a command reads, as it should be."""
    place = tmp_path_factory.mktemp("good")
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


def matrix() -> Iterator[object]:
    """Of a command's verb, the first line in the quick tests."""
    for command, name, kind in uses():
        first = command in [commands[0] for commands in COMMANDS.values()]
        for hostile, make in (WRITTEN if kind == "written" else READ[kind]).items():
            if hostile == "denied" and command.startswith(("ablate", "sweep")):
                continue  # other processes read it, which `deny` does not reach
            if hostile == "deep" and name == "experiment":
                continue  # the C library that jsonargparse reads YAML with ends the process
            marks = () if first and hostile in QUICK else pytest.mark.slow
            yield pytest.param(
                command, name, hostile, make, marks=marks, id=f"{command.partition(' --')[0]}: {name} {hostile}"
            )


@pytest.fixture
def refused(
    good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a command that must fail; what it says in its one line. Nothing that was there has changed, nothing came."""

    def run(command: str, **places: Path) -> str:
        new = {"new_folder": "folder", "new_file": "file.trec", "new_picture": "picture.png"}
        paths = {**good, **{name: tmp_path / "new" / path for name, path in new.items()}, **places}
        words = [word.format(**paths) for word in command.split()]
        before = [names(root) for root in (tmp_path, good["runs"].parent, good["collection"])]
        monkeypatch.setattr(sys, "argv", ["clir-ot", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = str(caught.value.code)
        assert said.startswith("clir-ot: "), said
        assert len(said.splitlines()) == 1, said
        assert len(said) < 2000
        assert capsys.readouterr().err == ""
        assert [names(root) for root in (tmp_path, good["runs"].parent, good["collection"])] == before
        return said

    return run


def names(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*") if path.name != "new")


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Take the right to read a file, or the files of a folder; also from the superuser, who has every right."""

    def take(path: Path) -> None:
        opening = io.open

        def is_denied(name: object) -> bool:
            return isinstance(name, str | Path) and Path(name).is_relative_to(path)

        def opened(name: object, *arguments: object, **options: object) -> object:
            if is_denied(name):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
            return opening(name, *arguments, **options)  # type: ignore[call-overload]

        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr("builtins.open", opened)

    return take


@pytest.mark.parametrize(("command", "name", "hostile", "make"), list(matrix()))
def test_what_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], deny: Callable[[Path], None],
    command: str, name: str, hostile: str, make: Make,
) -> None:  # fmt: skip
    (place := tmp_path / "hostile").mkdir()
    path = make(
        place, good.get(name, Path({"new_file": "file.trec", "new_picture": "picture.png"}.get(name, "folder")))
    )
    if hostile == "denied":
        deny(path)
    said = refused(command, **{name: path})
    assert "Traceback" not in said


def readers() -> Iterator[object]:
    """Of every content: the check in the quick tests, whatever else reads a collection in the slow ones."""
    for content, make in CONTENTS.items():
        for command, name, _ in uses():
            if name == "collection" and not command.startswith(("ablate", "sweep", "translate")):
                marks = () if command == COMMANDS["check"][0] else pytest.mark.slow
                yield pytest.param(command, make, marks=marks, id=f"{command.partition(' --')[0]}: {content}")


@pytest.mark.parametrize(("command", "make"), list(readers()))
def test_a_collection_that_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], clir: Callable[..., str], command: str,
    make: Make,
) -> None:  # fmt: skip
    (place := tmp_path / "hostile").mkdir()
    path = make(place, good["collection"])
    if command == COMMANDS["check"][0]:
        assert "problem" in refused(command, collection=path)
        return
    # Not every command reads every file: one that goes through is as good as one that says what is wrong.
    new = {"new_folder": tmp_path / "new" / "folder", "new_file": tmp_path / "new" / "file.trec"}
    said = clir(*(word.format(**{**good, **new, "collection": path}) for word in command.split()))
    assert not said.startswith("FAILED") or (said.startswith("FAILED: clir-ot: ") and len(said.splitlines()) == 1)


@pytest.mark.parametrize(("kind", "change"), [(kind, change) for kind, changes in YAML.items() for change in changes])
def test_a_file_of_settings_that_cannot_be_used_is_one_line(
    good: dict[str, Path], tmp_path: Path, refused: Callable[..., str], kind: str, change: dict[str, object]
) -> None:
    said = yaml.safe_load(good[kind].read_text())
    (path := tmp_path / good[kind].name).write_text(yaml.safe_dump({**said, **change}))
    (command,) = (commands[0] for commands in COMMANDS.values() if f"{{{kind}}}" in commands[0])
    refused(command, **{kind: path})


def test_every_verb_has_a_line() -> None:
    assert COMMANDS.keys() == {verb.__name__ for verb in cli.VERBS} | {"fit"}


# Of the others, hours, a network, a copy or a logged run are needed.
@pytest.mark.slow
@pytest.mark.parametrize("command", [
    command for verb, commands in COMMANDS.items() for command in commands
    if verb not in ("ablate", "build", "dashboard", "push", "sweep", "translate")
])  # fmt: skip
def test_the_lines_work_on_what_is_good(
    good: dict[str, Path], own_collection: Path, tmp_path: Path, clir: Callable[..., str], command: str
) -> None:
    new = {"new_folder": tmp_path / "folder", "new_file": tmp_path / "file.trec", "new_picture": tmp_path / "a.png"}
    paths = {**good, **new, "collection": own_collection}
    assert not clir(*(word.format(**paths) for word in command.split())).startswith("FAILED")


def process(words: list[object], **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-B", "-m", "clir_ot.cli", *map(str, words)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **pipes, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["check", "evaluate", "bitext"])
def test_what_is_told_to_end_says_so_in_one_line(
    good: dict[str, Path], tmp_path: Path, verb: str, number: signal.Signals
) -> None:
    """It reads from a pipe that nothing comes from, so that it is told in the middle of its work."""
    paths = {**good, "new_folder": tmp_path / "new"}
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    if verb == "check":
        paths["collection"] = copied(tmp_path, good["collection"])
        pipe = pipe.rename(paths["collection"] / "corpus.jsonl")
    else:
        paths["ranking"], paths["pairs"] = pipe, pipe.rename(tmp_path / "pairs.tsv")
        paths["ranking"] = paths["pairs"]
        pipe = paths["pairs"]
    command = COMMANDS[verb][1 if verb == "evaluate" else 0]
    before = names(tmp_path)
    started = process([word.format(**paths) for word in command.split()])
    with pipe.open("w"):  # when the other side has opened it
        started.send_signal(number)
        said = started.communicate(timeout=60)[1]
    assert (started.returncode, len(said.splitlines())) == (1, 1), said
    assert said.startswith("clir-ot: interrupted; ")
    assert names(tmp_path) == before


def writers() -> Iterator[object]:
    """One command of each verb that writes by itself; those that load torch are slow."""
    for verb, commands in COMMANDS.items():
        if "{new" in commands[0] and verb not in ("ablate", "sweep", "build", "export"):
            marks = () if verb in ("bitext", "qrels", "search") else pytest.mark.slow
            yield pytest.param(commands[0], marks=marks, id=verb)


@pytest.mark.parametrize("command", list(writers()))
def test_a_disk_that_takes_no_more_is_one_line(good: dict[str, Path], tmp_path: Path, command: str) -> None:
    """No file may become longer than some bytes, which the system refuses as it refuses what a disk cannot take."""
    new = {"new_folder": "folder", "new_file": "file.trec", "new_picture": "picture.png"}
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"english {i}\tforeign {i}\n" for i in range(100)))
    paths = {**good, "pairs": pairs, **{name: tmp_path / "new" / path for name, path in new.items()}}
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # noqa: E731
    environment = {**os.environ, "CLIR_OT_CACHE": str(tmp_path / "cache")}
    started = process([word.format(**paths) for word in command.split()], preexec_fn=small, env=environment)
    said = started.communicate(timeout=120)[1]
    ours = [
        line for line in said.splitlines() if line.startswith("clir-ot: ")
    ]  # matplotlib's cache says something, too
    assert (started.returncode, len(ours)) == (1, 1), said
    assert "cannot be written" in said
    assert "Traceback" not in said
    assert not [path for path in (tmp_path / "new").rglob("*") if path.is_file() and path.stat().st_size]


@pytest.mark.parametrize(
    "name", ["my toy", "ẹ\u0301kọ́ 😀", "a\nb", os.fsdecode(b"\xff"), "-x", "~", "[a]*", "a'b\"c$d"]
)
def test_names_of_any_kind_are_names(
    good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clir: Callable[..., str], name: str
) -> None:
    (tmp_path / name).mkdir()
    new = {"new_folder": tmp_path / name / f"{name}1", "new_file": tmp_path / name / f"{name}.trec"}
    paths = {**good, **new, "collection": shutil.copytree(good["collection"], tmp_path / name / name)}
    paths["ranking"], paths["good_pairs"] = new["new_file"], tmp_path / f"{name}.tsv"
    shutil.copyfile(good["good_pairs"], paths["good_pairs"])
    for command in (
        COMMANDS["check"][0], COMMANDS["search"][0], *COMMANDS["evaluate"][:2], COMMANDS["stats"][0],
        COMMANDS["bitext"][1], COMMANDS["index"][0],
    ):  # fmt: skip
        said = clir(*(word.format(**paths) for word in command.split()))
        assert not said.startswith("FAILED"), said


def test_home_is_found_where_no_shell_has_looked(
    good: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clir: Callable[..., str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(good["collection"], tmp_path / "toy")
    shutil.copytree(good["encoder"], tmp_path / "encoder")
    places = {"collection": "~/toy", "encoder": "~/encoder", "new_file": "~/run.trec", "ranking": "~/run.trec"}
    monkeypatch.chdir(tmp_path)
    for command in (COMMANDS["search"][0], COMMANDS["evaluate"][0], COMMANDS["stats"][0], COMMANDS["search"][1]):
        assert not clir(*(word.format(**{**good, **places}) for word in command.split())).startswith("FAILED")
    fit = COMMANDS["fit"][0].replace("{base}", "~/base").replace("{new_folder}", "~/run")
    shutil.copytree(good["base"], tmp_path / "base")
    assert "trained 1 steps" in clir(*(word.format(**{**good, **places}) for word in fit.split()))
    assert (tmp_path / "run" / "encoder").is_dir()
    assert not (tmp_path / "~").exists()
    for words in (["check", "~no such user/toy"], ["stats", "~/toy", "--encoder", "~no such user/toy"]):
        assert clir("collection", *words).startswith("FAILED: clir-ot: ~no such user/toy")
