"""Retrieval on the dev queries after every epoch, logged by language."""

import time
from typing import Any

import pytorch_lightning as pl

from clir_ot.collections.collection import ENGLISH
from clir_ot.evaluation.metrics import evaluate_run, mean
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.tracking.progress import say


class DevRetrieval(pl.Callback):
    """Search the English documents with the dev queries of every training language and of English.

    Logs `dev/<language>/<measure>` and says one line an epoch; does nothing without dev judgements. Rank 0 does it; the
    others wait at the next step.

    Args:
        measures: as `clir_ot.evaluation.metrics.evaluate_run` writes them.
    """

    def __init__(self, measures: list[str] | None = None) -> None:
        self.measures = measures or ["MRR@10"]
        self._documents: TokenIndex | None = None
        self._start = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._start = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        collection = trainer.datamodule.collection  # type: ignore[attr-defined]
        wanted = [ENGLISH, *(name for name in trainer.datamodule.languages if name != ENGLISH)]  # type: ignore[attr-defined]
        languages = [language for language in wanted if collection.is_judged("dev", language)]
        if not languages or not trainer.is_global_zero:
            return
        documents = self._encoded_documents(pl_module, collection.documents())
        encoder, values = pl_module.query_encoder(), {}
        for language in languages:
            queries, qrels = collection.judged("dev", language)
            run = search(encode(encoder, encoder.tokenizer.queries, queries), documents)
            for measure, by_query in evaluate_run(run, qrels, self.measures).items():
                values[f"dev/{language}/{measure}"] = mean(by_query)
        pl_module.log_dict(values, rank_zero_only=True)
        loss = trainer.callback_metrics.get("train/loss")
        say(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  "
            f"{time.monotonic() - self._start:.0f} s  "
            + (f"loss {loss:.3f}  " if loss is not None else "")
            + "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        )

    def _encoded_documents(self, module: Any, documents: dict[str, str]) -> TokenIndex:
        """Encoded anew each time where the document encoder is trained, once where it is the frozen teacher."""
        if self._documents is None or module.document_encoder is module.encoder:
            encoder = module.document_encoder
            self._documents = encode(encoder, encoder.tokenizer.documents, documents)
        return self._documents
