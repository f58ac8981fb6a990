"""Notebooks are committed executed, say nothing of the machine they ran on, and run again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
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


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["research_question", "transport", "your_language"]


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


def written(folder: Path, *sources: str) -> Path:
    """A notebook with these cells, not executed."""
    v4 = pytest.importorskip("nbformat", reason="pip install -e '.[notebooks]' first").v4
    pytest.importorskip("nbclient", reason="pip install -e '.[notebooks]' first")
    path = folder / "a.ipynb"
    path.write_text(v4.writes(v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])))
    return path


def execution(*paths: Path) -> subprocess.Popen[str]:
    """As `make notebooks` starts it."""
    command = [sys.executable, str(ROOT / "notebooks" / "execute.py"), *map(str, paths)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_make_notebooks_writes_what_the_cells_print_and_says_what_comes_next(tmp_path: Path) -> None:
    path = written(tmp_path, "print(6 * 7)", "import os; os.getcwd()")
    process = execution(path)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, error
    first, second = code_cells(json.loads(path.read_text()))
    assert first["outputs"][0]["text"] == ["42\n"]
    assert second["outputs"][0]["data"]["text/plain"] == [repr(str(tmp_path))]  # a notebook runs where it lies
    assert out.startswith(f"[1/1] {path}\n{path}: 2 cells executed in ")
    assert out.splitlines()[-1].startswith("next: ")
    assert error == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("raise SystemExit('no runs: run `make distill LANG=yo` first')", "no runs: run `make distill LANG=yo` first"),
        (
            "1 / 0",
            "cell [2] failed with ZeroDivisionError: division by zero; open it in a notebook program to see where",
        ),
    ],
)
def test_a_notebook_that_fails_is_one_line_and_stays_as_it_was(tmp_path: Path, cell: str, said: str) -> None:
    path = written(tmp_path, "1", cell, "print('never')")
    before = path.read_bytes()
    process = execution(path)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert error == f"notebooks: {path}: {said}\n"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_notebook_that_is_interrupted_stays_as_it_was(tmp_path: Path, name: signal.Signals) -> None:
    begun = tmp_path / "begun"
    path = written(tmp_path, f"import os, time; open({str(begun)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    before = path.read_bytes()
    process = execution(path)
    deadline = time.monotonic() + 60
    while not (begun.is_file() and begun.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(name)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error == "notebooks: interrupted; the notebook that was running is as it was\n"
    assert path.read_bytes() == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)


@pytest.mark.slow
def test_a_file_that_is_no_notebook_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="pip install -e '.[notebooks]' first")
    (tmp_path / "a.ipynb").write_text("not JSON")
    process = execution(tmp_path / "a.ipynb")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.startswith(f"notebooks: {tmp_path / 'a.ipynb'}: cannot be read as a notebook: ")
    assert error.count("\n") == 1
