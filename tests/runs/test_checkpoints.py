"""A checkpoint is there whole, with the one before it, and is its own run's."""

import resource
from pathlib import Path
from typing import IO

import pytest
import torch
from safetensors.torch import save_file

from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.runs.checkpoints import WholeCheckpointIO

IDENTITY = {"model.class": "clir_ot.OTDistillation", "encoder": "e1"}


def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous.ckpt"
    writer = WholeCheckpointIO(previous, IDENTITY)
    for step in (1, 2):
        writer.save_checkpoint({"step": step}, last)
    before = last.read_bytes(), previous.read_bytes()

    def half(checkpoint: object, file: IO[bytes]) -> None:
        file.write(b"half")
        raise RuntimeError("unexpected pos 64 vs 0")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="unexpected pos"):
        patch.setattr(torch, "save", half)
        writer.save_checkpoint({"step": 3}, last)
    assert (last.read_bytes(), previous.read_bytes()) == before
    assert len([*tmp_path.iterdir()]) == 2
    assert [writer.load_checkpoint(path, weights_only=False)["step"] for path in (last, previous)] == [2, 1]


@pytest.mark.parametrize("kind", ["checkpoint", "safetensors"])
def test_a_file_for_which_there_is_no_room_is_a_line(tmp_path: Path, kind: str) -> None:
    path, many = tmp_path / "last", torch.zeros(50_000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))  # says EFBIG, as a full disk says ENOSPC
    try:
        with pytest.raises(UserError, match="last: cannot be written \\(File too large\\)"):
            if kind == "checkpoint":
                WholeCheckpointIO(tmp_path / "previous", IDENTITY).save_checkpoint({"weights": many}, path)
            else:
                with replacing(path) as temporary:
                    save_file({"weights": many}, temporary)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({**IDENTITY, "encoder": "e2"}, "encoder"),
        ({"model.class": "clir_ot.HybridBatchRanker", "encoder": "e1"}, "model.class"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, other: dict[str, str], named: str) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpointIO(tmp_path / "previous.ckpt", other).save_checkpoint({"step": 1}, path)
    with pytest.raises(UserError, match=f"last.ckpt: is a checkpoint of a run with another {named}; delete it"):
        WholeCheckpointIO(tmp_path / "previous.ckpt", IDENTITY).load_checkpoint(path, weights_only=False)
