"""A run that is told to end saves between two optimiser steps, whichever signal says so, under Slurm or not."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TELL = "tests.stoppable.TellAt"
ACCUMULATED = ["--trainer.max_epochs", 2, "--trainer.accumulate_grad_batches", 2, "--checkpoint_seconds", 3600]


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of one task as `srun` starts it, and a `scontrol` that notes what it is asked for."""
    asked = tmp_path / "asked"
    tool = tmp_path / "bin" / "scontrol"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    variables = {
        "SLURM_JOB_ID": "17", "SLURM_NTASKS": "1", "SLURM_NTASKS_PER_NODE": "1", "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_JOB_NAME": "train", "SLURM_STEP_NUM_TASKS": "1",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return asked


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "encoder" / "model.safetensors")


@pytest.fixture
def told(fit: Callable[..., str]) -> Callable[..., str]:
    """Train, and be told in the second half of a gradient of four batches; what the run ended with."""

    def run(folder: Path, signal: str, epoch: int = 0, also: Sequence[object] = ()) -> str:
        tell = {"class_path": TELL, "init_args": {"epoch": epoch, "batch": 2, "signal": signal}}
        return fit(folder, *ACCUMULATED, "--trainer.callbacks", json.dumps([tell, *also]))

    return run


@pytest.mark.parametrize("signal", ["SIGUSR1", "SIGUSR2", "SIGTERM"])
def test_under_slurm_the_weights_are_those_of_a_run_left_alone(
    signal: str, slurm: Path, told: Callable[..., str], fit: Callable[..., str], tmp_path: Path
) -> None:
    run, alone = tmp_path / "run", tmp_path / "alone"
    said = told(run, signal)
    requeued = signal == "SIGUSR1"
    who = "Slurm's job 17 is in the queue again and" if requeued else "the same command"
    assert said == f"FAILED: clir-ot: {run}: told to end, saved; {who} resumes it"
    assert slurm.exists() == requeued
    assert not requeued or slurm.read_text() == "requeue 17\n"
    # Two batches a step; the signal came within the second one's.
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["global_step"] == 2
    assert not list(run.glob("hpc*"))
    assert "resuming from" in told(run, signal)
    fit(alone, *ACCUMULATED)
    found, expected = weights(run), weights(alone)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def test_weights_that_a_callback_averages_are_gone_on_with(
    told: Callable[..., str], fit: Callable[..., str], tmp_path: Path
) -> None:
    average = {"class_path": "pytorch_lightning.callbacks.EMAWeightAveraging", "init_args": {"decay": 0.5}}
    run, alone, plain = (tmp_path / name for name in ("run", "alone", "plain"))
    assert "told to end" in told(run, "SIGTERM", also=[average])
    assert "resuming from" in told(run, "SIGTERM", also=[average])
    fit(alone, *ACCUMULATED, "--trainer.callbacks", json.dumps([average]))
    fit(plain, *ACCUMULATED)
    found, expected, other = weights(run), weights(alone), weights(plain)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []
    assert [name for name in expected if not torch.equal(other[name], expected[name])] != []


def test_a_job_of_an_array_is_requeued_by_its_place(
    slurm: Path, told: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert "job 12_3 is in the queue again" in told(tmp_path / "run", "SIGUSR1")
    assert slurm.read_text() == "requeue 12_3\n"


def test_without_slurm_nothing_is_requeued(told: Callable[..., str], tmp_path: Path) -> None:
    assert told(tmp_path / "run", "SIGUSR1").endswith("told to end, saved; the same command resumes it")


def test_a_signal_before_training_ends_it_in_a_line(told: Callable[..., str], slurm: Path, tmp_path: Path) -> None:
    said = told(tmp_path / "run", "SIGUSR1", epoch=-1)
    assert said == f"FAILED: clir-ot: {tmp_path / 'run'}: interrupted; the same command goes on from what is saved"
    assert not (tmp_path / "run").exists()


def test_what_lightning_left_of_a_slurm_job_is_not_gone_on_from(
    fit: Callable[..., str], slurm: Path, tmp_path: Path
) -> None:
    run, alone = tmp_path / "run", tmp_path / "alone"
    fit(alone)
    assert "is being trained" not in fit(run, "--trainer.max_epochs", 2, "--keep_checkpoints", "true")
    (run / "checkpoints" / "last.ckpt").rename(tmp_path / "hpc_ckpt_1.ckpt")
    for path in ("config.yaml", "run.json"):
        (alone / path).rename(run / path)
    for folder in ("encoder", "checkpoints"):
        (run / folder).rename(tmp_path / folder)
    (tmp_path / "hpc_ckpt_1.ckpt").rename(run / "hpc_ckpt_1.ckpt")
    assert "trained 5 steps" in fit(run)
    assert torch.equal(weights(run)["embeddings.LayerNorm.weight"], weights(alone)["embeddings.LayerNorm.weight"])
