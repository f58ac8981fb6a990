"""Commands that need no model load none, and start at once."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

# What the command loaded, behind what it printed.
_RUN = """
import sys
from clir_ot.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print("loaded:", *sys.modules)
"""
_LARGE = {"torch", "transformers", "pytorch_lightning", "datasets", "wandb", "matplotlib", "scipy", "pyarrow"}


@pytest.mark.parametrize("arguments", [["--help"], ["collection", "build", "--help"], ["collection", "check"]])
def test_no_large_library_is_loaded(arguments: list[str], collection_folder: Path) -> None:
    folder = [str(collection_folder)] if arguments[-1] == "check" else []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", _RUN, *arguments, *folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = {*said.rpartition("loaded:")[2].split()}
    assert "clir_ot.options" in loaded
    assert not _LARGE & loaded
    # Of the processor, so that what else the machine does counts little; of half a second, on a slow machine.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5
    if folder:
        assert f"{folder[0]}: no problem found" in said
    else:
        assert not {"numpy", "langcodes"} & loaded
