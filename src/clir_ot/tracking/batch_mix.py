"""What was really drawn: kinds of batches, and rows by language pair."""

from collections import Counter
from typing import Any

import pytorch_lightning as pl

from clir_ot.data.batches import BitextBatch, RankingBatch


class BatchMix(pl.Callback):
    """Log the shares of this epoch's batches and rows, at its end.

    `drawn/monolingual`, `drawn/cross-lingual` and `drawn/bitext` are shares of batches, which are the same on every
    rank; `drawn/<query language>-<document language>` are shares of rows, those of bitext being of the foreign and the
    English side, of this rank. A batch is cross-lingual if any of its rows is.
    """

    def __init__(self) -> None:
        self._batches: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        pairs = list(_language_pairs(batch))
        kind = "bitext" if type(batch) is BitextBatch else "monolingual"
        if kind == "monolingual" and any(a != b for a, b in pairs):
            kind = "cross-lingual"
        self._batches[kind] += 1
        self._rows.update(f"{a}-{b}" for a, b in pairs)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        shares = {
            f"drawn/{name}": count / counts.total()
            for counts in (self._batches, self._rows)
            for name, count in counts.items()
        }
        pl_module.log_dict(shares, rank_zero_only=True)
        self._batches.clear()
        self._rows.clear()

    def state_dict(self) -> dict[str, Any]:
        return {"batches": dict(self._batches), "rows": dict(self._rows)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._batches, self._rows = Counter(state["batches"]), Counter(state["rows"])


def _language_pairs(batch: RankingBatch | BitextBatch) -> list[tuple[str, str]]:
    if type(batch) is BitextBatch:
        return [(language, "en") for language in batch.languages]
    assert type(batch) is RankingBatch
    # The own rows come first; then, in either list, hard negatives and the rows of other ranks.
    return list(zip(batch.query_languages, batch.document_languages[: len(batch.ids)], strict=False))
