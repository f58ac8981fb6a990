"""Optimal-transport distillation of a foreign-language query encoder from bitext alone (OPTICAL, section 3.2)."""

import copy
from collections.abc import Mapping
from itertools import chain

import torch
from torch.nn.utils.rnn import pad_sequence

from clir_ot.data.batches import BitextBatch, Tokens
from clir_ot.errors import UserError, require
from clir_ot.models.alignments import anchor_plan
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.gather import from_all, with_others
from clir_ot.models.transport import Cost, Solver, SolverOptions, TransportResult, token_cost
from clir_ot.systems.alignment import RESIDUAL, Alignment, AlignmentOptions, Contrast, Marginals
from clir_ot.systems.ranker import Ranker


class OTDistillation(Ranker):
    """Teach the student's token vectors of a sentence to be those of its English translation, moved by transport.

    Teacher (frozen): English x -> H (N, D). Student (a copy of it at the start): foreign y -> G (M, D). With
    C_ij = 1 - cos(H_i, G_j) and the coupling P*, the loss is <stopgrad(P*), C>, averaged over pairs; for a row whose
    foreign side is its English side, P* is the identity. Only the query side is trained: documents keep the teacher's
    encoder and its index. Consumes `BitextBatch`.

    Args:
        teacher: folder of a trained teacher's encoder.
        alignment: what aligns the foreign rows: a term of `clir_ot.systems.alignment.Alignment`, or a sum such as
            `ot+0.1*contrastive`.
        marginals, anchor_weight, temperature, debiased: of the terms that read them, see `AlignmentOptions`; None is
            the default.
        solver, epsilon, iterations, tolerance, unbalanced: of term `ot`, see `clir_ot.models.transport.SolverOptions`.
        cost: between token vectors, `cosine` (as in the paper) or `sqeuclidean`.
        english_weight: of the rows that have English on both sides, against the others' 1.
        dropout: as in `Ranker`. Without, an English sentence costs nothing at the start, so that the English rows of a
            batch hold English in place.
        interpolation: what share of the way from the teacher's weights to the trained student's the saved encoder lies
            (WiSE-FT, Wortsman et al. 2022). Below 1 it keeps more of the teacher on text unlike the bitext, English
            above all.
        learning_rate, weight_decay, warmup_share, freeze_word_embeddings, frozen_layers, compiled: as in
            `Ranker`.

    Raises:
        UserError: the teacher cannot be loaded, or scores by one vector a text; interpolation outside (0, 1], or a
            weight below 0; an alignment that cannot be read, or an option that none of its terms reads.
    """

    def __init__(
        self,
        teacher: str,
        *,
        alignment: str = "ot",
        marginals: Marginals | None = None,
        anchor_weight: float | None = None,
        temperature: float | None = None,
        solver: Solver | None = None,
        epsilon: float | None = None,
        iterations: int | None = None,
        tolerance: float | None = None,
        unbalanced: float | None = None,
        debiased: bool | None = None,
        cost: Cost = "cosine",
        english_weight: float = 10.0,
        dropout: bool = False,
        interpolation: float = 0.5,
        learning_rate: float = 4e-4,
        weight_decay: float = 1e-2,
        warmup_share: float = 0.1,
        freeze_word_embeddings: bool = True,
        frozen_layers: int = 0,
        compiled: bool = False,
    ) -> None:
        if not 0 < interpolation <= 1:
            raise UserError(f"model.interpolation is {interpolation}; it must be above 0 and at most 1")
        require("model.english_weight", english_weight, least=0)
        options: SolverOptions = {
            "epsilon": epsilon, "iterations": iterations, "tolerance": tolerance, "unbalanced": unbalanced,
        }  # fmt: skip
        if solver:
            options["solver"] = solver
        aligned = Alignment(alignment, cost, AlignmentOptions(marginals, anchor_weight, temperature, debiased, options))
        frozen = TokenEncoder.from_pretrained(teacher)
        if frozen.scoring == "dense":
            raise UserError(
                f"{teacher}: was trained with scoring dense, but token vectors are what is distilled; train a teacher "
                "with model.scoring late"
            )
        student = copy.deepcopy(frozen)
        super().__init__(
            student, freeze_word_embeddings, frozen_layers, dropout, learning_rate, weight_decay, warmup_share, compiled
        )
        self.save_hyperparameters()
        self.teacher = frozen.eval().requires_grad_(False)
        self.alignment = aligned
        self.english_weight, self.interpolation = english_weight, interpolation
        self._idf: tuple[torch.Tensor, torch.Tensor] | None = None
        self._remembered: Mapping[str, torch.Tensor] | None = None

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

    def setup(self, stage: str) -> None:
        """See that the data is what a student can be taught by; before anything is encoded.

        Raises:
            UserError: some batches are not bitext; a cost that nothing reads; a loss that would always be 0.
        """
        data = getattr(self.trainer, "datamodule", None)
        if stage != "fit" or data is None:
            return
        if data.bitext_rate < 1:
            raise UserError(
                f"data.bitext_rate is {data.bitext_rate}, but a student is taught by bitext alone; set it to 1"
            )
        if self.alignment.contrasts and data.batch_size < 2:
            raise UserError(
                "data.batch_size is 1: a sentence has no other to be told apart from, as the alignment does; take 2 or "
                "more, or an alignment such as ot or mse"
            )
        if self.alignment.weights and data.english_share == 1:
            raise UserError("data.english_share is 1: no row has a foreign side for the alignment to read; lower it")
        if not self.alignment.weights and not (data.english_share and self.english_weight):
            raise UserError(
                "model.alignment is none: only rows with English on both sides are trained, and there are none; set "
                "data.english_share and model.english_weight above 0"
            )
        if self.alignment.cost != "cosine" and not self.alignment.reads_cost and not data.english_share:
            raise UserError(
                f"model.cost is {self.alignment.cost}, but nothing reads it: no term of the alignment, and "
                "data.english_share is 0; leave it cosine"
            )

    def on_fit_start(self) -> None:
        """Count pieces, where the marginals need it."""
        if self.alignment.marginals == "idf":
            english, foreign = self.trainer.datamodule.piece_idf(self.tokenizer)  # type: ignore[attr-defined]
            self._idf = english.to(self.device), foreign.to(self.device)

    def training_step(self, batch: BitextBatch, batch_idx: int) -> torch.Tensor:
        """Mean over pairs of the alignment's loss, and of the identity's cost in the English rows."""
        english, foreign = batch.english, batch.foreign
        teacher = self._teacher_vectors(batch)  # (B, N, D)
        student = self.encoder(foreign)  # (B, M, D)
        self._check(batch, _broken(teacher, english.mask) | _broken(student, foreign.mask))
        count = batch.own_foreign
        contrast = self._contrast(batch, teacher, count)
        # A rank without such pairs logs zeros: what is averaged over ranks must be there on all of them.
        losses = dict.fromkeys(self.alignment.names, student.new_zeros(()))
        residual = student.new_zeros(())
        if count:
            pairs = teacher[:count], student[:count], english[:count], foreign[:count]
            terms = self.alignment(*pairs, contrast, self._idf)
            residual = terms.pop(RESIDUAL, residual)
            part = self.part(count, batch.total_foreign)
            losses = {name: part * loss for name, loss in terms.items()}
        # A sentence beside itself needs no transport, whose entropy would pull its tokens towards each other.
        itself = 0.0 * student.sum()  # so that a batch without any term can still go backwards
        kept, total_kept = len(batch.ids) - count, batch.total - batch.total_foreign
        if kept:
            masks = english.mask[count:], foreign.mask[count:]
            cost = token_cost(teacher[count:], student[count:], *masks, self.alignment.cost)
            itself = self.part(kept, total_kept) * (anchor_plan(*masks) * cost).sum(dim=(1, 2)).mean()
        loss: torch.Tensor = (
            batch.total_foreign * self.alignment.total(losses) + self.english_weight * total_kept * itself
        ) / batch.total
        self.log_step({"loss": loss, "english": itself.detach(), **losses}, rows=len(batch.ids))
        if self.alignment.solves and self._trainer:
            # The worst pair's, whichever rank has it: no mean, and no part of one.
            self.log(f"train/{RESIDUAL}", residual, reduce_fx="max", sync_dist=True)
        return loss

    def _contrast(self, batch: BitextBatch, teacher: torch.Tensor, count: int) -> Contrast:
        """The English sentences of all ranks; every rank must call it, whatever its own rows are."""
        tokens = batch.english
        if not self.alignment.contrasts:
            return Contrast(teacher, tokens.mask, tokens.content, batch.repeated[:count], None)
        idf = self._idf[0][tokens.input_ids] if self._idf else torch.ones_like(tokens.mask)
        # Content and rarity travel as two more dimensions of the vectors.
        carried = torch.cat([teacher, tokens.content[..., None], idf[..., None]], dim=-1)
        vectors, mask = with_others(carried, tokens.mask)
        content = vectors[..., -2] > 0.5
        return Contrast(vectors[..., :-2], mask, content & mask, batch.repeated[:count], vectors[..., -1])

    def transport(self, english: Tokens, foreign: Tokens) -> TransportResult:
        """Couplings of the teacher's English tokens (B, N) with the student's foreign ones (B, M)."""
        with torch.no_grad():
            teacher = self.teacher(english)
        return self.alignment.transport(teacher, self.encoder(foreign), english, foreign, self._idf)[1]

    def remember(self, vectors: Mapping[str, torch.Tensor]) -> None:
        """Take the frozen teacher's vectors from here instead of encoding in every step.

        Args:
            vectors: `{id of a row: (n, D) float32}` of all English sentences that training sees, their n real tokens.
        """
        self._remembered = vectors

    def _teacher_vectors(self, batch: BitextBatch) -> torch.Tensor:
        """(B, N, D), zeros on padding."""
        if self._remembered is None:
            with torch.no_grad():
                vectors: torch.Tensor = self.teacher(batch.english)
            return vectors
        rows = [self._remembered[name] for name in batch.ids]
        if [len(row) for row in rows] != batch.english.lengths:
            raise UserError("the vectors kept of the teacher are of other sentences than those of the batch")
        padded: torch.Tensor = pad_sequence(rows, batch_first=True).to(self.device)
        return padded

    def _check(self, batch: BitextBatch, broken: torch.Tensor) -> None:
        """Name the first of the pairs that are broken, (B,) bool: its loss would spoil every weight.

        On all ranks or on none: one that stopped alone would leave the others waiting for its vectors.
        """
        found = bool(broken.any())
        if self._trainer:
            found = self._trainer.strategy.reduce_boolean_decision(found, all=False)
        if found:
            names = from_all([name for name, is_so in zip(batch.ids, broken.tolist(), strict=True) if is_so])
            raise self._diverged(f"token vectors of pair {next(chain(*names))} are not finite")


def _broken(vectors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """(B,) bool, True where a vector of a real token is not finite."""
    return ((~vectors.isfinite()).any(dim=-1) & mask).any(dim=1)
