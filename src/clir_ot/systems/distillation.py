"""Optimal-transport distillation of a foreign-language query encoder from bitext alone (OPTICAL, section 3.2)."""

import copy
from typing import Literal

import torch

from clir_ot.collections.collection import ENGLISH
from clir_ot.data.batches import BitextBatch, Tokens
from clir_ot.errors import UserError
from clir_ot.models.anchors import anchor_cost
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.transport import Solver, TransportResult, solve_transport, token_cost
from clir_ot.systems.ranker import Ranker

Marginals = Literal["uniform", "content"]


class OTDistillation(Ranker):
    """Teach the student's token vectors of a sentence to be those of its English translation, moved by transport.

    Teacher (frozen): English x -> H (N, D). Student (a copy of it at the start): foreign y -> G (M, D). With
    C_ij = 1 - cos(H_i, G_j) and the entropic coupling P*, the loss is <stopgrad(P*), C>, averaged over pairs; for a row
    whose foreign side is its English side, P* is the identity. Only the query side is trained: documents keep the
    teacher's encoder and its index. Consumes `BitextBatch`.

    Args:
        teacher: folder of a trained teacher's encoder.
        marginals: `uniform` over all tokens, as in the paper; `content`: uniform over the tokens of the text itself,
            while special and prefix tokens are matched one to one (`clir_ot.models.anchors`).
        anchor_weight: of that one-to-one term, against the transport cost's 1; for `content`.
        english_weight: of the rows that have English on both sides, against the others' 1.
        epsilon: weight of the entropy, in units of the cost.
        iterations: of the solver.
        solver: of the transport problem.
        dropout: as in `Ranker`. Without, an English sentence costs nothing at the start, so that the English rows of a
            batch hold English in place.
        interpolation: what share of the way from the teacher's weights to the trained student's the saved encoder lies
            (WiSE-FT, Wortsman et al. 2022). Below 1 it keeps more of the teacher on text unlike the bitext, English
            above all.
        learning_rate, weight_decay, warmup_share, freeze_word_embeddings, frozen_layers: as in `Ranker`.

    Raises:
        UserError: the teacher cannot be loaded; interpolation outside (0, 1].
    """

    def __init__(
        self,
        teacher: str,
        *,
        marginals: Marginals = "content",
        anchor_weight: float = 1.0,
        english_weight: float = 5.0,
        epsilon: float | None = None,
        iterations: int | None = None,
        solver: Solver = "sinkhorn",
        dropout: bool = False,
        interpolation: float = 0.5,
        learning_rate: float = 4e-4,
        weight_decay: float = 1e-2,
        warmup_share: float = 0.1,
        freeze_word_embeddings: bool = True,
        frozen_layers: int = 0,
    ) -> None:
        if not 0 < interpolation <= 1:
            raise UserError(f"model.interpolation is {interpolation}; it must be above 0 and at most 1")
        frozen = TokenEncoder.from_pretrained(teacher)
        student = copy.deepcopy(frozen)
        super().__init__(
            student, freeze_word_embeddings, frozen_layers, dropout, learning_rate, weight_decay, warmup_share
        )
        self.save_hyperparameters()
        self.teacher = frozen.eval().requires_grad_(False)
        self.marginals, self.anchor_weight = marginals, anchor_weight
        self.epsilon, self.iterations, self.solver = epsilon, iterations, solver
        self.english_weight, self.interpolation = english_weight, interpolation

    @property
    def document_encoder(self) -> TokenEncoder:
        """The teacher: one English index serves it and every student."""
        return self.teacher

    def query_encoder(self) -> TokenEncoder:
        """The student, `interpolation` of the way from the teacher's weights to the trained ones; a copy."""
        between = copy.deepcopy(self.encoder)
        with torch.no_grad():
            for weights, origin in zip(between.parameters(), self.teacher.parameters(), strict=True):
                weights.lerp_(origin, 1 - self.interpolation)
        return between

    def training_step(self, batch: BitextBatch, batch_idx: int) -> torch.Tensor:
        """Mean over pairs of the transport cost, plus the anchors'."""
        sides = batch.english, batch.foreign
        teacher, student = self._encode(*sides)  # (B, N, D), (B, M, D)
        result = self._solve(teacher, student, *sides)
        masks = self._transported(*sides)
        same = torch.tensor([language == ENGLISH for language in batch.languages], device=self.device)  # (B,)
        # A sentence beside itself needs no transport, whose entropy would pull its tokens towards each other.
        itself = anchor_cost(teacher[same], student[same], masks[0][same], masks[1][same])
        cost = result.value.masked_scatter(same, itself)
        values = {
            "transport": _mean(result.value[~same]),
            "english": _mean(itself),
            "marginal_residual": result.residual_b.max(),
        }
        if self.marginals == "content":
            anchors = [side.mask & ~side.content for side in sides]
            anchored = anchor_cost(teacher, student, *anchors)
            cost = cost + self.anchor_weight * anchored
            values["anchors"] = _mean(anchored)
        loss = torch.where(same, self.english_weight * cost, cost).mean()
        self.log_step({"loss": loss, **values}, rows=len(cost))
        return loss

    def transport(self, english: Tokens, foreign: Tokens) -> TransportResult:
        """Couplings of the teacher's English tokens (B, N) with the student's foreign ones (B, M)."""
        return self._solve(*self._encode(english, foreign), english, foreign)

    def _encode(self, english: Tokens, foreign: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            teacher = self.teacher(english)
        return teacher, self.encoder(foreign)

    def _solve(self, teacher: torch.Tensor, student: torch.Tensor, english: Tokens, foreign: Tokens) -> TransportResult:
        masks = self._transported(english, foreign)
        return solve_transport(
            token_cost(teacher, student, *masks),
            *masks,
            epsilon=self.epsilon,
            iterations=self.iterations,
            solver=self.solver,
        )

    def _transported(self, english: Tokens, foreign: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
        """Masks of the tokens that have a marginal, (B, N) and (B, M)."""
        if self.marginals == "content":
            return english.content, foreign.content
        return english.mask, foreign.mask


def _mean(values: torch.Tensor) -> torch.Tensor:
    """For the log: 0 where the batch has no such pair."""
    return values.detach().sum() / max(1, len(values))
