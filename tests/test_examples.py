"""The examples, run as they are written."""

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clir_ot import Collection

ROOT = Path(__file__).parent.parent


def checkout(folder: Path, encoder: Path, collection: Path) -> dict[str, str]:
    """What `make` needs, with the tiny encoder and the toy collection as the starter; the environment to run it in."""
    for name in ("Makefile", "environment.mk", "setup.cfg", "constraints.txt"):
        shutil.copy2(ROOT / name, folder / name)
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (folder / ".venv" / ".installed").touch()  # newer than setup.cfg: nothing is installed
    starter = folder / "cache" / "starter"
    starter.mkdir(parents=True)
    (starter / "encoder").symlink_to(encoder)
    (starter / "collection").symlink_to(collection)
    # What the make that runs the tests was told (ARGS=...) is not for the one in here.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "ARGS"}
    return {**ours, "CLIR_OT_CACHE": str(folder / "cache"), "WANDB_MODE": "offline"}


@pytest.mark.slow
def test_two_text_files_become_a_student(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    environment = checkout(tmp_path, encoder_folder, collection_folder)
    chance = random.Random(3)
    pairs = Collection(collection_folder).bitext("yo")
    words = dict(zip(*(" ".join(side).split() for side in zip(*pairs, strict=True)), strict=True))
    sentences = [chance.sample(sorted(words), 5) for _ in range(320)]
    (tmp_path / "news.en").write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    (tmp_path / "news.ig").write_text("".join(" ".join(map(words.get, sentence)) + "\n" for sentence in sentences))
    (script,) = re.findall(r"```bash\n(.*?)```", (ROOT / "examples" / "bring-your-language.md").read_text(), re.S)
    assert len(script.splitlines()) == 10
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "zero-shot" in done.stdout
    assert re.search(r"distilled +\| Igbo", done.stdout)
    ranked = (tmp_path / "ig.trec").read_text().splitlines()
    assert {line.split()[0] for line in ranked} == {f"s{n}" for n in range(1, 201)}
    assert len((tmp_path / "mine" / "bitext" / "ig.tsv").read_text().splitlines()) == 120
