"""Runs that are killed at random moments, started again by the same command, and compared with one left alone."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clir_ot import TokenEncoder

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
SMALL = [
    "--trainer.accelerator", "cpu", "--trainer.logger", "false", "--model.dropout", "true",
    "--trainer.callbacks", '[{"class_path": "clir_ot.tracking.dev_retrieval.DevRetrieval"}]',
    "--monitor", "dev/en/MRR@10", "--checkpoint_seconds", "0",
]  # fmt: skip


@pytest.fixture(scope="module")
def teacher_folder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("resume") / "teacher"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(folder)
    return folder


def command(system: str, encoder: Path, teacher: Path, collection: Path, run: Path, epochs: int) -> list[str]:
    own = {
        "teacher": ["--model.encoder", encoder, "--model.document_length", 64, "--data.batch_size", 4],
        "distill": ["--model.teacher", teacher, "--data.languages", "yo", "--data.batch_size", 4],
        "hybrid": [
            "--model.encoder", encoder, "--model.document_length", 64, "--data.languages", "en,yo,sw",
            "--data.batch_size", 6,
        ],
    }[system]  # fmt: skip
    places = ["--config", EXPERIMENTS / f"{system}.yaml", "--data.collection", collection, "--run", run]
    arguments = [sys.executable, "-m", "clir_ot.cli", "fit", *places, *own, "--trainer.max_epochs", epochs, *SMALL]
    return [str(part) for part in arguments]


def weights(run: Path) -> dict[str, torch.Tensor]:
    folder = run / "encoder"
    return {f"{path.parent.name}/{k}": v for path in folder.rglob("*.safetensors") for k, v in load_file(path).items()}


def stop(process: subprocess.Popen, run: Path, how: signal.Signals, seconds: float) -> bool:
    """Send a signal some time after the next checkpoint; False if training ended before."""
    path = run / "checkpoints" / "last.ckpt"
    before = path.stat().st_mtime_ns if path.exists() else 0
    while not path.exists() or path.stat().st_mtime_ns == before:
        if process.poll() is not None:
            return False
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(how)
    process.wait()
    return not (run / "encoder").exists()


def step_of(run: Path) -> int:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["global_step"]


def same(run: Path, whole: Path) -> None:
    found, expected = weights(run), weights(whole)
    assert found.keys() == expected.keys()
    assert len(found) > 10
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []
    facts = [json.loads((folder / "run.json").read_text()) for folder in (run, whole)]
    assert facts[0]["steps"] == facts[1]["steps"]
    assert facts[0]["metrics"] == facts[1]["metrics"]
    assert facts[0]["best"] == facts[1]["best"]


def test_a_run_told_to_end_saves_and_goes_on_in_mid_epoch(
    encoder_folder: Path, teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    def distill(run: Path, *more: str) -> list[str]:
        return [*command("distill", encoder_folder, teacher_folder, collection_folder, run, epochs=12), *more]

    run, whole = tmp_path / "run", tmp_path / "whole"
    process = subprocess.Popen(distill(run), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert stop(process, run, signal.SIGTERM, 0.1)
    assert process.stderr is not None
    assert "the same command resumes it" in process.stderr.read().splitlines()[-1]
    assert process.returncode == 1
    again = subprocess.run(distill(run), capture_output=True, text=True, check=True)
    assert "resuming from" in again.stdout
    subprocess.run(distill(whole), capture_output=True, check=True)
    same(run, whole)


@pytest.mark.slow
@pytest.mark.parametrize("system", ["teacher", "distill", "hybrid"])
def test_a_run_killed_five_times_ends_with_the_same_weights(
    system: str, encoder_folder: Path, teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    chance = random.Random(system)
    run, whole = tmp_path / "run", tmp_path / "whole"
    epochs = 60
    arguments = command(system, encoder_folder, teacher_folder, collection_folder, run, epochs)
    stopped_at = []
    for _ in range(5):
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert stop(process, run, signal.SIGKILL, chance.uniform(0.02, 0.5)), "training ended before it was killed"
        stopped_at.append(step_of(run))
        assert {path.name for path in (run / "checkpoints").glob("[!.]*")} <= {"last.ckpt", "best.pt"}
    assert stopped_at == sorted(set(stopped_at)), "no progress between two kills"
    subprocess.run(arguments, capture_output=True, check=True)
    subprocess.run(
        command(system, encoder_folder, teacher_folder, collection_folder, whole, epochs),
        capture_output=True,
        check=True,
    )
    same(run, whole)
    steps = json.loads((whole / "run.json").read_text())["steps"]
    assert any(step % (steps // epochs) for step in stopped_at), "never stopped within an epoch"
