"""A run folder is one run's: resumed, or refused, never mixed."""

from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.tracking.run_folder import RunFolder

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


@pytest.mark.parametrize("what", ["collection", "encoder"])
def test_another_collection_or_encoder_is_refused(tmp_path: Path, what: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    with pytest.raises(UserError, match=f"from a {what} of other content"):
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


def test_a_run_with_a_checkpoint_is_never_removed(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.claim(config(), READ)
    run.checkpoints.mkdir()
    (run.checkpoints / "last.ckpt").touch()
    run.release()
    assert run.config.is_file()
