"""What a run's configuration does not say, for Weights & Biases: the code, and the content it was trained on."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import clir_ot


def provenance(read: Mapping[str, str]) -> dict[str, Any]:
    """`{"code": {version, commit, changed}, "fingerprints": of collection and encoder}`, to go with a configuration.

    wandb notes the commit of the folder one works in; this is that of clir-ot, None where it was
    installed from a wheel.
    """
    commit, changes = (_git(*command) for command in (("rev-parse", "HEAD"), ("status", "--porcelain", "-uno")))
    return {
        "code": {"version": clir_ot.__version__, "commit": commit, "changed": bool(changes)},
        "fingerprints": dict(read),
    }


def _git(*command: str) -> str | None:
    folder = Path(clir_ot.__file__).parent
    try:
        # Of a package inside someone else's repository (a virtual environment), the commit would be theirs.
        ours = ["git", "-C", str(folder), "ls-files", "--error-unmatch", "__init__.py"]
        subprocess.run(ours, check=True, capture_output=True, timeout=10)
        found = subprocess.run(
            ["git", "-C", str(folder), *command], check=True, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
