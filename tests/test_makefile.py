"""What make would run, without running it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def dry_run(*words: str) -> str:
    """The commands that make would run, each on one line; in the Python environment of the tests."""
    # What the make that runs the tests was told is not for the one in here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--dry-run", f"VENV={sys.prefix}", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.replace("\\\n", "")


@pytest.mark.parametrize("target", ["teacher", "distill", "hybrid"])
def test_what_the_user_names_overrides_the_experiment_file(target: str) -> None:
    printed = dry_run(target, "LANG=ig", "COLLECTION=mine", "DEVICES=2", "ARGS=--trainer.max_epochs 3")
    (fit,) = [line for line in printed.splitlines() if f"--config experiments/{target}.yaml" in line]
    words = fit.split()
    # Options are read from left to right: a file that comes later would put its own collection in place of the user's.
    assert words.index("--config") < words.index("--data.collection") < words.index("--trainer.max_epochs")
    assert words[words.index("--data.collection") + 1] == "mine"
    assert words[words.index("--trainer.devices") + 1] == "2"


@pytest.mark.parametrize(
    ("given", "name"), [("yor", "yo"), ("yo", "yo"), ("tl", "fil"), ("pt_br", "pt-BR"), ("?", "?")]
)
@pytest.mark.parametrize("target", ["distill", "evaluate", "ablation", "ablation-bitext", "sweep"])
def test_a_run_has_one_name_however_its_language_is_spelt(target: str, given: str, name: str) -> None:
    assert f"-{name} " in dry_run(target, f"LANG={given}", "RUNS=runs")
