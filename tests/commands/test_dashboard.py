"""Runs from training to the dashboard, with wandb's own offline runs and its reader; no server."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.offline_runs import records

ROOT = Path(__file__).parent.parent.parent
Command = Callable[..., str]


def fit(clir: Command, name: str, run: Path, *options: object) -> str:
    small = ["--data.batch_size", 12, "--trainer.max_epochs", 1, "--trainer.accelerator", "cpu"]
    return clir("fit", "--config", ROOT / "experiments" / f"{name}.yaml", "--run", run, *small, *options)


def logged(records: list[dict[str, Any]]) -> set[str]:
    return {key for record in records if record["type"] == "history" for key in record["history"]["item"]}


def artifacts(records: list[dict[str, Any]]) -> dict[str, list[str]]:
    found = [record["artifact"] for record in records if record["type"] == "artifact"]
    return {
        a["name"]: [entry["path"] for entry in a["manifest"]["contents"]] for a in found if a["type"] != "run_table"
    }


@pytest.mark.slow
def test_from_training_to_the_dashboard(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    runs = tmp_path / "starter"
    teacher, student = runs / "teacher", runs / "distill-yo"
    common = ["--data.collection", collection_folder]
    fit(clir, "teacher", teacher, *common, "--model.encoder", encoder_folder, "--model.dimensions", 16)
    of_student = ["--model.teacher", teacher / "encoder", "--data.languages", "yo", "--seed_everything", 3]
    printed = fit(clir, "distill", student, *common, *of_student)
    assert printed.count("epoch 1/1") == 1
    known = {run: json.loads((run / "run.json").read_text())["wandb"] for run in (teacher, student)}
    table = clir("evaluate", student, "--collection", collection_folder)
    assert f"wandb sync {student / 'wandb'}" in table
    clir("evaluate", student, "--collection", collection_folder)  # the same again is not logged again

    first, second = (records(part) for part in sorted((student / "wandb").glob("offline-run-*")))
    for part in (first, second):
        (run,) = (record["run"] for record in part if record["type"] == "run")
        assert (run["run_id"], run["run_group"], run["job_type"]) == (known[student]["id"], "starter", "distill")
        assert set(run["tags"]) == {"yo", "seed-3"}
    config: dict[str, Any] = {}
    for record in first:
        config |= record.get("config", {}).get("update", {})
    facts = json.loads((student / "run.json").read_text())
    assert config["fingerprints"] == {name: facts[f"{name}_fingerprint"] for name in ("collection", "encoder")}
    assert len(config["code"]["commit"]) == 40
    assert config["teacher_artifact"] == f"encoder-{known[teacher]['id']}"
    steps = [r["history"]["item"] for r in first if r["type"] == "history" and "train/loss" in r["history"]["item"]]
    assert len(steps) == facts["steps"] == 3
    per_step = {"train/learning_rate", "train/gradient_norm", "speed/tokens_per_second", "speed/pairs_per_second"}
    assert all(step.keys() > per_step | {"speed/padding_share"} for step in steps)
    assert logged(first) >= {"drawn/bitext", "plans/yo/1._type", "plans/yo/entropy", "dev/yo/MRR@10"}
    assert "model.safetensors" in artifacts(first)[f"encoder-{known[student]['id']}"]

    summary: dict[str, Any] = {}
    for record in second:
        summary |= record.get("summary", {}).get("update", {})
    measured = json.loads((student / "metrics.json").read_text())["systems"]
    assert [(s["system"], s["language"]) for s in measured][2] == ("distilled", "yo")
    for name, value in measured[2]["measures"].items():
        assert summary[f"test/yo/{name}"] == pytest.approx(value["mean"])
    assert summary["test/systems.nrows"] == len(measured)
    rankings = artifacts(second)[f"rankings-{known[student]['id']}"]
    assert rankings == ["distilled.en.test.trec", "distilled.yo.test.trec"]

    shown = clir("dashboard", runs)
    assert "not uploaded yet; upload with:" in shown
    assert {f"wandb sync {run / 'wandb'}" for run in (teacher, student)} < set(shown.splitlines())
    # The summaries themselves are printed by wandb's process, of which the fixture sees nothing.
    assert shown.count(f"{student}: offline-run-") == 2

    printed = clir("dashboard", runs, "--create")
    assert printed.startswith("FAILED: clir-ot: dashboard --create: say where: --entity")
    facts["wandb"]["url"] = "https://wandb.ai/lab/clir-ot/runs/distill-yo-1"
    (student / "run.json").write_text(json.dumps(facts))
    assert "Weights & Biases: https://wandb.ai/lab/clir-ot\n" in clir("dashboard", runs)


@pytest.mark.slow
def test_a_hybrid_run_shows_what_was_drawn_and_its_bias(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "hybrid"
    new = ["--model.encoder", encoder_folder, "--model.dimensions", 16, "--data.languages", "en,yo"]
    fit(clir, "hybrid", run, "--data.collection", collection_folder, *new)
    clir("evaluate", run, "--collection", collection_folder)
    trained, evaluated = (records(part) for part in sorted((run / "wandb").glob("offline-run-*")))
    (said,) = (record["run"] for record in trained if record["type"] == "run")
    assert (said["job_type"], set(said["tags"])) == ("hybrid", {"en", "yo", "seed-0"})
    assert logged(trained) & {"drawn/monolingual", "drawn/cross-lingual"}
    assert logged(evaluated) >= {"test/systems._type", "bias/MAP._type", "bias/first._type"}
    pictures = {path.parent.name for path in (run / "wandb").glob("offline-run-*/files/media/images/bias/*.png")}
    assert pictures == {"bias"}


def test_nothing_logged_is_one_line(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "teacher"
    unlogged = ["--trainer.logger", "false", "--model.encoder", encoder_folder, "--model.dimensions", 16]
    fit(clir, "teacher", run, "--data.collection", collection_folder, *unlogged)
    assert not (run / "wandb").exists()
    assert "wandb" not in json.loads((run / "run.json").read_text())
    assert clir("dashboard", run).endswith("train a run without --trainer.logger false")
    assert "W&B" not in clir("evaluate", run, "--collection", collection_folder)
    shutil.rmtree(run)
    assert "no such folder" in clir("dashboard", run)
