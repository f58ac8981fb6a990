"""Commands that the system stops, on disks that are full, and under names of any kind."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile import COMMANDS, copied, names


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
