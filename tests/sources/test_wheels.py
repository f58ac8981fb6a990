"""Fetching pinned wheels, from a local folder in place of the package index."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.sources.wheels import PinnedWheel, fetched


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PinnedWheel:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "somedata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("somedata/text.txt", "content")
        archive.writestr("somedata-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: somedata\nVersion: 1.0\n")
        archive.writestr("somedata-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("somedata-1.0.dist-info/RECORD", "")
    # pip's own settings: no index, only this folder.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return PinnedWheel("somedata", "1.0", hashlib.sha256(path.read_bytes()).hexdigest(), megabytes=0)


def test_the_pinned_wheel_is_opened_and_removed(wheel: PinnedWheel, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with fetched(wheel, scratch) as archive:
        assert archive.read("somedata/text.txt") == b"content"
    assert not list(scratch.iterdir())


def test_another_hash_is_refused_and_nothing_stays(wheel: PinnedWheel, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "data"
    other = PinnedWheel("somedata", "1.0", "0" * 64, megabytes=0)
    with pytest.raises(UserError, match=r"SHA-256 is .* expected 0000"), replacing(target) as temporary:
        temporary.mkdir()
        with fetched(other, temporary):
            pytest.fail("an unchecked wheel was opened")
    assert not list((tmp_path / "cache").iterdir())


def test_what_cannot_be_fetched_is_one_line(wheel: PinnedWheel, tmp_path: Path) -> None:
    missing = PinnedWheel("somedata", "2.0", wheel.sha256, megabytes=0)
    with (
        pytest.raises(UserError, match=r"somedata==2\.0 could not be fetched") as caught,
        fetched(missing, tmp_path),
    ):
        pytest.fail("a missing wheel was opened")
    assert "\n" not in str(caught.value)
