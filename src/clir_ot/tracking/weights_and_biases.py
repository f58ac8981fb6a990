"""Weights & Biases, offline unless the user is logged in."""

import os
from pathlib import Path


def is_offline() -> bool:
    """Whether runs stay on this machine: `WANDB_MODE` decides where it is set, else whether the user is logged in."""
    import wandb

    # Only errors reach the terminal; the commands say themselves where the run is.
    os.environ.setdefault("WANDB_SILENT", "true")
    mode = os.environ.get("WANDB_MODE")
    return mode == "offline" if mode else not wandb.login(prompt=False)


def finish() -> None:
    """Close the run, so that a later one in the same process is a run of its own."""
    import wandb

    wandb.finish()


def sync_command(folder: Path) -> str | None:
    """The command that uploads the newest offline run below a run folder, if there is one."""
    runs = sorted((folder / "wandb").glob("offline-run-*"))
    return f"wandb sync {runs[-1]}" if runs else None
