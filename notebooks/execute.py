"""Execute the notebooks in place: `make notebooks`, or `python notebooks/execute.py [NOTEBOOK...]`.

A notebook is replaced when all of its cells have run, and not otherwise: an interrupted or failed execution leaves the
file as it was.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers, replacing
from clir_ot.progress import counting

HERE = Path(__file__).parent


def execute(path: Path) -> int:
    """Run every cell and write the notebook with its outputs; returns how many cells with code there were.

    Raises:
        UserError: the file is no notebook; a cell failed, or ended by SystemExit, whose message is what is missing.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise UserError(f"{path}: cannot be read as a notebook: {str(error).splitlines()[0]}") from error
    remove_leftovers(path)
    done = counting("cells done")
    client = NotebookClient(
        notebook,
        timeout=None,  # a cell may train
        record_timing=False,  # the same runs give the same file
        extra_arguments=["--log-level=CRITICAL"],
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda **_: done(1),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        said = error.evalue.strip() or "no message"
        if error.ename == "SystemExit":
            raise UserError(f"{path}: {said}") from error
        number = sum(1 for cell in notebook.cells if cell.get("execution_count"))
        where = f"cell [{number}] failed with {error.ename}: {said.splitlines()[0]}"
        raise UserError(f"{path}: {where}; open it in a notebook program to see where") from error
    except (AssertionError, DeadKernelError) as error:
        # On Ctrl-C and SIGTERM nbclient ends the notebook's process, and then misses it.
        if client.km is None:
            raise KeyboardInterrupt from None
        raise UserError(f"{path}: its process ended, perhaps for want of memory; the file is as it was") from error
    with replacing(path) as temporary:
        nbformat.write(notebook, temporary)
    return sum(1 for cell in notebook.cells if cell.cell_type == "code")


def main() -> None:
    """All notebooks of the folder, or those given."""
    parser = argparse.ArgumentParser(description="Execute notebooks in place; all of notebooks/ by default.")
    parser.add_argument("notebooks", type=Path, nargs="*", metavar="NOTEBOOK")
    paths = parser.parse_args().notebooks or [Path(os.path.relpath(path)) for path in sorted(HERE.glob("*.ipynb"))]
    try:
        for number, path in enumerate(paths, start=1):
            print(f"[{number}/{len(paths)}] {path}", flush=True)
            start = time.monotonic()
            cells = execute(path)
            print(f"{path}: {cells} cells executed in {time.monotonic() - start:.0f} s", flush=True)
    except UserError as error:
        sys.exit(f"notebooks: {error}")
    except KeyboardInterrupt:
        sys.exit("notebooks: interrupted; the notebook that was running is as it was")
    print("next: look at them in any notebook program (jupyter lab, an editor); they are committed with their outputs")


if __name__ == "__main__":
    main()
