"""How fast training goes: pairs and tokens a second, and what share of the tokens is padding."""

import time
from typing import Any

import pytorch_lightning as pl

from clir_ot.data.batches import Tokens, token_sides


class Throughput(pl.Callback):
    """Log `speed/pairs_per_second`, `speed/tokens_per_second` (real tokens) and `speed/padding_share`, of this process.

    Lightning's ThroughputMonitor counts items and lengths but no padding; this counts the `Tokens` of a batch,
    whatever its kind.
    """

    def __init__(self) -> None:
        self._start = time.monotonic()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._start = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if (batch_idx + 1) % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        seconds = time.monotonic() - self._start
        sides = token_sides(batch)
        tokens, places = (sum(int(n(s)) for s in sides) for n in (_real, _padded))
        values = {
            "pairs_per_second": len(sides[0].input_ids) / seconds,
            "tokens_per_second": tokens / seconds,
            "padding_share": 1 - tokens / places,
        }
        pl_module.log_dict({f"speed/{name}": float(value) for name, value in values.items()})


def _real(tokens: Tokens) -> int:
    return sum(tokens.lengths)


def _padded(tokens: Tokens) -> int:
    """As the encoder reads them, in groups."""
    return sum(len(rows) * tokens.lengths[rows[0]] for rows in tokens.groups())
