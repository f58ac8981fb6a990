"""Runs that are stopped, started again by the same command, and compared with one left alone.

They run `stoppable.py` beside this file.
"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.forked import PATIENCE, finish, running

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
DEV = {"class_path": "clir_ot.tracking.dev_retrieval.DevRetrieval"}
SMALL = [
    "--trainer.accelerator", "cpu", "--trainer.logger", "false", "--model.dropout", "true",
    "--monitor", "dev/en/MRR@10", "--checkpoint_seconds", "0", "--keep_checkpoints", "true",
]  # fmt: skip
STOPPABLE = Path(__file__).with_name("stoppable.py")
KILL_AT = "CLIR_OT_TEST_KILL_AT"  # of stoppable.py: "NAME n"

Start = Callable[..., list[str]]


@pytest.fixture(scope="module")
def start(encoder_folder: Path, teacher_folder: Path, collection_folder: Path) -> Callable[..., list[str]]:
    """The command that trains a system in a folder; `batches.jsonl` beside it gets the order of its batches."""

    def command(run: Path, *more: object, system: str = "distill", epochs: int = 4, callback: Any = None) -> list[str]:
        own = {
            "teacher": ["--model.encoder", encoder_folder, "--model.document_length", 64, "--data.batch_size", 4],
            "distill": ["--model.teacher", teacher_folder, "--data.languages", "yo", "--data.batch_size", 4],
            "hybrid": [
                "--model.encoder", encoder_folder, "--model.document_length", 64, "--data.languages", "en,yo,sw",
                "--data.batch_size", 6,
            ],
        }[system]  # fmt: skip
        order = {"class_path": "stoppable.BatchOrder", "init_args": {"path": str(batches_file(run))}}
        callbacks = json.dumps([DEV, order, *([callback] if callback else [])])
        places = ["--config", EXPERIMENTS / f"{system}.yaml", "--data.collection", collection_folder, "--run", run]
        options = [*places, *own, "--trainer.max_epochs", epochs, *SMALL, "--trainer.callbacks", callbacks, *more]
        return [str(STOPPABLE), "fit", *map(str, options)]

    return command


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A distillation left alone."""
    run = tmp_path_factory.mktemp("whole") / "run"
    finish(start(run))
    return run


def batches_file(run: Path) -> Path:
    return run.with_name(f"{run.name}.batches.jsonl")


def batches(run: Path) -> dict[tuple[int, int, int], list[str]]:
    """`{(rank, epoch, batch): rows}`; where a batch was trained on again after a kill, the last time counts."""
    return {tuple(place): ids for place, ids in map(json.loads, batches_file(run).read_text().splitlines())}


def stop(command: list[str], run: Path, to: Callable[[int, int], None], how: signal.Signals, seconds: float) -> str:
    """Send a signal, to the process or to its group, some time after the next checkpoint; what it said last."""
    path = run / "checkpoints" / "last.ckpt"
    before = path.stat().st_mtime_ns if path.exists() else 0
    end = time.monotonic() + PATIENCE
    with running(command) as process:
        while not path.exists() or path.stat().st_mtime_ns == before:
            assert process.poll() is None, process.communicate()[1][-2000:]
            assert time.monotonic() < end, "no checkpoint"
            time.sleep(0.005)
        time.sleep(seconds)
        to(process.pid, how)
        _, errors = process.communicate()
    assert process.returncode, "training ended before it was stopped"
    assert not (run / "encoder").exists(), "training ended before it was stopped"
    return errors


def weights(run: Path) -> dict[str, torch.Tensor]:
    folder = run / "encoder"
    return {f"{path.parent.name}/{k}": v for path in folder.rglob("*.safetensors") for k, v in load_file(path).items()}


def step_of(run: Path) -> int:
    there = [path for name in ("last.ckpt", "previous.ckpt") if (path := run / "checkpoints" / name).exists()]
    return torch.load(there[0], weights_only=False)["global_step"]


