"""Two starts of one run: the second says who has it, and leaves everything as it is."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clir_ot import Collection, locks
from clir_ot.locks import hold
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.retrieval.ranker import load_encoder
from clir_ot.retrieval.stored_index import build_index


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_ENDING", 0.05)


@contextmanager
def held_elsewhere(path: Path, what: str, then: Callable[[], object] = lambda: None, after: float = 1.0) -> Iterator:
    """By another thread for a while, which to a lock is another process; it does something before it gives it up."""
    ready, let_go = threading.Event(), threading.Event()

    def holding() -> None:
        with hold(path, what):
            ready.set()
            let_go.wait(after)
            then()

    thread = threading.Thread(target=holding)
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        let_go.set()
        thread.join()


def contents(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


@pytest.fixture
def begun(fit: Callable[..., str], tmp_path: Path) -> Path:
    """A run that another process has claimed, and that has saved nothing yet."""
    run = tmp_path / "run"
    fit(run)
    (run / "encoder").rename(tmp_path / "encoder")
    return run


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_second_start_is_refused_and_takes_nothing_away(
    interrupted: bool, begun: Path, fit: Callable[..., str]
) -> None:
    who = f"{begun}: is being trained by process {os.getpid()} on {socket.gethostname()} since 2"
    with held_elsewhere(begun / ".lock", f"{begun}: is being trained", after=60):
        before = contents(begun)
        if interrupted:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # which a training that was interrupted ignores
            threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
            assert "interrupted" in fit(begun, "--wait", "true")
        else:
            assert fit(begun).startswith(f"FAILED: clir-ot: {who}")
        assert contents(begun) == before
    assert sorted(contents(begun)) == ["config.yaml", "run.json"]


def test_one_that_waits_finds_it_trained(begun: Path, fit: Callable[..., str]) -> None:
    def finish() -> None:
        (begun.parent / "encoder").rename(begun / "encoder")

    with held_elsewhere(begun / ".lock", f"{begun}: is being trained", finish):
        said = fit(begun, "--wait", "true")
    assert "; waiting for it\n" in said
    assert "already trained" in said


def test_a_run_of_a_killed_process_is_taken_up(begun: Path, fit: Callable[..., str]) -> None:
    code = "import os, pathlib, sys; from clir_ot.locks import hold\n"
    code += "with hold(pathlib.Path(sys.argv[1]), 'being trained'): os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, begun / ".lock"]).returncode == -signal.SIGKILL
    assert (begun / ".lock").is_file()
    assert "trained 5 steps" in fit(begun)
    assert not (begun / ".lock").exists()


def test_a_refused_start_of_a_new_folder_leaves_none(fit: Callable[..., str], tmp_path: Path) -> None:
    assert "must be above 0" in fit(tmp_path / "new", "--model.temperature", 0)
    assert not (tmp_path / "new").exists()


def test_two_evaluations_of_a_run_take_turns(
    fit: Callable[..., str], clir: Callable[..., str], collection_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    fit(run)
    with held_elsewhere(run / ".lock", f"{run}: is being evaluated"):
        said = clir("evaluate", run, "--collection", collection_folder)
    assert said.startswith(f"{run}: is being evaluated by process {os.getpid()} on ")
    assert "; waiting for it\n" in said
    assert json.loads((run / "metrics.json").read_text())["split"] == "test"
    assert not (run / ".lock").exists()


def test_an_interrupted_evaluation_says_what_is_kept(
    fit: Callable[..., str], clir: Callable[..., str], collection_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    run = tmp_path / "run"
    fit(run)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("clir_ot.runs.rankings.search", interrupt)
    said = clir("evaluate", run, "--collection", collection_folder)
    (index,) = (run / "index").iterdir()
    assert said == (
        f"FAILED: clir-ot: {run}: interrupted; documents encoded so far are kept in {index}; the same command goes on"
    )
    monkeypatch.undo()
    assert "MRR@10" in clir("evaluate", run, "--collection", collection_folder)


def test_two_that_index_one_folder_share_the_work(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clir_ot.retrieval.stored_index._SHARD", 3)
    made_of = load_encoder(teacher_folder), fingerprint(teacher_folder), Collection(collection_folder)
    done: list[tuple[str, int]] = []

    def index(name: str, share: tuple[int, int]) -> None:
        build_index(tmp_path / "index", *made_of, counter=lambda what, total: lambda n: slowly(name, n), share=share)

    def slowly(name: str, count: int) -> None:
        done.append((name, count))
        time.sleep(0.02)

    # The one is cut into shares and the other is not, as when a second start is meant to help.
    threads = [threading.Thread(target=index, args=args) for args in (("all", (0, 1)), ("half", (1, 2)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = build_index(tmp_path / "index", *made_of)
    assert made.missing() == []
    assert made.load().ids == list(made_of[2].documents())
    assert not list((tmp_path / "index").glob(".*"))


def test_two_builds_of_one_folder_and_two_of_the_starter(
    clir: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    with held_elsewhere(tmp_path / ".mine.lock", f"{folder}: is being built", after=60):
        said = clir("collection", "build", "xquad-r", folder, "--from", tmp_path)
        assert f"{folder}: is being built by process " in said
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path))
    encoder = tmp_path / "starter" / "encoder"
    monkeypatch.setattr("clir_ot.sources.starter.build_kolibri", lambda folder: folder.mkdir())
    monkeypatch.setattr("clir_ot.sources.starter.build_starter_encoder", lambda folder: pytest.fail("built twice"))

    def build() -> None:
        encoder.mkdir()
        (encoder / "config.json").touch()

    with held_elsewhere(encoder.with_name(".encoder.lock"), f"{encoder}: is being built", build, 0.3):
        clir("collection", "build", "starter", "--quiet")
    assert (tmp_path / "starter" / "collection").is_dir()
