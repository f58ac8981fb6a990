"""All that decides the weights sets runs apart; what only shows does not, nor how a place is spelt."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clir_ot.errors import UserError
from clir_ot.runs.deciding import deciding
from clir_ot.runs.folder import RunFolder

READ = {"collection": "f1", "encoder": "e1"}
STOPPING = {"class_path": "pytorch_lightning.callbacks.EarlyStopping", "init_args": {"monitor": "train/loss"}}
AVERAGING = {"class_path": "lightning.pytorch.callbacks.StochasticWeightAveraging", "init_args": {"swa_lrs": 0.1}}


def config(model: dict[str, Any] | None = None, data: dict[str, Any] | None = None, **trainer: Any) -> dict[str, Any]:
    return {
        "seed_everything": 0,
        "model": {"class_path": "clir_ot.OTDistillation", "init_args": {"teacher": "t/encoder", **(model or {})}},
        "data": {"collection": "a", "languages": "yo", "batch_size": 8, **(data or {})},
        "trainer": {"max_epochs": 2, "devices": 1, **trainer},
    }


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"limit_train_batches": 1}, "trainer.limit_train_batches = None, now 1"),
        ({"limit_train_batches": 0.5}, "trainer.limit_train_batches"),
        ({"max_time": "00:00:01:00"}, "trainer.max_time"),
        ({"overfit_batches": 1}, "trainer.overfit_batches"),
        ({"overfit_batches": 1.0}, "trainer.overfit_batches"),
        ({"min_epochs": 3}, "trainer.min_epochs"),
        ({"accumulate_grad_batches": 2}, "trainer.accumulate_grad_batches"),
        ({"gradient_clip_val": 0.5}, "trainer.gradient_clip_val"),
        ({"gradient_clip_algorithm": "value"}, "trainer.gradient_clip_algorithm"),
        ({"callbacks": [STOPPING]}, "trainer.callbacks"),
        ({"callbacks": AVERAGING}, "trainer.callbacks"),
        ({"callbacks": [{"class_path": "mine.Freezer"}]}, "trainer.callbacks"),
    ],
)
def test_what_decides_the_weights_is_named(changed: dict[str, Any], named: str, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    with pytest.raises(UserError, match=named):
        run.check(config(**changed), READ)
    shutil.rmtree(run.path)
    run.claim(config(**changed), READ)
    run.check(config(**changed), READ)
    with pytest.raises(UserError, match=named.split(" ")[0]):
        run.check(config(), READ)


def test_one_batch_is_not_all_of_them(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(limit_train_batches=1.0), READ)
    run.check(config(), READ)
    with pytest.raises(UserError, match=r"limit_train_batches = None, now 1"):
        run.check(config(limit_train_batches=1), READ)


def test_what_only_shows_decides_nothing(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    shown = ["clir_ot.tracking.throughput.Throughput", "pytorch_lightning.callbacks.LearningRateMonitor"]
    shown.append("tests.stoppable.BatchOrder")  # somebody's own, which says so
    run.check(config(callbacks=[{"class_path": path} for path in shown], devices=4, log_every_n_steps=7), READ)


def test_a_run_older_than_an_option_is_found_with_its_default_alone(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)  # its configuration has few keys, as if all others were newer
    usual = {
        "limit_train_batches": None, "overfit_batches": 0.0, "max_time": None, "gradient_clip_algorithm": None,
        "reload_dataloaders_every_n_epochs": 0, "sync_batchnorm": False, "plugins": None, "callbacks": [],
    }  # fmt: skip
    run.check(config({"compiled": False, "interpolation": 0.5}, {"english_share": 0.0}, **usual), READ)
    with pytest.raises(UserError, match=r"model\.interpolation = 0\.5, now 1\.0"):
        run.check(config({"interpolation": 1.0}), READ)


def test_a_language_is_one_however_its_code_is_spelt() -> None:
    assert deciding(config(data={"languages": "yor, swa"})) == deciding(config(data={"languages": ["yo", "sw"]}))


def test_a_place_counts_by_its_content(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.check(config({"teacher": "/elsewhere/encoder/"}), READ)
    run.claim(config(), READ)
    negatives = READ | {"hard_negatives": "n1"}
    shutil.rmtree(run.path)
    run.claim(config(data={"hard_negatives": "a.trec"}), negatives)
    run.check(config(data={"hard_negatives": "./a.trec"}), negatives)
    with pytest.raises(UserError, match="was trained from hard negatives of other content"):
        run.check(config(data={"hard_negatives": "a.trec"}), READ | {"hard_negatives": "n2"})
    # Of a run from before that was noted, the place counts.
    facts = json.loads(run.facts.read_text())
    del facts["hard_negatives_fingerprint"]
    run.facts.write_text(json.dumps(facts))
    run.check(config(data={"hard_negatives": "a.trec"}), negatives)
    with pytest.raises(UserError, match=r"data\.hard_negatives = a\.trec, now b\.trec"):
        run.check(config(data={"hard_negatives": "b.trec"}), negatives)


def test_a_run_with_a_damaged_file_is_a_line(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    for path, text in ((run.facts, "{"), (run.config, "a: [")):
        whole = path.read_text()
        path.write_text(text)
        with pytest.raises(UserError, match=f"{path}:.*cannot be read"):
            run.check(config(), READ)
        path.write_text(whole)


def test_a_trial_and_the_real_run_are_two(fit: Callable[..., str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "trained 1 steps" in fit(run, "--trainer.limit_train_batches", 1)
    assert "holds a run with trainer.limit_train_batches = 1, now None; delete" in fit(run)
    assert "already trained" in fit(run, "--trainer.limit_train_batches", 1)


def test_a_fast_run_for_the_code_leaves_nothing(fit: Callable[..., str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert "nothing of it is kept" in fit(run, "--trainer.fast_dev_run", "true")
    assert not run.exists()
    fit(run, "--seed_everything", 1)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert "nothing of it is kept" in fit(run, "--trainer.fast_dev_run", 2)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_a_finished_run_keeps_its_checkpoints_only_if_asked(fit: Callable[..., str], tmp_path: Path) -> None:
    fit(tmp_path / "one")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["config.yaml", "encoder", "run.json"]
    assert "already trained" in fit(tmp_path / "one", "--keep_checkpoints", "true")
    fit(tmp_path / "two", "--keep_checkpoints", "true")
    assert [path.name for path in (tmp_path / "two" / "checkpoints").iterdir()] == ["last.ckpt"]
    assert "already trained" in fit(tmp_path / "two")
    assert (tmp_path / "two" / "checkpoints" / "last.ckpt").is_file()


def test_a_teacher_spelt_otherwise_or_moved_is_the_same(
    fit: Callable[..., str], teacher_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, link, copy = tmp_path / "run", tmp_path / "link", tmp_path / "copy"
    fit(run, system="distill")
    assert yaml.safe_load((run / "config.yaml").read_text())["model"]["init_args"]["teacher"] == str(teacher_folder)
    link.symlink_to(teacher_folder)
    shutil.copytree(teacher_folder, copy)
    (copy / ".DS_Store").touch()
    (copy / ".cache" / "huggingface").mkdir(parents=True)
    (copy / ".cache" / "huggingface" / "config.json.metadata").write_text("downloaded today")
    monkeypatch.chdir(teacher_folder.parent)
    for spelt in ("./encoder/", os.path.relpath(teacher_folder), link, copy):
        assert "already trained" in fit(run, "--model.teacher", spelt, system="distill"), spelt
