"""One process at a time, whatever becomes of the one before."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import pytest

from clir_ot.errors import UserError
from clir_ot.locks import hold

HOLDER = """
import sys, time
from pathlib import Path
from clir_ot.locks import hold
with hold(Path(sys.argv[1]), "x: is being trained"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def holder(path: Path, seconds: float = 60) -> Iterator[subprocess.Popen]:
    """Another process that has the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, path, str(seconds)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def test_who_has_it_is_said_and_a_killed_process_is_no_obstacle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run" / ".lock"
    with holder(path) as process:
        said = f"x: is being trained by process {process.pid} on {socket.gethostname()} since 20"
        with pytest.raises(UserError) as refused, hold(path, "x: is being evaluated", "take another folder"):
            pass
        assert str(refused.value).startswith(said)
        assert str(refused.value).endswith("; take another folder")
        assert path.is_file(), "it is the other one's"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert path.is_file()
        with hold(path, "x: is being trained"):
            assert f", {os.getpid()}, " in path.read_text()
    assert [*path.parent.iterdir()] == []


def test_one_that_waits_says_so_and_gets_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".lock"
    with holder(path, 1.0) as process, hold(path, "x: is being evaluated", wait=True):
        assert process.wait(timeout=30) == 0
    assert capsys.readouterr().out.startswith(f"x: is being trained by process {process.pid} on ")


def test_without_flock_it_holds_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: filelock.FileLock) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "_acquire", missing)
    path, soft = tmp_path / ".lock", tmp_path / ".lock.soft"
    with hold(path, "x: is being trained"):
        assert soft.is_file()
        with (
            pytest.raises(UserError, match=rf"by process {os.getpid()} on .* or remove {soft} if it has ended"),
            hold(path, "x: is being trained"),
        ):
            pass
    assert [*tmp_path.iterdir()] == []
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    soft.write_text(f"{dead.pid}\n{socket.gethostname()}\n")
    os.utime(soft, (time.time() - 60, time.time() - 60))
    with hold(path, "x: is being trained"):
        pass
    soft.write_text(f"{dead.pid}\nanother-host\n")
    with pytest.raises(UserError, match=f"by process {dead.pid} on another-host since"), hold(path, "x: is trained"):
        pass


def test_a_folder_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"), hold(tmp_path / "file" / ".lock", "x"):
        pass
