"""What make would run, without running it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("target", ["teacher", "distill", "hybrid"])
def test_what_the_user_names_overrides_the_experiment_file(target: str) -> None:
    command = ["make", "--dry-run", target, "LANG=ig", "COLLECTION=mine", "DEVICES=2", "ARGS=--trainer.max_epochs 3"]
    # What the make that runs the tests was told is not for the one in here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment).stdout
    (fit,) = [
        line for line in printed.replace("\\\n", "").splitlines() if f"--config experiments/{target}.yaml" in line
    ]
    words = fit.split()
    # Options are read from left to right: a file that comes later would put its own collection in place of the user's.
    assert words.index("--config") < words.index("--data.collection") < words.index("--trainer.max_epochs")
    assert words[words.index("--data.collection") + 1] == "mine"
    assert words[words.index("--trainer.devices") + 1] == "2"
