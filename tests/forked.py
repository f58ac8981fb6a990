"""Processes that tests start, stop and kill: forked from a server that has torch and Lightning loaded.

A new interpreter takes about five seconds for that, and a fork a few milliseconds.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path

from torch.distributed import TCPStore

PATIENCE = 240  # seconds, after which a process counts as hanging
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["clir_ot.cli", "clir_ot.fit"])


class Script:
    """What `subprocess.Popen` is to `python FILE ARGUMENT...`, in a group of its own.

    Args:
        command: the file and its arguments.
        folder: for what it prints.
        environments: of each process, beside this one's.
    """

    def __init__(self, command: list[str], folder: str, environments: list[dict[str, str]]) -> None:
        self._files = [Path(folder, name) for name in ("stdout", "stderr")]
        self._processes = [
            _SERVER.Process(target=_run, args=(command, self._files, {**os.environ, **environment}))
            for environment in environments
        ]
        for process in self._processes:
            process.start()
        self.pid = self._processes[0].pid

    def poll(self) -> int | None:
        """None while one of them runs; else the first exit status that is not 0, if any."""
        found = [process.exitcode for process in self._processes]
        return None if None in found else next(filter(None, found), 0)

    returncode = property(poll)

    def communicate(self, timeout: float = PATIENCE) -> tuple[str, str]:
        """What they all printed, and what they said of errors; when one fails, the others are told to end."""
        end, failed = time.monotonic() + timeout, False
        running = {process.sentinel: process for process in self._processes}
        while running:
            for sentinel in wait(running, 0.1):
                failed |= bool(running.pop(sentinel).exitcode)
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            for process in running.values() if failed else ():
                process.terminate()
        printed, errors = (file.read_text() for file in self._files)
        return printed, errors

    def kill(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.join()


@contextmanager
def running(command: list[str], ranks: int = 1, **environment: str) -> Iterator[Script]:
    """A script, of which nothing is left at the end.

    Args:
        command: the file and its arguments.
        ranks: start as many as torchrun would.
        environment: beside this process's.
    """
    # Held here until the end, so that nobody else takes the port.
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False) if ranks > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        places = [_place(rank, ranks, store.port) for rank in range(ranks)] if store else [{}]
        script = Script(command, folder, [place | environment for place in places])
        try:
            yield script
        finally:
            script.kill()


def finish(command: list[str], ranks: int = 1) -> str:
    """Leave a script alone until it ends, well; what it printed."""
    with running(command, ranks) as process:
        printed, errors = process.communicate()
    assert process.returncode == 0, errors[-4000:]
    return printed


def _place(rank: int, ranks: int, port: int) -> dict[str, str]:
    """The variables that tell a process which one it is."""
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "WORLD_SIZE": ranks, "LOCAL_WORLD_SIZE": ranks}
    met = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_USE_AGENT_STORE": True}
    return {name: str(value) for name, value in {**numbers, **met, "TORCHELASTIC_RUN_ID": "test"}.items()}


def _run(command: list[str], files: list[Path], environment: dict[str, str]) -> None:
    os.setsid()
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(environment)
    # Lightning has asked for it when it was loaded.
    from pytorch_lightning.utilities import rank_zero_only

    rank_zero_only.rank = int(environment.get("RANK", "0"))
    sys.argv = command
    sys.path.insert(0, str(Path(command[0]).parent))
    runpy.run_path(command[0], run_name="__main__")
