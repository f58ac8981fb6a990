"""A checkpoint is there whole, with the one before it, and is its own run's."""

from pathlib import Path

import pytest
import torch

from clir_ot.errors import UserError
from clir_ot.runs.checkpoints import WholeCheckpointIO

IDENTITY = {"model.class": "clir_ot.OTDistillation", "encoder": "e1"}


def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous.ckpt"
    writer = WholeCheckpointIO(previous, IDENTITY)
    for step in (1, 2):
        writer.save_checkpoint({"step": step}, last)
    before = last.read_bytes(), previous.read_bytes()

    def half(checkpoint: object, path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("unexpected pos 64 vs 0")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="unexpected pos"):
        patch.setattr(torch, "save", half)
        writer.save_checkpoint({"step": 3}, last)
    assert (last.read_bytes(), previous.read_bytes()) == before
    assert len([*tmp_path.iterdir()]) == 2
    assert [writer.load_checkpoint(path, weights_only=False)["step"] for path in (last, previous)] == [2, 1]


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
