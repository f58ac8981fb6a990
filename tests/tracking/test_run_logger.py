"""Weights & Biases runs that are offline, in parts, out of reach or refused, with wandb's own process and file format.

`refusing` is a stand-in for W&B's server: it answers every request with one status and knows nothing of its API.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import wandb

from clir_ot.runs.folder import RunFolder
from clir_ot.tracking.run_logger import RunLogger
from clir_ot.tracking.weights_and_biases import finish, identify, is_offline, sync_command
from tests.forked import running
from tests.offline_runs import records

UNREACHABLE = "http://127.0.0.1:9"


@contextmanager
def refusing(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b'{"errors": [{"message": "no rights"}]}'
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *arguments: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def logger_of(folder: Path, **options: Any) -> RunLogger:
    return RunLogger(save_dir=str(folder), project="p", id="distill-yo-1", name="distill-yo", **options)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "wandb" not in line.split(":")[0]]


def test_two_processes_make_two_parts_of_one_run(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        logger = logger_of(tmp_path, mode="offline", tags=["yo", "seed-0"], group="starter")
        logger.log_metrics({"x": value}, step=int(value))
        assert not logger.is_online
        finish()
        time.sleep(1 - time.time() % 1)  # a part is named after the second it began
    parts = sorted((tmp_path / "wandb").glob("offline-run-*"))
    assert len(parts) == 2
    for part, value in zip(parts, (1.0, 2.0), strict=True):
        read = records(part)
        (run,) = (record["run"] for record in read if record["type"] == "run")
        # `resume` is what makes `wandb sync` ask the server how far the run has come, and append.
        assert (run["run_id"], run["resume"], run["run_group"]) == ("distill-yo-1", True, "starter")
        assert set(run["tags"]) == {"yo", "seed-0"}
        assert [r["history"]["item"]["x"] for r in read if r["type"] == "history"] == [value]
    assert sync_command(tmp_path) == f"wandb sync {tmp_path / 'wandb'}"
    for part in parts:
        (part / "run-distill-yo-1.wandb.synced").touch()
    assert sync_command(tmp_path) is None


TRY = """
import sys, time
from clir_ot.tracking.run_logger import RunLogger
from clir_ot.tracking.weights_and_biases import finish, is_offline
start = time.monotonic()
mode = "offline" if sys.argv[2] == "ask" and is_offline() else None
logger = RunLogger(save_dir=sys.argv[1], project="p", entity="e", id="r", mode=mode)
logger.log_hyperparams({"a": 1})
logger.log_metrics({"x": 1.0}, step=0)
print("ONLINE" if logger.is_online else "NOT ONLINE")
finish()
print("SECONDS", time.monotonic() - start)
"""


# `ask`: whether the user is logged in; `told`: by WANDB_MODE=online, and so not before the run begins.
@pytest.mark.parametrize(
    ("asked", "address"),
    [
        ("told", 403),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in (("ask", 401), ("ask", UNREACHABLE), ("told", 500))),
    ],
)
def test_a_server_that_refuses_or_is_out_of_reach_leaves_an_offline_run_and_one_line(
    asked: str, address: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This process's wandb service (WANDB_SERVICE) would answer in place of the other's own.
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    settings = {"WANDB_API_KEY": "a" * 40, "WANDB_INIT_TIMEOUT": "4", "WANDB_SILENT": "true", "HOME": str(tmp_path)}
    script = tmp_path / "try.py"
    script.write_text(TRY)

    def run(url: str) -> str:
        with running([str(script), str(tmp_path), asked], WANDB_BASE_URL=url, **settings) as process:
            printed, errors = process.communicate()
        assert process.returncode == 0, errors[-2000:]
        return printed

    if isinstance(address, int):
        with refusing(address) as url:
            printed = run(url)
    else:
        printed = run(address)
    *lines, online, seconds = printed.splitlines()
    assert [line.split(":")[0] for line in lines] == ["Weights & Biases"], printed
    assert "stays on this machine" in lines[0]
    assert online == "NOT ONLINE"
    assert float(seconds.split()[1]) < 120  # alone on two cores: 1 to 14
    (part,) = (tmp_path / "wandb").glob("offline-run-*")
    assert [r["history"]["item"]["x"] for r in records(part) if r["type"] == "history"] == [1.0]


def test_a_folder_that_cannot_be_written_ends_logging_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wandb").write_text("not a folder")
    logger = logger_of(tmp_path, mode="offline")
    for step in range(3):
        logger.log_metrics({"x": 1.0}, step=step)
    logger.log_hyperparams({"a": 1})
    assert logger.experiment.disabled
    assert not logger.is_online
    finish()
    (line,) = said(capsys)
    assert line.startswith("Weights & Biases: ")
    assert "nothing is logged" in line


FILL = """
import sys
from clir_ot.tracking.run_logger import RunLogger
from clir_ot.tracking.weights_and_biases import finish
logger = RunLogger(save_dir=sys.argv[1], project="p", id="r", mode="offline")
for step in range(6000):
    logger.log_metrics({f"{step} {number}": 1 / (1 + step + number) for number in range(20)}, step=step)
