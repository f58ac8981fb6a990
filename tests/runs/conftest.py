"""The shortest training there is, in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

Fit = Callable[..., str]


@pytest.fixture
def fit(encoder_folder: Path, teacher_folder: Path, collection_folder: Path, clir: Callable[..., str]) -> Fit:
    """Trains a teacher or a student in a folder, with further options; what it printed, or `FAILED: ` and a line."""

    def train(run: Path, *more: object, system: str = "teacher") -> str:
        options = {
            "teacher": ["--model.encoder", encoder_folder, "--model.document_length", 64, "--data.batch_size", 8],
            "distill": ["--model.teacher", teacher_folder, "--data.languages", "yo", "--data.batch_size", 12],
        }[system]
        if system == "distill" and "--model.teacher" in more:
            options = options[2:]
        return clir(
            "fit", "--config", EXPERIMENTS / f"{system}.yaml", "--run", run, "--data.collection", collection_folder,
            *options, "--trainer.max_epochs", 1, "--trainer.logger", "false", "--trainer.callbacks", "null",
            "--trainer.accelerator", "cpu", *more,
        )  # fmt: skip

    return train
