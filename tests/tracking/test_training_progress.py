"""The bar's figures, and a line an epoch."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from clir_ot.tracking.training_progress import EpochLine, TrainingBar

LOGGED = {
    "train/loss": torch.tensor(0.4123),
    "train/learning_rate": torch.tensor(3e-4),
    "speed/tokens_per_second": torch.tensor(5210.4),
    "dev/yo/MRR@10": torch.tensor(0.25),
    "train/gradient_norm": torch.tensor(2.0),
}


def trainer(**metrics: Any) -> Any:
    return SimpleNamespace(callback_metrics=metrics, current_epoch=1, max_epochs=4)


def test_the_bar_shows_loss_rate_and_speed_alone() -> None:
    found = TrainingBar().get_metrics(trainer(**LOGGED), None)  # type: ignore[arg-type]
    assert found == {"loss": "0.412", "lr": "3.0e-04", "tokens/s": "5,210"}
    assert TrainingBar().get_metrics(trainer(), None) == {}  # type: ignore[arg-type]


def test_an_epoch_is_one_line_with_and_without_dev_queries(capsys: pytest.CaptureFixture[str]) -> None:
    line = EpochLine()
    line.on_train_start(trainer(), None)  # type: ignore[arg-type]
    line.on_train_epoch_end(trainer(**LOGGED), None)  # type: ignore[arg-type]
    line.on_train_epoch_end(trainer(), None)  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == [
        "epoch 2/4  0 s  loss 0.412  lr 3.0e-04  tokens/s 5,210  dev/yo/MRR@10 0.250",
        "epoch 2/4  0 s",
    ]