def same(run: Path, whole: Path) -> None:
    found, expected = weights(run), weights(whole)
    assert found.keys() == expected.keys()
    assert len(found) > 10
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []
    facts = [json.loads((folder / "run.json").read_text()) for folder in (run, whole)]
    for name in ("steps", "tokens", "metrics", "best"):
        assert facts[0][name] == facts[1][name]
    assert facts[1]["metrics"].keys() >= {"train/loss", "dev/en/MRR@10"}
    assert len(batches(whole)) > 10
    assert batches(run) == batches(whole)
    assert not [path for path in run.rglob(".*") if path.name != ".gitattributes"], "leftovers of a kill"


@pytest.mark.slow
def test_a_run_told_to_end_saves_between_two_steps_and_goes_on(start: Start, tmp_path: Path) -> None:
    run, alone = tmp_path / "run", tmp_path / "whole"
    options = ["--trainer.accumulate_grad_batches", 4, "--checkpoint_seconds", 3600]
    tell = {"class_path": "stoppable.TellAt", "init_args": {"epoch": 1, "batch": 5}}
    with running(start(run, *options, callback=tell)) as process:
        _, errors = process.communicate()
    assert errors.splitlines()[-1] == f"clir-ot: {run}: told to end, saved; the same command resumes it"
    assert process.returncode == 1
    # An epoch of 9 batches has 3 steps; batch 5, counted from 0, is the second of the second step's four.
    assert max(batches(run)) == (0, 1, 7)
    assert step_of(run) == 3 + 2
    assert "resuming from" in finish(start(run, *options, callback=tell))
    finish(start(alone, *options))
    same(run, alone)


