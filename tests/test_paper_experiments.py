"""The papers' settings on stand-ins: the same files and commands, with a tiny encoder and collection in their place."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

PAPER = Path(__file__).parent.parent / "experiments" / "paper"
# What a laptop cannot do: their length, the precision of a GPU.
SHORT = ["--trainer.max_steps", 2, "--trainer.accelerator", "cpu", "--trainer.precision", "32-true"]
SHORT += ["--data.batch_size", 4]


@pytest.mark.slow
def test_each_runs_as_its_first_lines_say(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    def fit(name: str, *options: object) -> Path:
        run = tmp_path / name
        printed = clir("fit", "--config", PAPER / f"{name}.yaml", "--data.collection", collection_folder, *options,
                       "--run", run, *SHORT)  # fmt: skip
        assert "trained 2 steps" in printed, printed
        return run

    teacher = fit("teacher", "--model.encoder", encoder_folder)
    student = fit("optical", "--model.teacher", teacher / "encoder", "--data.languages", "yo")
    hybrid = fit("hybrid", "--model.encoder", encoder_folder, "--data.languages", "en,yo,sw", "--model.dimensions", 32)
    for run, rows in ((teacher, ["en"]), (student, ["en", "yo", "yo", "en"]), (hybrid, ["en", "yo", "sw"])):
        clir("evaluate", run, "--collection", collection_folder)
        measured = json.loads((run / "metrics.json").read_text())["systems"]
        assert [system["language"] for system in measured] == rows
