"""Nothing half-written, whatever happens."""

import errno
from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.files import replacing, write_text


def test_an_interrupt_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_text(target, "old")
    with pytest.raises(KeyboardInterrupt), replacing(target) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for content in ("one", "two"):
        with replacing(target) as temporary:
            temporary.mkdir()
            (temporary / content).touch()
    assert [path.name for path in target.iterdir()] == ["two"]
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("I/O error: No space left on device")])
def test_a_full_disk_is_one_line_and_nothing_stays(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(UserError, match="the disk is full"), replacing(tmp_path / "file") as temporary:
        temporary.write_text("half")
        raise error
    assert not list(tmp_path.iterdir())
