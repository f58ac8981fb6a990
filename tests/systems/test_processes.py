"""Two processes give the gradient, the loss and the weights of one on the union batch.

Run as a script, this file takes one optimizer step and writes its gradient.
"""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from clir_ot import TokenEncoder
from tests.forked import finish
from tests.training import quiet_trainer

SYSTEMS = ["teacher", "hybrid", "hybrid with bitext", "fair", "ot", "ot_contrastive", "0.3*contrastive+0.5*scores"]


@pytest.fixture(scope="module")
def folders(encoder_folder: Path, collection_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    torch.manual_seed(1)
    teacher = tmp_path_factory.mktemp("processes") / "teacher"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, query_prefix="query: ").save_pretrained(teacher)
    run = teacher.with_name("run.trec")
    # Some queries have hard negatives and some have none: ranks differ in documents.
    run.write_text("".join(f"d{q}.0 Q0 d{q + k} {k} {9 - k} x\n" for q in (0, 4, 8, 12) for k in (1, 2, 4)))
    return [str(encoder_folder), str(teacher), str(collection_folder), str(run)]


def gradients(folders: list[str], folder: Path, devices: int) -> dict[str, Any]:
    found = folder / f"{devices}.pt"
    finish([__file__, *folders, str(devices), str(found)], ranks=devices)
    return torch.load(found)


def test_two_processes_have_the_gradient_of_one(folders: list[str], tmp_path: Path) -> None:
    alone, together = (gradients(folders, tmp_path, devices) for devices in (1, 2))
    assert alone.keys() == together.keys()
    assert len(alone) == 2 * len(SYSTEMS)
    for case in alone:
        expected, found = alone[case]["gradient"].double(), together[case]["gradient"].double()
        assert expected.norm() > 1e-4, case
        assert (found - expected).norm() / expected.norm() < 1e-5, case
        assert torch.cosine_similarity(found, expected, dim=0) > 1 - 1e-9, case
        # Means are over the rows of all ranks, and the worst residual is the worst of all.
        expected, found = alone[case]["figures"], together[case]["figures"]
        assert expected.keys() == found.keys(), case
        assert ("train/marginal_residual" in expected) == ("ot" in case.split(",")[0].split("_")), case
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=2e-5, abs=1e-7), (case, name)
    assert sorted(together["hybrid with bitext, 2"]["kinds"]) == ["bitext", "monolingual"]


def main(encoder: str, teacher: str, collection: str, run: str, devices: str, output: str) -> None:
    import pytorch_lightning as pl

    from clir_ot import CLIRDataModule, HybridBatchRanker, OTDistillation, TeacherRanker

    class Keep(pl.Callback):
        def __init__(self) -> None:
            self.kinds: list[str] = []

        def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, index: int) -> None:
            self.kinds.append(batch.kind)

        def on_before_optimizer_step(self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: Any) -> None:
            self.gradient = torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])

    found = {}
    for system in SYSTEMS:
        for accumulate in (1, 2):
            pl.seed_everything(0)
            options: dict[str, Any] = {"batch_size": 7}  # 4 rows and 3
            module: pl.LightningModule
            if system == "teacher":
                module, languages = TeacherRanker(encoder, dimensions=8, dropout=False), "en"
            elif system == "hybrid":
                module, languages = HybridBatchRanker(encoder, dimensions=8, dropout=False), "en,yo,sw"
                options["alpha"] = 0.0
            elif system == "hybrid with bitext":
                module, languages = HybridBatchRanker(encoder, dimensions=8, dropout=False), "en,yo"
                options |= {"bitext_rate": 0.5, "english_share": 0.4, "seed": 1}  # that draws a batch of each kind
            elif system == "fair":
                weights: dict[str, Any] = {
                    "chunk_rows": 2,
                    "language_block_weight": 0.5,
                    "language_correlation_weight": 0.5,
                }
                module = HybridBatchRanker(encoder, dimensions=8, dropout=False, scoring="dense", **weights)
                languages, options["alpha"] = "en,yo,sw", 0.0
                options |= {"hard_negatives": run, "negatives": 2}
            else:
                module, languages = OTDistillation(teacher, alignment=system), "yo"
                options |= {"bitext_rate": 1.0, "english_share": 0.4}
            with torch.no_grad():  # a student that is no longer its teacher, the same on every rank
                for parameter in module.encoder.parameters():
                    parameter += 0.01 * torch.randn_like(parameter)
            keep = Keep()
            several = {"devices": int(devices), "strategy": "ddp" if int(devices) > 1 else "auto"}
            steps: dict[str, Any] = {"max_steps": 1, "accumulate_grad_batches": accumulate}
            trainer = quiet_trainer(Path(output).parent, **several, **steps, callbacks=[keep])
            trainer.fit(module, CLIRDataModule(collection, languages, **options))
            figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
            found[f"{system}, {accumulate}"] = {"gradient": keep.gradient, "kinds": keep.kinds, "figures": figures}
    if trainer.is_global_zero:
        torch.save(found, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
