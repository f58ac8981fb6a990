"""Without a home, or one that nobody may write: everything works, and a line says where caches are."""

import getpass
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clir_ot import cli
from clir_ot.home import prepare_home, spare_folder

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is as it was afterwards, and temporary files lie here."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.parametrize("home", [None, "/nonexistent", "relative"])
def test_without_a_home_there_is_a_temporary_one_of_this_user(
    home: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unknown(uid: int) -> Any:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)  # of a container, which runs as any number
    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    if home:
        monkeypatch.setenv("HOME", home)
    prepare_home()
    spare = spare_folder()
    assert os.path.expanduser("~") == str(spare)
    assert getpass.getuser() == str(os.getuid())
    assert spare.stat().st_mode & 0o777 == 0o700
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"is not there: caches are kept in {spare}; set HOME" in said
    prepare_home()
    assert capsys.readouterr().err == ""


def test_a_home_that_is_only_read_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    (home / ".cache" / "huggingface").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPLCONFIGDIR", "/mine")
    for name in ("XDG_CACHE_HOME", "HF_HOME", "CLIR_OT_CACHE", "WANDB_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: (Path(path) != home or not mode & os.W_OK) and allowed(path, mode)
    )
    prepare_home()
    spare = spare_folder()
    assert os.environ["HOME"] == str(home)
    assert os.environ["WANDB_DATA_DIR"].startswith(str(spare))
    assert os.environ["MPLCONFIGDIR"] == "/mine"
    assert "HF_HOME" not in os.environ, "models that are in it would be fetched again"
    assert os.environ["CLIR_OT_CACHE"] == str(spare / "clir-ot")
    assert f"home folder {home} cannot be written: caches are kept in {spare}" in capsys.readouterr().err


def test_a_home_of_somebody_else_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `docker run --user 1234` leaves /root: there, and closed to all but its owner, the superuser of the tests."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    looked = Path.is_dir

    def refusing(path: Path) -> bool:
        if path.is_relative_to(home / ".cache"):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(Path, "is_dir", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode: not Path(path).is_relative_to(home))
    prepare_home()
    assert os.environ["HOME"] == str(spare_folder())
    assert f"home folder {home} cannot be entered: caches" in capsys.readouterr().err


def test_a_cache_of_somebody_else_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "home" / ".cache"  # as `sudo pip` leaves it
    cache.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(cache.parent))
    for name in ("XDG_CACHE_HOME", "HF_HOME", "CLIR_OT_CACHE", "WANDB_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not Path(path).is_relative_to(cache) and allowed(path, mode))
    prepare_home()
    spare = spare_folder()
    assert os.environ["HOME"] == str(cache.parent)
    for name in ("HF_HOME", "CLIR_OT_CACHE", "WANDB_CACHE_DIR"):
        assert os.environ[name].startswith(str(spare)), name
    assert f"home folder {cache} cannot be written: caches are kept in {spare}" in capsys.readouterr().err


def test_a_home_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = dict(os.environ)
    prepare_home()
    assert dict(os.environ) == before
    assert capsys.readouterr().err == ""


def test_a_folder_of_another_user_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / f"clir-ot-{os.getuid()}").symlink_to(tmp_path)
    assert spare_folder() not in (tmp_path, tmp_path / f"clir-ot-{os.getuid()}")


def test_every_command_prepares_it(monkeypatch: pytest.MonkeyPatch, clir: Callable[..., str]) -> None:
    called: list[int] = []
    monkeypatch.setattr(cli, "prepare_home", lambda: called.append(1))
    clir("collection", "check", "nowhere")
    assert called == [1]


@pytest.mark.slow
def test_training_and_evaluation_need_no_home(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "OMP_NUM_THREADS")}
    environment = {**kept, "HOME": "/nonexistent", "TMPDIR": str(tmp_path), "WANDB_MODE": "offline"}
    run = tmp_path / "run"
    fit = [
        "fit", "--config", ROOT / "experiments" / "teacher.yaml", "--model.encoder", encoder_folder, "--run", run,
        "--data.collection", collection_folder, "--data.batch_size", 12, "--trainer.accelerator", "cpu",
        "--model.document_length", 64,
    ]  # fmt: skip
    for words in (fit, ["evaluate", run, "--collection", collection_folder]):
        command = [sys.executable, "-m", "clir_ot.cli", *map(str, words)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        assert done.stderr.count("\n") == 1, done.stderr
        assert "home folder /nonexistent is not there" in done.stderr
    assert "MRR@10" in done.stdout
    assert "wandb sync" in done.stdout
