"""Weights & Biases: online if the user is logged in and the server answers, offline otherwise; never in the way."""

import logging
import os
import secrets
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say

# Of wandb's own settings, where the user has not set it: without a bound, a server that is out of reach would hold up
# the end for ever.
_BOUNDS = {"WANDB_FINISH_TIMEOUT": "300", "WANDB_FINISH_TIMEOUT_RAISES": "true"}
_LEAST_BYTES = 2**20
_SEED_FOLDER = "seed-"  # of one of an ablation's runs


def is_offline() -> bool:
    """Whether runs stay on this machine: `WANDB_MODE` decides where it is set, else whether the user is logged in.

    A server that is out of reach, or that refuses the key, counts as not logged in; this is said in one line.
    """
    import wandb

    # Only errors reach the terminal; the commands say themselves where the run is.
    for name, value in {"WANDB_SILENT": "true", **_BOUNDS}.items():
        os.environ.setdefault(name, value)
    # wandb's telemetry of itself, which reports its own failures.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    mode = os.environ.get("WANDB_MODE") or wandb.setup().settings.mode  # `wandb offline` leaves it in a file
    if mode in ("offline", "dryrun"):
        return True
    if mode == "disabled" or os.environ.get("WANDB_MODE"):
        return False
    try:
        return not wandb.login(prompt=False)
    except Exception as error:  # see `asking`
        say(f"Weights & Biases: {one_line(error)}; the run stays on this machine")
        return True


def identify(run: RunFolder, languages: str | None, seed: Any) -> dict[str, Any]:
    """What a run is called: id, name, group and tags, as `wandb.init` takes them.

    A run that goes on, or is evaluated, keeps the id that stands in its folder. The group is the folder in which an
    experiment's runs lie; a run of an ablation is named after its variant, too.
    """
    kept = run.read_facts().get("wandb") if run.facts.is_file() else None
    path = run.path.resolve()
    is_variant = path.name.startswith(_SEED_FOLDER)
    name = f"{path.parent.name}/{path.name}" if is_variant else path.name
    return {
        "id": kept["id"] if kept else _new_id(name),
        "name": name,
        "group": (path.parent if is_variant else path).parent.name,
        "tags": [*filter(None, (languages or "").replace(" ", "").split(",")), f"seed-{seed}"],
    }


def _new_id(name: str) -> str:
    """Begins with the run's name: it names the folder of an offline run, and all that is seen of it in `wandb leet`."""
    readable = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)
    return f"{readable[-40:].strip('-')}-{secrets.token_hex(4)}"


def one_line(error: Exception) -> str:
    """Of a message, which may go on with advice, the first line."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


@contextmanager
def asking(problem: str) -> Iterator[None]:
    """What the server or the network says against what is asked of it in the block, as `problem: reason`.

    Raises:
        UserError: the key is wrong or missing, the user has no rights, the server is out of reach.
    """
    try:
        yield
    # What wandb raises has no class in common: its own errors, its service's (of a server that refuses, among others),
    # the network's, ValueError for what is not there, and of wandb-workspaces a plain Exception.
    except Exception as error:
        raise UserError(
            f"{problem}: {one_line(error)}; log in with wandb login, as a user with rights there"
        ) from error


def finish() -> None:
    """Close the run, so that a later one in the same process is a run of its own.

    Waits for what is still on its way to the server, `WANDB_FINISH_TIMEOUT` seconds at most.
    """
    import wandb

    if wandb.run is None:
        return
    folder = Path(wandb.run.dir).parent
    try:
        wandb.finish()
    except Exception as error:  # see `asking`
        command = f"wandb sync --include-online {shlex.quote(str(folder))}"
        say(f"Weights & Biases: {one_line(error)}; upload what the server lacks with: {command}")
    if folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_BYTES:
        # wandb goes on without a word.
        say(f"{folder}: the disk is full, so that the Weights & Biases run lacks a part")


def sync_command(folder: Path) -> str | None:
    """The command that uploads what has not been uploaded of the offline runs below a run folder, if there is any.

    Training and every evaluation are parts of one run, with one id: `wandb sync` takes them in order, asks the server
    how far the run has come, and appends.
    """
    parts = (folder / "wandb").glob("offline-run-*")
    waiting = any(not any(part.glob("*.synced")) for part in parts)
    return f"wandb sync {shlex.quote(str(folder / 'wandb'))}" if waiting else None
