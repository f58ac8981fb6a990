"""The logged mix is that of the rows which the sampler draws."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from clir_ot import CLIRDataModule, HybridBatchRanker
from clir_ot.data.training_batches import TrainingBatches
from clir_ot.tracking.batch_mix import BatchMix
from tests.training import quiet_trainer


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.trec"
    path.write_text("".join(f"d{q}.0 Q0 d{q + k} {k} {9 - k} x\n" for q in (0, 4, 8, 12) for k in (1, 2, 4)))
    return path


@pytest.mark.parametrize(
    ("languages", "options", "kinds"),
    [
        ("en,yo,sw", {"alpha": 0.5, "negatives": 2}, {"monolingual", "cross-lingual"}),
        ("en,yo,sw", {"mode": "X-X"}, {"multilingual"}),
        ("en,yo", {"alpha": 0.5, "bitext_rate": 0.5}, {"monolingual", "cross-lingual", "bitext"}),
    ],
)
def test_what_is_logged_is_what_is_drawn(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, run: Path, languages: str, options: dict, kinds: set
) -> None:
    """Hard negatives are no rows."""
    hard = {"hard_negatives": str(run)} if "negatives" in options else {}
    data = CLIRDataModule(collection_folder, languages, batch_size=6, **options, **hard)
    trainer = quiet_trainer(tmp_path, max_epochs=1, callbacks=[BatchMix()])
    module = HybridBatchRanker(str(encoder_folder), dimensions=8)
    trainer.fit(module, data)
    plans = list(data.sampler(module.tokenizer))
    rows = Counter(f"{row.query_language}-{row.document_language}" for plan in plans for row in plan.rows)
    drawn = Counter(plan.kind for plan in plans)
    assert drawn.keys() == kinds
    expected = {f"drawn/{name}": n / counts.total() for counts in (rows, drawn) for name, n in counts.items()}
    found = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("drawn/")}
    assert found == pytest.approx(expected, abs=1e-6)


def test_every_rank_counts_the_rows_of_all(encoder_folder: Path, collection_folder: Path, run: Path) -> None:
    data = CLIRDataModule(
        collection_folder, "en,yo", alpha=0.5, bitext_rate=0.4, batch_size=7, hard_negatives=str(run), negatives=2
    )  # fmt: skip
    data.setup("fit")
    tokenizer = HybridBatchRanker(str(encoder_folder), dimensions=8).tokenizer
    batches = TrainingBatches(data.texts, tokenizer, None, 0, negatives=2)
    states = []
    for rank, ranks in ((0, 1), (0, 2), (1, 2)):
        mix: Any = BatchMix()
        for number, plan in enumerate(data.sampler(tokenizer, rank, ranks)):
            mix.on_train_batch_start(None, None, batches[plan], number)
        states.append(mix.state_dict())
    assert len(states[0]["rows"]) > 3
    assert states[1] == states[0]
    assert states[2] == states[0]
