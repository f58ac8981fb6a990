"""What make would run, without running it."""

import configparser
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent


def make(*words: str) -> subprocess.CompletedProcess[str]:
    # What the make that runs the tests was told is not for the one in here.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    # From another folder: nothing in the Makefile may depend on where make is started.
    command = ["make", "-C", str(ROOT), *words]
    return subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, env=environment)


def dry_run(*words: str) -> str:
    """The commands that make would run, each on one line; in the Python environment of the tests."""
    done = make("--dry-run", f"VENV={sys.prefix}", *words)
    assert not done.returncode, done.stderr
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


def test_pythons_that_are_not_supported_are_told_which_are(tmp_path: Path) -> None:
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    told, spelt = metadata["options"]["python_requires"], "Programming Language :: Python :: 3."
    classified = [line for line in metadata["metadata"]["classifiers"].splitlines() if line.startswith(spelt)]
    for minor in range(9, 16):
        python = tmp_path / f"python3.{minor}"
        # What is run with `-c CODE`, as if by another Python; what is run with `-m venv` ends here.
        python.write_text(
            f'#!/bin/sh\n[ "$1" = -c ] || exit 7\nexec {shlex.quote(sys.executable)} -c "import sys\n'
            f"sys.version_info = (3, {minor}, 0, 'final', 0)\n$2\"\n"
        )
        python.chmod(0o755)
        is_supported = f"3.{minor}" in SpecifierSet(told)
        assert is_supported == (f"{spelt}{minor}" in classified)
        done = make("install", f"VENV={tmp_path / 'environment'}", f"PYTHON={python}")
        assert done.returncode
        assert ("is needed, this is 3." in done.stderr) != is_supported
        assert ("Error 7" in done.stderr) == is_supported  # it went on, to the environment


def test_two_students_at_a_time_have_their_teacher_trained_once() -> None:
    (teacher,) = [line for line in dry_run("distill", "LANG=yo", "RUNS=no").splitlines() if "teacher.yaml" in line]
    assert teacher.endswith("--run no/teacher --wait true")