@pytest.mark.parametrize(
    "moments",
    [
        ["config.yaml 1", "previous.ckpt 12", "encoder 1"],
        pytest.param(
            ["run.json 1", "last.ckpt 1", "last.ckpt 7", "best.pt 1", "previous.ckpt 2", "run.json 1", "run.json 2"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_run_killed_while_it_writes_ends_with_the_same_weights(
    moments: list[str], start: Start, whole: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    for moment in moments:
        with running(start(run), **{KILL_AT: moment}) as process:
            _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, (moment, errors[-2000:])
        assert not (run / "encoder").exists()
    finish(start(run))
    same(run, whole)


@pytest.mark.parametrize(
    "stops",
    [
        [(os.kill, signal.SIGTERM), (os.killpg, signal.SIGKILL)],
        [(os.killpg, signal.SIGTERM)] * 2 + [(os.kill, signal.SIGTERM)] * 2,
    ],
    ids=["told one, killed both", "told both, told one"],
)
@pytest.mark.slow
def test_two_processes_that_are_stopped_end_with_the_weights_of_two_left_alone(
    stops: list[tuple[Callable[[int, int], None], signal.Signals]], start: Start, tmp_path: Path
) -> None:
    run, alone = tmp_path / "run", tmp_path / "whole"
    arguments = start(run, "--trainer.devices", 2, epochs=10)
    stopped_at = []
    for to, how in stops:
        said = stop(arguments, run, to, how, 0.1)
        if how == signal.SIGTERM:
            assert said.count("clir-ot: ") == said.count("told to end, saved; the same command resumes it") == 1
            assert "Traceback" not in said
        stopped_at.append(step_of(run))
    assert stopped_at == sorted(set(stopped_at)), "no progress between two stops"
    finish(arguments)
    finish(start(alone, "--trainer.devices", 2, epochs=10))
    assert {rank for rank, _, _ in batches(alone)} == {0, 1}
    same(run, alone)


@pytest.mark.parametrize("ranks", [2, pytest.param(1, marks=pytest.mark.slow)], ids=["started here", "by Lightning"])
def test_a_loss_of_one_process_that_is_not_finite_stops_both_with_one_line(
    ranks: int, start: Start, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    spoil = {"class_path": "stoppable.SpoilOneRank"}
    options = ["--trainer.devices", 2, "--checkpoint_seconds", 3600]
    with running(start(run, *options, callback=spoil), ranks) as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.count("clir-ot: ") == 1
    assert "Traceback" not in errors
    line = errors.splitlines()[-1]
    assert "step 2: the loss is nan, in the batch of " in line
    rows = [name for rank in (0, 1) for name in batches(run)[rank, 0, 2]]
    assert len(rows) == 4
    assert all(name in line for name in rows)
    assert not run.exists()


def damaged(whole: Path, run: Path, *names: str) -> Path:
    """A run that was killed before it wrote its encoder, and checkpoints cut short."""
    shutil.copytree(whole, run)
    shutil.copy(batches_file(whole), batches_file(run))
    shutil.rmtree(run / "encoder")
    facts = json.loads((run / "run.json").read_text())
    kept = {name: value for name, value in facts.items() if name.endswith("_fingerprint")}
    (run / "run.json").write_text(json.dumps(kept))
    for name in names:
        path = run / "checkpoints" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return run


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(start: Start, whole: Path, tmp_path: Path) -> None:
    run = damaged(whole, tmp_path / "run", "last.ckpt")
    printed = finish(start(run))
    assert f"{run}/checkpoints/last.ckpt: is damaged" in printed
    assert f"resuming from {run}/checkpoints/previous.ckpt" in printed
    same(run, whole)


@pytest.fixture
def callbacks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the other processes find beside their script."""
    monkeypatch.syspath_prepend(Path(__file__).parent)


@pytest.mark.usefixtures("callbacks_here")
def test_no_checkpoint_that_is_whole_is_one_line(start: Start, whole: Path, tmp_path: Path, clir: Any) -> None:
    run = damaged(whole, tmp_path / "run", "last.ckpt", "previous.ckpt")
    printed = clir(*in_process(start(run)))
    expected = f"clir-ot: {run}/checkpoints: damaged: last.ckpt and previous.ckpt; delete {run} to train anew"
    assert printed == f"FAILED: {expected}"


@pytest.mark.usefixtures("callbacks_here")
def test_a_checkpoint_of_another_system_is_refused(start: Start, whole: Path, tmp_path: Path, clir: Any) -> None:
    run = tmp_path / "hybrid"
    with running(start(run, system="hybrid"), **{KILL_AT: "previous.ckpt 1"}) as process:
        process.communicate()
    checkpoint = run / "checkpoints" / "last.ckpt"
    for other in (whole / "checkpoints" / "last.ckpt", None):
        if other:
            shutil.copy(other, checkpoint)
        else:  # of nobody known
            torch.save({"state_dict": {}, "callbacks": {}, "pytorch-lightning_version": "2.6.6"}, checkpoint)
        printed = clir(*in_process(start(run, system="hybrid")))
        assert printed.startswith(f"FAILED: clir-ot: {checkpoint}: is a checkpoint of a run with another ")
        assert "\n" not in printed
        assert checkpoint.is_file()


def in_process(command: list[str]) -> list[str]:
    """Its arguments, without the callbacks of this file."""
    arguments = command[1:]
    arguments[arguments.index("--trainer.callbacks") + 1] = json.dumps([DEV])
    return arguments


@pytest.mark.slow
@pytest.mark.parametrize("system", ["teacher", "distill", "hybrid"])
def test_a_run_killed_five_times_ends_with_the_same_weights(system: str, start: Start, tmp_path: Path) -> None:
    chance = random.Random(system)
    run, alone = tmp_path / "run", tmp_path / "whole"
    epochs = 60
    arguments = start(run, system=system, epochs=epochs)
    stopped_at = []
    for _ in range(5):
        stop(arguments, run, os.kill, signal.SIGKILL, chance.uniform(0.02, 0.5))
        stopped_at.append(step_of(run))
    assert stopped_at == sorted(set(stopped_at)), "no progress between two kills"
    finish(arguments)
    finish(start(alone, system=system, epochs=epochs))
    same(run, alone)
    steps = json.loads((alone / "run.json").read_text())["steps"]
    assert any(step % (steps // epochs) for step in stopped_at), "never stopped within an epoch"
