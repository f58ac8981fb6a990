"""The wheel, in an environment that has nothing of the checkout, run from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import clir_ot

ROOT = Path(__file__).parent.parent
SOURCES = ("src", "experiments", "Makefile", "constraints.txt", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
# Where every module of clir_ot lies that a command has loaded, behind what it printed.
_LOADED = """
import sys
from clir_ot.cli import main
try:
    main()
finally:
    for name, module in sys.modules.items():
        if name.split(".")[0] == "clir_ot":
            print("loaded:", module.__file__)
"""


def elsewhere() -> dict[str, str]:
    """The variables of the tests without what leads to the checkout, and what the make that runs them was told."""
    ours = ("PYTHONPATH", "VENV", "ARGS")
    return {name: said for name, said in os.environ.items() if not name.startswith("MAKE") and name not in ours}


class Installed:
    """An environment with the wheel, and an empty folder to work in."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.environment, self.folder = environment, folder

    def run(self, *command: object, folder: Path | None = None) -> str:
        """What a command of the environment prints; it must succeed."""
        words, variables = list(map(str, command)), elsewhere()
        variables["PATH"] = f"{self.environment / 'bin'}:{variables['PATH']}"
        done = subprocess.run(words, cwd=folder or self.folder, capture_output=True, text=True, env=variables)
        assert not done.returncode, done.stdout + done.stderr
        return done.stdout

    def loaded(self, *arguments: object) -> list[str]:
        """The files of clir_ot that `clir-ot` with these arguments reads; all lie in the environment."""
        said = self.run(self.environment / "bin" / "python", "-c", _LOADED, *arguments).splitlines()
        files = [line.removeprefix("loaded: ") for line in said if line.startswith("loaded: ")]
        assert all(Path(file).is_relative_to(self.environment) for file in files)
        return files


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, in a new environment that sees the packages of the one that runs the tests, but not its clir_ot."""
    place = tmp_path_factory.mktemp("wheel")
    source, environment, folder = place / "source", place / "an environment", place / "empty"
    source.mkdir()
    folder.mkdir()
    for name in SOURCES:  # a copy, where building leaves its files
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("*.egg-info"))
        else:
            shutil.copy2(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", place, source]
    subprocess.run([*pip, *map(str, build)], check=True, env=elsewhere())
    venv.create(environment, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (wheel,) = place.glob("*.whl")
    python = environment / "bin" / "python"
    install = ["--python", python, "install", "--no-compile", "--no-deps", "--no-index", wheel]
    subprocess.run([*pip, *map(str, install)], check=True, env=elsewhere())
    # A path in a .pth file is searched for packages; .pth files in it, such as the editable clir_ot's, are not read.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment, folder)


def test_the_command_knows_its_version_and_nothing_of_the_checkout(installed: Installed) -> None:
    assert installed.run("clir-ot", "--version") == f"clir-ot {clir_ot.__version__}\n"
    assert len(installed.loaded("--help")) > 5


def test_make_works_in_a_folder_that_init_has_laid(installed: Installed) -> None:
    study = installed.folder / "study"
    printed = installed.run("clir-ot", "init", "study")
    assert printed.endswith("next: cd study && make distill LANG=yo\n")
    assert "distil a student" in installed.run("make", folder=study)
    commands = installed.run("make", "-n", "distill", "LANG=yor", folder=study).replace("\\\n", "")
    assert f"'{installed.environment}/bin/clir-ot' fit --config experiments/distill.yaml" in commands
    assert "--run runs/starter/distill-yo " in commands  # the environment's Python was asked what `yor` is
    assert "pip" not in commands
    assert "--constraint constraints.txt clir-ot" in installed.run("make", "-n", "install", folder=study)


@pytest.mark.slow
def test_a_student_is_trained_away_from_the_checkout(
    installed: Installed, encoder_folder: Path, collection_folder: Path
) -> None:
    small = ["--trainer.max_epochs", "1", "--trainer.logger", "false", "--trainer.callbacks", "null"]
    data = ["--data.collection", collection_folder, *small]
    teacher = ["fit", "--config", "teacher", "--model.encoder", encoder_folder, "--run", "teacher", *data]
    assert len(installed.loaded(*teacher)) > 50
    student = ["fit", "--config", "distill", "--model.teacher", "teacher/encoder", "--data.languages", "yo", *data]
    installed.run("clir-ot", *student, "--run", "student")
    assert "distilled" in installed.run("clir-ot", "evaluate", "student", "--collection", collection_folder)
