"""A run folder is one run's: resumed, or refused, never mixed."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clir_ot.errors import UserError
from clir_ot.runs.folder import RunFolder

READ = {"collection": "f1", "encoder": "e1"}


def config(**model) -> dict:
    return {
        "seed_everything": 0,
        "model": {"class_path": "clir_ot.OTDistillation", "init_args": {"epsilon": 0.02, **model}},
        "data": {"collection": "a", "languages": "yo", "batch_size": 8},
        "trainer": {"max_epochs": 2, "devices": 1},
    }


def test_the_same_configuration_may_go_on_with_other_devices_and_place(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.check(config(), READ)
    run.claim(config(), READ)
    again = config()
    again["trainer"]["devices"] = 2
    again["data"]["collection"] = "moved"
    run.check(again, READ)
    assert run.read_config() == config()


def test_another_hyper_parameter_is_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    with pytest.raises(UserError, match=r"model\.epsilon = 0\.02, now 0\.05"):
        run.check(config(epsilon=0.05), READ)


def test_a_run_older_than_compilation_is_found_again_without_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.check(config(compiled=False), READ)
    with pytest.raises(UserError, match=r"model\.compiled = False, now True"):
        run.check(config(compiled=True), READ)


@pytest.mark.parametrize("what", ["collection", "encoder"])
def test_another_collection_or_encoder_is_refused(tmp_path: Path, what: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    with pytest.raises(UserError, match=f"from {what} of other content"):
        run.check(config(), READ | {what: "other"})


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match=r"is no run of clir-ot"):
        RunFolder(tmp_path).check(config(), READ)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_that_never_trained_leaves_the_folder_free(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.release()
    run.check(config(epsilon=0.05), READ | {"collection": "f2"})
    assert not run.path.exists()


@pytest.mark.parametrize("name", ["last.ckpt", "previous.ckpt"])
def test_a_run_with_a_checkpoint_is_never_removed(tmp_path: Path, name: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.checkpoints.mkdir()
    (run.checkpoints / name).touch()
    run.release()
    assert run.config.is_file()
    assert (run.checkpoints / name).is_file()


def test_the_log_of_a_run_that_saved_nothing_stays_and_the_folder_is_free(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    log = run.path / "wandb" / "offline-run-1" / "run.wandb"
    log.parent.mkdir(parents=True)
    log.touch()
    run.checkpoints.mkdir()
    run.release()
    assert [path.name for path in run.path.iterdir()] == ["wandb"]
    run.check(config(epsilon=0.05), READ)
    run.claim(config(epsilon=0.05), READ)
    assert log.is_file()


def test_a_kill_in_the_middle_of_claiming_leaves_the_folder_free(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.config.rename(run.path / "kept")
    (run.path / ".config.yaml.abcdefgh").mkdir()
    (run.path / "kept").rename(run.path / ".config.yaml.abcdefgh" / "config.yaml")
    run.check(config(epsilon=0.05), READ)
    run.claim(config(epsilon=0.05), READ)
    assert sorted(path.name for path in run.path.iterdir()) == ["config.yaml", "run.json"]


def test_claiming_again_clears_what_kills_left(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    for target in (run.checkpoint, run.best, run.encoder):
        scratch = target.with_name(f".{target.name}.abcdefgh")
        scratch.mkdir(parents=True)
        (scratch / target.name).write_text("half")
    run.claim(config(), READ)
    assert not [*run.path.rglob(".*")]


def saved(path: Path) -> bytes:
    path.parent.mkdir(exist_ok=True)
    torch.save({"weights": torch.arange(1000.0)}, path)
    return path.read_bytes()


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b.replace(b"\0\0", b"\1\1")])
def test_the_checkpoint_before_a_damaged_one_is_taken(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    assert run.last_checkpoint is None
    good = saved(run.checkpoint)
    assert run.last_checkpoint == run.checkpoint
    saved(run.previous)
    run.checkpoint.write_bytes(damage(good))
    assert run.last_checkpoint == run.previous
    run.claim(config(), READ)
    # The next checkpoint to be written must not move it over the good one.
    assert not run.checkpoint.exists()
    run.previous.write_bytes(damage(good))
    with pytest.raises(UserError, match=r"damaged: previous\.ckpt; delete .* to train anew"):
        _ = run.last_checkpoint
