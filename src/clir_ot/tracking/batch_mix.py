"""What was really drawn: kinds of batches, and rows by language pair."""

from collections import Counter
from typing import Any

import pytorch_lightning as pl


class BatchMix(pl.Callback):
    """Log the shares of this epoch's batches and rows, at its end.

    `drawn/monolingual`, `drawn/multilingual`, `drawn/cross-lingual` and `drawn/bitext` are shares of batches;
    `drawn/<query language>-<document language>` are shares of rows, those of bitext being of the foreign and the
    English side. A batch knows the languages of all ranks' rows, so that the figures are the same for any number of
    ranks.
    """

    def __init__(self) -> None:
        self._batches: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._batches[batch.kind] += 1
        self._rows.update(f"{query}-{document}" for query, document in batch.pairs)

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
