"""`clir-ot init`: a folder of one's own, whole or not at all."""

import filecmp
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot.kit import laying

ROOT = Path(__file__).parent.parent.parent
LAID = {"Makefile", "environment.mk", "constraints.txt", "experiments"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "with files of one's own"])
def test_it_has_all_that_make_needs(clir: Callable[..., str], tmp_path: Path, is_there: bool) -> None:
    folder = tmp_path / "a study"
    own = {"mine.txt"} if is_there else set()
    if is_there:
        folder.mkdir()
        (folder / "mine.txt").touch()
    printed = clir("init", folder)
    assert f"next: cd '{folder}' && make distill LANG=yo" in printed
    assert names(folder) == LAID | own
    assert filecmp.cmp(folder / "Makefile", ROOT / "Makefile", shallow=False)
    assert filecmp.cmp(folder / "constraints.txt", ROOT / "constraints.txt", shallow=False)
    laid = {path.relative_to(folder): path.read_text() for path in folder.rglob("*.yaml")}
    assert laid == {path.relative_to(ROOT): path.read_text() for path in ROOT.glob("experiments/**/*.yaml")}


@pytest.mark.parametrize("name", sorted(LAID))
def test_nothing_that_is_there_is_overwritten(clir: Callable[..., str], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    assert clir("init", tmp_path).startswith(f"FAILED: clir-ot: {tmp_path / name}: is there already")
    assert names(tmp_path) == {name}
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "there"])
def test_what_fails_halfway_leaves_nothing(
    clir: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    folder = tmp_path / "study"
    if is_there:
        folder.mkdir()

    def full(source: Path, target: Path) -> None:
        if source.name == "teacher.yaml":
            raise OSError(28, "No space left on device")
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr("shutil.copyfile", full)
    assert "the disk is full" in clir("init", folder)
    assert names(tmp_path) == ({"study"} if is_there else set())
    assert not is_there or not names(folder)


def test_make_comes_after_init_where_nothing_is_laid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert laying.runnable("make distill LANG=yo") == "clir-ot init . && make distill LANG=yo"
    assert laying.runnable("clir-ot collection stats mine") == "clir-ot collection stats mine"
    laying.lay(Path())
    assert laying.runnable("make distill LANG=yo") == "make distill LANG=yo"
