"""The contrastive systems: the English teacher ranker and the hybrid-batch ranker. They differ in their data."""

import torch

from clir_ot.collections.cache import locate
from clir_ot.data.batches import BitextBatch, RankingBatch
from clir_ot.errors import UserError, require
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.gather import with_others
from clir_ot.models.language_bias import language_block_divergence, language_correlation
from clir_ot.models.layout import Scoring
from clir_ot.models.losses import info_nce, mean_vector
from clir_ot.models.maxsim import maxsim
from clir_ot.systems.ranker import Ranker


class HybridBatchRanker(Ranker):
    """One encoder for queries and documents of all languages, InfoNCE over MaxSim (Elmahdy, Lin & Ahmad 2024).

    The paper's mix of monolingual and cross-lingual batches is the DataModule's `alpha`. Negatives are the other rows
    of the batch, on all devices. Consumes `RankingBatch`, and `BitextBatch` as rankings of English sentences.

    Args:
        encoder: folder or hub name of a Hugging Face encoder, or `starter`.
        dimensions: of a token vector.
        query_prefix, document_prefix: put before each text.
        query_length, document_length: longest sequence in tokens; what is longer is cut.
        scoring: `late` interaction (MaxSim over token vectors) or `dense` (one vector a text, as in the paper).
        temperature: of InfoNCE.
        language_block_weight: of the divergence of scores from equality between document languages in a batch, see
            `language_block_divergence`; 0 is off. Needs batches with documents of several languages: alpha below 1, or
            mode X-X.
        language_correlation_weight: of the correlation between vectors and languages, see `language_correlation`; 0 is
            off. Likewise.
        chunk_rows: encode that many texts at a time, for large batches in little memory; None is all at once. The same
            gradient for about a third more time.
        learning_rate, weight_decay, warmup_share, freeze_word_embeddings, frozen_layers, dropout, compiled: as in
            `Ranker`.

    Raises:
        UserError: the encoder cannot be loaded, or was saved with another scoring, size, prefix or length; a
            temperature that is not above 0, or a weight below 0, or above it where no batch has several languages.
    """

    def __init__(
        self,
        encoder: str,
        *,
        dimensions: int = 128,
        query_prefix: str = "",
        document_prefix: str = "",
        query_length: int = 64,
        document_length: int = 256,
        scoring: Scoring = "late",
        temperature: float = 0.02,
        language_block_weight: float = 0.0,
        language_correlation_weight: float = 0.0,
        chunk_rows: int | None = None,
        learning_rate: float = 3e-5,
        weight_decay: float = 1e-2,
        warmup_share: float = 0.1,
        freeze_word_embeddings: bool = False,
        frozen_layers: int = 0,
        dropout: bool = True,
        compiled: bool = False,
    ) -> None:
        require("model.temperature", temperature, above=0)
        require("model.language_block_weight", language_block_weight, least=0)
        require("model.language_correlation_weight", language_correlation_weight, least=0)
        require("model.chunk_rows", chunk_rows, least=1, hint=", or null for all at once")
        require("model.dimensions", dimensions, least=1, most=65_536)
        loaded = TokenEncoder.from_pretrained(
            locate(encoder, "encoder"),
            dimensions=dimensions,
            query_prefix=query_prefix,
            document_prefix=document_prefix,
            query_length=query_length,
            document_length=document_length,
            scoring=scoring,
        )
        asked = {
            "scoring": scoring, "dimensions": dimensions, "query_prefix": query_prefix,
            "document_prefix": document_prefix, "query_length": query_length, "document_length": document_length,
        }  # fmt: skip
        own = loaded.settings  # a saved encoder reads texts as it was trained to
        for option, value in asked.items():
            if own[option] != value:
                raise UserError(
                    f"{encoder}: was trained with {option} {own[option]!r}; set model.{option} to it, not {value!r}"
                )
        super().__init__(
            loaded, freeze_word_embeddings, frozen_layers, dropout, learning_rate, weight_decay, warmup_share, compiled
        )
        self.save_hyperparameters()
        self.temperature = temperature
        self.chunk_rows = chunk_rows
        self.language_block_weight, self.language_correlation_weight = (
            language_block_weight,
            language_correlation_weight,
        )

    def setup(self, stage: str) -> None:
        """See that the data has what the losses are about.

        Raises:
            UserError: a loss that would always be 0.
        """
        data = getattr(self.trainer, "datamodule", None)
        if stage != "fit" or data is None:
            return
        if data.batch_size < 2 and not data.negatives:
            raise UserError(
                "data.batch_size is 1: a query has nothing to be told apart from; take 2 or more, or set data.negatives"
            )
        if data.mixes_documents:
            return
        # A bitext batch has two languages, but one of documents.
        correlation = 0.0 if data.bitext_rate else self.language_correlation_weight
        for name, weight in (("block", self.language_block_weight), ("correlation", correlation)):
            if weight:
                raise UserError(
                    f"model.language_{name}_weight is {weight}, but no batch has documents of several languages; set "
                    "it to 0, or give several data.languages and data.alpha below 1"
                )

    def training_step(self, batch: RankingBatch | BitextBatch, batch_idx: int) -> torch.Tensor:
        """InfoNCE of every query against the documents of its batch, those on other devices too."""
        batch = batch.as_ranking()
        queries, query_mask = self.encoder.vectors(batch.queries, self.chunk_rows)  # (B, N, D), or (B, 1, D) if dense
        own, own_mask = self.encoder.vectors(batch.documents, self.chunk_rows)
        documents, document_mask = with_others(own, own_mask)  # (S, N, D)
        scores = maxsim(queries, documents, query_mask, document_mask)  # (B, S)
        part = self.part(len(batch.queries.input_ids), len(batch.pairs))
        info = part * info_nce(scores, batch.relevant, self.temperature)
        loss, values = info, {}
        if self.language_block_weight:
            languages = _numbers(batch.document_languages, scores.device)
            values["language_block"] = part * language_block_divergence(scores, languages, self.temperature)
            loss = loss + self.language_block_weight * values["language_block"]
        if self.language_correlation_weight:
            texts = torch.cat(
                [mean_vector(documents, document_mask), mean_vector(*with_others(queries, query_mask))]
            )  # (2 S, D)
            languages = _numbers([*batch.document_languages, *(query for query, _ in batch.pairs)], scores.device)
            values["language_correlation"] = language_correlation(texts, languages)
            loss = loss + self.language_correlation_weight * values["language_correlation"]
        with torch.no_grad():
            accuracy = part * batch.relevant.gather(1, scores.argmax(dim=1, keepdim=True)).float().mean()
        values = {name: value.detach() for name, value in {"info_nce": info, **values}.items()} if values else {}
        self.log_step({"loss": loss, "in_batch_accuracy": accuracy, **values}, rows=len(scores))
        return loss


class TeacherRanker(HybridBatchRanker):
    """The English teacher: the same ranker on English queries and documents only (OPTICAL, section 3.1)."""


def _numbers(languages: list[str], device: torch.device) -> torch.Tensor:
    """A number for each language, the same on every rank."""
    known = sorted(set(languages))
    return torch.tensor([known.index(language) for language in languages], device=device)