print("LOGGED")
finish()
"""


@pytest.mark.slow
def test_a_full_disk_under_its_folder_ends_nothing_and_is_said(tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()
    # A disk of one megabyte, in a name space of its own.
    mounted = 'mount -t tmpfs -o size=1m tmpfs "$1"/wandb && exec "$2" -c "$3" "$1"'
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*alone, "mount -t tmpfs tmpfs /mnt"]).returncode:
        pytest.skip("no disk can be mounted here")
    environment = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"} | {"WANDB_SILENT": "true"}
    command = [*alone, mounted, "sh", str(tmp_path), sys.executable, FILL]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = done.stdout.splitlines()
    assert first == "LOGGED"
    assert second.endswith("the disk is full, so that the Weights & Biases run lacks a part")


def test_a_run_that_breaks_while_it_is_logged_to_ends_logging_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logger_of(tmp_path, mode="offline")
    logger.log_metrics({"x": 1.0}, step=0)

    def lost(*arguments: Any, **options: Any) -> None:
        raise ConnectionResetError("Connection lost")  # what wandb raises once its service process has died

    monkeypatch.setattr(logger.experiment, "log", lost)
    for step in (1, 2):
        logger.log_metrics({"x": 1.0}, step=step)
    finish()
    assert said(capsys) == ["Weights & Biases: Connection lost; nothing is logged there, and nothing else changes"]


def test_wandb_mode_is_obeyed_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb, "login", lambda **options: pytest.fail("asked"))
    for mode, offline in (("offline", True), ("online", False), ("disabled", False)):
        monkeypatch.setenv("WANDB_MODE", mode)
        assert is_offline() == offline


def test_a_run_is_named_after_its_folder_and_keeps_its_id(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "starter" / "distill-yo")
    first = identify(run, "yo, en", 3)
    assert (first["name"], first["group"], first["tags"]) == ("distill-yo", "starter", ["yo", "en", "seed-3"])
    assert first["id"].startswith("distill-yo-")
    run.path.mkdir(parents=True)
    run.facts.write_text(json.dumps({"wandb": {"id": first["id"]}}))
    assert identify(run, "yo", 3)["id"] == first["id"]
    variant = identify(RunFolder(tmp_path / "ablation-yo" / "5*mse" / "seed-0"), "yo", 0)
    assert (variant["name"], variant["group"]) == ("5*mse/seed-0", "ablation-yo")
    assert set(variant["id"]) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_what_fails_where_nothing_is_logged_is_no_failure(tmp_path: Path) -> None:
    logger = RunLogger(save_dir=str(tmp_path), mode="disabled")
    with logger.unharmed():
        raise PermissionError("Unable to write staging files")  # of an artifact, which is made all the same
