"""Offline runs as Weights & Biases has written them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def records(part: Path) -> list[dict[str, Any]]:
    """A finished run's log, as wandb itself reads it."""
    import wandb

    wandb.teardown()  # its process, which else may not have written all
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(part)]
    return [json.loads(line) for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()]
