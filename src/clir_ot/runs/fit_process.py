"""`clir-ot fit` in a process of its own, as ablations and sweeps run it: its options, and why it ended."""

import sys
from pathlib import Path
from typing import Any

import yaml


def option(name: str, value: Any) -> list[str]:
    """A value on the command line, which is read as YAML."""
    spelt = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True, width=sys.maxsize)
    return [f"--{name}", spelt.removesuffix("...\n").strip()]


def reason(status: int, log: Path) -> str:
    """Why a process ended with an exit status that is not 0: the last line of what it said."""
    if status < 0:
        return f"ended by signal {-status}" + (" (out of memory?)" if status == -9 else "")
    said = log.read_text(encoding="utf-8").strip().splitlines() or [f"exit status {status}"]
    return said[-1].removeprefix("clir-ot: ")
