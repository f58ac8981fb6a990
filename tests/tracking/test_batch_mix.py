"""The logged mix is that of the rows which the sampler draws."""

from collections import Counter
from pathlib import Path

import pytest
import pytorch_lightning as pl

from clir_ot import CLIRDataModule, HybridBatchRanker
from clir_ot.tracking.batch_mix import BatchMix


def test_hard_negatives_are_not_counted_as_rows(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run.trec"
    run.write_text("".join(f"d{q}.0 Q0 d{q + k} {k} {9 - k} x\n" for q in (0, 4, 8, 12) for k in (1, 2, 4)))
    data = CLIRDataModule(
        collection_folder, "en,yo,sw", alpha=0.5, batch_size=6, hard_negatives=str(run), negatives=2
    )  # fmt: skip
    trainer = pl.Trainer(
        default_root_dir=tmp_path, accelerator="cpu", logger=False, enable_progress_bar=False, max_epochs=1,
        enable_model_summary=False, enable_checkpointing=False, use_distributed_sampler=False, callbacks=[BatchMix()],
    )  # fmt: skip
    module = HybridBatchRanker(str(encoder_folder), dimensions=8)
    trainer.fit(module, data)
    plans = list(data.sampler(module.tokenizer))
    rows = Counter(f"{row.query_language}-{row.document_language}" for plan in plans for row in plan.rows)
    expected = {f"drawn/{pair}": count / rows.total() for pair, count in rows.items()}
    mixed = [any(row.query_language != row.document_language for row in plan.rows) for plan in plans]
    expected["drawn/cross-lingual"] = sum(mixed) / len(plans)
    expected["drawn/monolingual"] = 1 - sum(mixed) / len(plans)
    found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("drawn/")}
    assert found == pytest.approx(expected, abs=1e-6)
