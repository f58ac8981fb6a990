"""Retrieval on the dev queries after every epoch, logged by language."""

from itertools import islice
from math import fsum
from typing import Any

import pytorch_lightning as pl

from clir_ot.collections.collection import ENGLISH
from clir_ot.evaluation.metrics import evaluate_run
from clir_ot.models.gather import from_all
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode, merge


class DevRetrieval(pl.Callback):
    """Search the English documents with the dev queries of every training language and of English.

    Logs `dev/<language>/<measure>`; does nothing without dev judgements. Every rank encodes
    its share of the documents and searches with its share of the queries; all know the result.

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
        found: dict[str, dict[str, dict[str, float]]] = {}
        for language in languages:
            queries, qrels = collection.judged("dev", language)
            if own := _share(queries, trainer):
                run = search(encode(encoder, encoder.tokenizer.queries, own), documents)
                found[language] = evaluate_run(run, {query: qrels[query] for query in own}, self.measures)
        pl_module.log_dict(_means(from_all(found), languages, self.measures))

    def _encoded_documents(self, trainer: pl.Trainer, module: Any, documents: dict[str, str]) -> TokenIndex:
        """Encoded anew each time where the document encoder is trained, once where it is the frozen teacher."""
        if self._documents is None or module.document_encoder is module.encoder:
            encoder = module.document_encoder
            own = _share(documents, trainer)
            # There may be fewer documents than ranks.
            index = encode(encoder, encoder.tokenizer.documents, own) if own else None
            self._documents = merge([part for part in from_all(index) if part])
        return self._documents


def _languages(trainer: pl.Trainer) -> list[str]:
    data: Any = trainer.datamodule  # type: ignore[attr-defined]
    wanted = dict.fromkeys([ENGLISH, *data.languages])
    return [language for language in wanted if data.collection.is_judged("dev", language)]


def _means(
    ranks: list[dict[str, dict[str, dict[str, float]]]], languages: list[str], measures: list[str]
) -> dict[str, float]:
    """Over the queries of all ranks, from `{language: {measure: {query: value}}}` of each; the same for any number."""
    means = {}
    for language in languages:
        for measure in measures:
            values = [value for rank in ranks if language in rank for value in rank[language][measure].values()]
            means[f"dev/{language}/{measure}"] = fsum(values) / len(values)
    return means


def _share(texts: dict[str, str], trainer: pl.Trainer) -> dict[str, str]:
    """This rank's."""
    return dict(islice(texts.items(), trainer.global_rank, None, trainer.world_size))
