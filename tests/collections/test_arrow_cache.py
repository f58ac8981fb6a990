"""Stores that nobody needs go; those in use stay, and whoever reads a removed one reads on."""

import os
import time
from pathlib import Path

import pytest

from clir_ot.collections.arrow_store import stored_pairs

HOUR = 3600


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "arrow"


def store(path: Path, text: str) -> Path:
    path.write_text(f"{text}\tx\n")
    return stored_pairs(path).folder


def opened(folder: Path, hours: float) -> None:
    """As if it had been opened so long ago."""
    then = time.time() - hours * HOUR
    for path in (folder / "used", folder):
        if path.exists():
            os.utime(path, (then, then))


def test_earlier_contents_of_a_file_go_after_a_day(tmp_path: Path, stores: Path) -> None:
    first = store(tmp_path / "yo.tsv", "one")
    second = store(tmp_path / "yo.tsv", "two")
    assert first.is_dir()  # somebody may be reading it
    opened(first, 25)
    opened(second, 23)
    pairs = stored_pairs(tmp_path / "yo.tsv")
    third = store(tmp_path / "yo.tsv", "three")
    assert {path for path in stores.iterdir() if path.is_dir()} == {second, third}
    opened(second, 25)
    assert stored_pairs(tmp_path / "yo.tsv").folder == third  # reading alone removes nothing
    assert second.is_dir()
    store(tmp_path / "yo.tsv", "four")
    assert not second.is_dir()
    assert list(pairs) == [("two", "x")]


def test_other_files_stores_stay_for_a_month_after_they_were_opened(tmp_path: Path, stores: Path) -> None:
    other = store(tmp_path / "other.tsv", "other")
    unnoted = store(tmp_path / "unnoted.tsv", "unnoted")  # of a version that took no note
    (unnoted / "used").unlink()
    for folder in (other, unnoted):
        opened(folder, 29 * 24)
    store(tmp_path / "yo.tsv", "one")
    assert other.is_dir()
    assert unnoted.is_dir()
    for folder in (other, unnoted):
        opened(folder, 31 * 24)
    stored_pairs(tmp_path / "other.tsv")
    store(tmp_path / "yo.tsv", "two")
    assert other.is_dir()
    assert not unnoted.is_dir()


def test_a_store_that_is_being_written_stays(tmp_path: Path, stores: Path) -> None:
    from filelock import FileLock

    first = store(tmp_path / "yo.tsv", "one")
    opened(first, 25)
    with FileLock(f"{first}.lock"):
        store(tmp_path / "yo.tsv", "two")
    assert first.is_dir()
