"""Nothing half-written, whatever happens."""

import errno
import os
from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.files import opened, remove_leftovers, replacing, write_text


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_text(target, "old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("name", ["corpus.jsonl", "pairs.tsv.gz", "m.tmx", "run.trec"])
def test_a_git_lfs_pointer_is_told_from_the_file(tmp_path: Path, name: str) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
    (tmp_path / name).write_text(pointer)
    with pytest.raises(UserError, match=rf"{name}: is a Git-LFS pointer, not the file itself"), opened(tmp_path / name):
        pass


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for content in ("one", "two"):
        with replacing(target) as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert [path.name for path in target.iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_takes_the_place_is_on_the_disk_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_folder: bool
) -> None:
    done: list[object] = []
    rename = os.replace
    monkeypatch.setattr(os, "fsync", lambda number: done.append(os.fstat(number).st_ino))
    monkeypatch.setattr(os, "replace", lambda source, target: (done.append("renamed"), rename(source, target)))
    target = tmp_path / "target"
    file = target / "deep" / "file" if is_folder else target
    with replacing(target) as temporary:
        written = temporary / file.relative_to(target)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text("new")
    assert done == [file.stat().st_ino, "renamed"]


def test_what_a_kill_leaves_is_removed_and_nothing_else(tmp_path: Path) -> None:
    entered = [replacing(tmp_path / name) for name in ("last.ckpt", "best.ckpt")]
    for manager in entered:  # and nothing after it, as in a process that was killed
        manager.__enter__().write_text("half")
    write_text(tmp_path / "last.ckpt", "whole")
    remove_leftovers(tmp_path / "last.ckpt")
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found[0].startswith(".best.ckpt.")
    assert found[1:] == ["last.ckpt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("I/O error: No space left on device")])
def test_a_full_disk_is_one_line_and_nothing_stays(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(UserError, match="the disk is full"), replacing(tmp_path / "file") as temporary:
        temporary.write_text("half")
        raise error
    assert not list(tmp_path.iterdir())
