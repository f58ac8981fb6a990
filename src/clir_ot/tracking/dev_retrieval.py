"""Retrieval on the dev queries after every epoch, logged by language."""

from itertools import islice
from typing import Any

import pytorch_lightning as pl

from clir_ot.collections.collection import ENGLISH
from clir_ot.evaluation.torch_metric import RetrievalMeasures
from clir_ot.models.gather import from_all
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode, merge


class DevRetrieval(pl.Callback):
    """Search the English documents with the dev queries of every training language and of English.

    Logs `dev/<language>/<measure>`; does nothing without dev judgements. Every rank encodes
    its share of the documents and searches with its share of the queries; the figures are those of
    `RetrievalMeasures`, over the queries of all ranks and on all of them.

    Args:
        measures: as `clir_ot.evaluation.metrics.evaluate_run` writes them.
    """

    def __init__(self, measures: list[str] | None = None) -> None:
        self.measures = measures or ["MRR@10"]
        self._documents: TokenIndex | None = None

    def logs(self, trainer: pl.Trainer) -> list[str]:
        """Names of the figures."""
        return [f"dev/{language}/{measure}" for language in _languages(trainer) for measure in self.measures]

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        languages = _languages(trainer)
        if not languages:
            return
        collection = trainer.datamodule.collection  # type: ignore[attr-defined]
        documents = self._encoded_documents(trainer, pl_module, collection.documents())
        encoder = pl_module.query_encoder()
        for language in languages:
            queries, qrels = collection.judged("dev", language)
            metric = RetrievalMeasures(self.measures)
            if trainer.world_size > 1:
                # Where the ranks' communication takes place; not on the one device of a Mac, which has no float64.
                metric.to(pl_module.device)
            own = _share(queries, trainer)
            # There may be fewer queries than ranks, and fewer documents.
            run = search(encode(encoder, encoder.tokenizer.queries, own), documents) if own else {}
            metric.update(run, {query: qrels[query] for query in own})
            pl_module.log_dict({f"dev/{language}/{name}": value for name, value in metric.compute().items()})

    def _encoded_documents(self, trainer: pl.Trainer, module: Any, documents: dict[str, str]) -> TokenIndex:
        """Encoded anew each time where the document encoder is trained, once where it is the frozen teacher."""
        if self._documents is None or module.document_encoder is module.encoder:
            encoder = module.document_encoder
            own = _share(documents, trainer)
            index = encode(encoder, encoder.tokenizer.documents, own) if own else None
            self._documents = merge([part for part in from_all(index) if part])
        return self._documents


def _languages(trainer: pl.Trainer) -> list[str]:
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    wanted = dict.fromkeys([ENGLISH, *data.languages])
    return [language for language in wanted if data.collection.is_judged("dev", language)]


def _share(texts: dict[str, str], trainer: pl.Trainer) -> dict[str, str]:
    """This rank's."""
    return dict(islice(texts.items(), trainer.global_rank, None, trainer.world_size))
