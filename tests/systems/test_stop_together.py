"""A pair that is broken on one rank stops all of them, with one message.

Run as a script, this file trains on two processes, of which the second gets token vectors that are not finite.
"""

import sys
from pathlib import Path

import pytest
import torch

from tests.forked import finish
from tests.training import quiet_trainer


@pytest.mark.slow
def test_vectors_broken_on_one_rank_stop_both_with_one_message(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    finish([__file__, str(teacher_folder), str(collection_folder), str(tmp_path)], ranks=2)
    first, second = ((tmp_path / f"said-{rank}.txt").read_text().split("\n") for rank in (0, 1))
    assert first[0] == second[0]
    broken = second[1]
    assert broken not in first[1:]
    assert first[0].startswith(f"step 0: token vectors of pair {broken} are not finite, in the batch of ")


def main(teacher: str, collection: str, folder: str) -> None:
    import pytorch_lightning as pl

    from clir_ot import CLIRDataModule, OTDistillation
    from clir_ot.errors import UserError

    class Broken(OTDistillation):
        def training_step(self, batch, batch_idx):  # type: ignore[no-untyped-def]
            self.seen = batch.ids
            return super().training_step(batch, batch_idx)

    pl.seed_everything(0)
    module = Broken(teacher)
    encode = module.encoder.forward

    def forward(tokens):  # type: ignore[no-untyped-def]
        vectors = encode(tokens).clone()
        if module.global_rank == 1:
            vectors[0, 1] = torch.nan
        return vectors

    module.encoder.forward = forward  # type: ignore[method-assign]
    trainer = quiet_trainer(folder, devices=2, strategy="ddp", max_steps=1)
    said = ""
    try:
        trainer.fit(module, CLIRDataModule(collection, "yo", bitext_rate=1.0, batch_size=7))
    except UserError as error:
        said = str(error)
    Path(folder, f"said-{trainer.global_rank}.txt").write_text("\n".join([said, *module.seen]))


if __name__ == "__main__":
    main(*sys.argv[1:])
