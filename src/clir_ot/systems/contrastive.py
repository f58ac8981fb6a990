"""The contrastive systems: the English teacher ranker and the hybrid-batch ranker. They differ in their data."""

import torch

from clir_ot.collections.cache import locate
from clir_ot.data.batches import RankingBatch
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.gather import with_others
from clir_ot.models.losses import info_nce
from clir_ot.models.maxsim import maxsim
from clir_ot.systems.ranker import Ranker


class HybridBatchRanker(Ranker):
    """One encoder for queries and documents of all languages, InfoNCE over MaxSim (Elmahdy, Lin & Ahmad 2024).

    The paper's mix of monolingual and cross-lingual batches is the DataModule's `alpha`. Negatives are the other rows
    of the batch, on all devices. Consumes `RankingBatch`.

    Args:
        encoder: folder or hub name of a Hugging Face encoder, or `starter`.
        dimensions: of a token vector.
        query_prefix, document_prefix: put before each text.
        query_length, document_length: longest sequence in tokens; what is longer is cut.
        temperature: of InfoNCE.
        learning_rate, weight_decay, warmup_share, freeze_word_embeddings, frozen_layers, dropout: as in
            `Ranker`.

    Raises:
        UserError: the encoder cannot be loaded.
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
        temperature: float = 0.02,
        learning_rate: float = 3e-5,
        weight_decay: float = 1e-2,
        warmup_share: float = 0.1,
        freeze_word_embeddings: bool = False,
        frozen_layers: int = 0,
        dropout: bool = True,
    ) -> None:
        loaded = TokenEncoder.from_pretrained(
            locate(encoder, "encoder"),
            dimensions=dimensions,
            query_prefix=query_prefix,
            document_prefix=document_prefix,
            query_length=query_length,
            document_length=document_length,
        )
        super().__init__(
            loaded, freeze_word_embeddings, frozen_layers, dropout, learning_rate, weight_decay, warmup_share
        )
        self.save_hyperparameters()
        self.temperature = temperature

    def training_step(self, batch: RankingBatch, batch_idx: int) -> torch.Tensor:
        """InfoNCE of every query against the documents of its batch, those on other devices too."""
        queries, documents = self.encoder(batch.queries), self.encoder(batch.documents)  # (B, N, D)
        documents, mask = with_others(documents, batch.documents.mask)  # (S, N, D)
        scores = maxsim(queries, documents, batch.queries.mask, mask)  # (B, S)
        part = self.part(*scores.shape)
        loss = part * info_nce(scores, batch.relevant, self.temperature)
        with torch.no_grad():
            accuracy = part * batch.relevant.gather(1, scores.argmax(dim=1, keepdim=True)).float().mean()
        self.log_step({"loss": loss, "in_batch_accuracy": accuracy}, rows=len(scores))
        return loss


class TeacherRanker(HybridBatchRanker):
    """The English teacher: the same ranker on English queries and documents only (OPTICAL, section 3.1)."""
