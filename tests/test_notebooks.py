"""Notebooks are committed executed, say nothing of the machine they ran on, and run again."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUNS = [ROOT / "runs" / "starter" / run / "encoder" for run in ("teacher", "distill-yo")]
# Absolute paths of Unix, of Windows; the encoded pictures are left out before.
MACHINE_PATH = re.compile(r"""(?<![\w.<:/])/(tmp|home|root|Users|work|usr|opt|var|mnt|private)/|\b[A-Z]:\\\\""")


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def without_pictures(notebook: dict[str, Any]) -> str:
    """All text of a notebook."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            output.get("data", {}).pop("image/png", None)
    return json.dumps(notebook, ensure_ascii=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_committed_executed_and_names_no_machine(path: Path) -> None:
    assert path.stat().st_size < 500_000
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = code_cells(notebook)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
    assert not MACHINE_PATH.search(without_pictures(notebook))


def test_there_is_one() -> None:
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs(path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[notebooks]' first")
    nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[notebooks]' first")
    if missing := [folder for folder in RUNS if not folder.is_dir()]:
        pytest.skip(f"{missing[0].relative_to(ROOT)} is not there; run `make distill LANG=yo` first")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": path.parent}}).execute()


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_says_what_to_run_first(path: Path, tmp_path: Path) -> None:
    """Its first cell alone, where there are no runs."""
    nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[notebooks]' first")
    nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[notebooks]' first")
    notebook = nbformat.read(path, as_version=4)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="run `make distill LANG=yo` in the repository"):
        nbclient.NotebookClient(notebook, timeout=60, resources={"metadata": {"path": tmp_path}}).execute()
