"""`clir-ot fit` with bitext beside rankings, and what data a system refuses: one line, and no folder left."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
Command = Callable[..., str]


def arguments(system: str, encoder: Path, collection: Path, run: Path) -> list[object]:
    own = ["--model.teacher" if system == "distill" else "--model.encoder", encoder]
    small = ["--data.batch_size", 6, "--trainer.max_epochs", 1, "--trainer.logger", "false"]
    places = ["--run", run, "--data.collection", collection, "--trainer.accelerator", "cpu"]
    return ["fit", "--config", ROOT / "experiments" / f"{system}.yaml", *places, *own, *small]


def test_a_hybrid_run_draws_bitext_in_the_share_asked_for(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "run"
    hybrid = arguments("hybrid", encoder_folder, collection_folder, run)
    rest = ["--model.dimensions", 8, "--trainer.max_epochs", 1, "--data.languages", "en,yo", "--data.bitext_rate", 0.1]
    assert "trained" in clir(*hybrid, *rest)
    metrics = json.loads((run / "run.json").read_text())["metrics"]
    # 36 pairs in batches of 6, of which a tenth: 60 batches.
    assert metrics["drawn/bitext"] == pytest.approx(0.1, abs=0.08)
    assert metrics["drawn/bitext"] > 0
    assert sum(metrics[f"drawn/{k}"] for k in ("bitext", "monolingual", "cross-lingual")) == pytest.approx(1, abs=1e-5)


def test_bitext_batches_of_a_student_are_logged(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "run"
    clir(*arguments("distill", teacher_folder, collection_folder, run), "--data.languages", "yo")
    metrics = json.loads((run / "run.json").read_text())["metrics"]
    assert metrics["drawn/bitext"] == 1
    assert metrics["drawn/yo-en"] + metrics["drawn/en-en"] == pytest.approx(1, abs=1e-5)
    assert metrics["drawn/en-en"] > 0


@pytest.mark.parametrize(
    ("system", "options", "said"),
    [
        ("distill", ["--data.languages", "yo", "--data.bitext_rate", 0.5], "a student is taught by bitext alone"),
        ("distill", ["--data.languages", "yo", "--data.alpha", 0.5], "data.alpha is 0.5, but data.bitext_rate is 1"),
        ("hybrid", ["--data.languages", "en,sw"], "none of the queries in 'sw' has a relevant document"),
        ("teacher", ["--model.language_block_weight", 0.5], "no batch has documents of several languages"),
    ],
)
def test_data_that_a_system_cannot_use_is_one_line_and_leaves_nothing(
    encoder_folder: Path, teacher_folder: Path, own_collection: Path, tmp_path: Path, clir: Command,
    system: str, options: list, said: str,
) -> None:  # fmt: skip
    (own_collection / "queries.sw.jsonl").write_text('{"_id": "other", "text": "arab lised"}\n')
    encoder, run = teacher_folder if system == "distill" else encoder_folder, tmp_path / "run"
    printed = clir(*arguments(system, encoder, own_collection, run), *options)
    assert printed.startswith("FAILED: clir-ot: ")
    assert said in printed
    assert "\n" not in printed
    assert not run.exists()
