"""What a student's sentence is aligned with its teacher's by: transport, its rivals, and their sums.

B pairs, S English sentences of the batch, N teacher tokens, M student tokens, D dimensions.
"""

import math
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Literal

import torch

from clir_ot.data.batches import Tokens
from clir_ot.errors import UserError, require
from clir_ot.models.alignments import anchor_plan, greedy_plan, nearest_plan, uniform_plan
from clir_ot.models.losses import PAIR_LOSSES, info_nce, score_divergence
from clir_ot.models.maxsim import maxsim
from clir_ot.models.transport import (
    Cost,
    SolverOptions,
    TransportResult,
    marginal,
    solver_settings,
    token_cost,
    transport_values,
)
from clir_ot.models.transport_scores import transport_costs

Marginals = Literal["uniform", "content", "idf"]
Idf = tuple[torch.Tensor, torch.Tensor]
"""Inverse document frequencies by piece, of the English and of the foreign side, (vocabulary,) each."""

RESIDUAL = "marginal_residual"
"""Beside the terms in what an alignment returns: the worst of all pairs, the only figure that is no mean over them."""

TERMS = {
    "ot": "optimal-transport distillation",
    "ot_contrastive": "contrast over transport costs",
    "uniform": "distillation over uniform plans",
    "nearest": "distillation by nearest tokens",
    "greedy": "distillation by greedy alignment",
    **{name: f"distillation by {name}" for name in PAIR_LOSSES},
    "mse": "distillation of mean vectors",
    "contrastive": "MaxSim contrast over bitext",
    "scores": "score distillation",
}
"""What a student is taught by, as tables and cards call it."""
_WITH_SOLVER = {"ot", "ot_contrastive"}
_WITH_MARGINALS = {"ot", "ot_contrastive", "uniform", "nearest", "greedy"}
_WITH_COST = _WITH_SOLVER | _WITH_MARGINALS
_TEMPERATURES = {"ot_contrastive": 0.1, "contrastive": 0.05, "scores": 0.05}


@dataclass(frozen=True)
class AlignmentOptions:
    """Settings of `Alignment`; None where not said. Each is refused where no term of the alignment reads it.

    Attributes:
        marginals: which tokens have mass in a plan. `content` (the default): the text's own tokens, equally, while
            special and prefix tokens are matched one to one. `uniform`: all tokens, as in the paper. `idf`: as
            `content`, by inverse document frequency over the bitext: for languages whose frequent function words have
            no counterpart.
        anchor_weight: of the special and prefix tokens' term, against a plan's 1; default 1.
        temperature: of contrastive terms and `scores`; default 0.1 for `ot_contrastive`, 0.05 for the others.
        debiased: of `ot`, see `transport_loss`; default false.
        solver: of `ot` and `ot_contrastive`, see `SolverOptions`.
    """

    marginals: Marginals | None
    anchor_weight: float | None
    temperature: float | None
    debiased: bool | None
    solver: SolverOptions


@dataclass(frozen=True)
class Contrast:
    """English sentences that a student's sentence is compared with: the pairs' own first, row by row.

    Attributes:
        vectors: (S, N, D), the teacher's.
        mask, content: (S, N) bool, as in `Tokens`.
        repeated: (B, S) bool, True where a sentence is the text of a pair's own.
        idf: (S, N), inverse document frequencies of the pieces; for marginals `idf`.
    """

    vectors: torch.Tensor
    mask: torch.Tensor
    content: torch.Tensor
    repeated: torch.Tensor
    idf: torch.Tensor | None


class Alignment:
    """The terms of a formula such as `ot`, `mse` or `ot+0.1*contrastive`, over the pairs of a batch.

    - `ot`: <stopgrad(P*), C> with the transport plan P* (OPTICAL, eq. 6-7)
    - `ot_contrastive`: InfoNCE over -<stopgrad(P*), C> of the student's sentence with the batch's English sentences
    - `uniform`, `nearest`, `greedy`: <stopgrad(P), C> with other plans P, see `clir_ot.models.alignments`
    - `mse`: squared distance of the mean token vectors (Reimers & Gurevych 2020); others like it would be in
      `clir_ot.models.losses.PAIR_LOSSES`
    - `contrastive`: InfoNCE over MaxSim of the student's sentence with the batch's English sentences
    - `scores`: KL divergence between MaxSim scores over these, the teacher's of x and the student's of y
    - `none`: nothing

    Raises:
        UserError: a formula that cannot be read; an option that no term reads, or out of range.
    """

    def __init__(self, formula: str, cost: Cost, options: AlignmentOptions) -> None:
        self.weights = _parse(formula)
        self.cost: Cost = cost
        _refuse_unread(formula, self.weights.keys(), options)
        self.marginals: Marginals = options.marginals or "content"
        self.anchor_weight = 1.0 if options.anchor_weight is None else options.anchor_weight
        if self.marginals == "uniform" and options.anchor_weight is not None:
            raise UserError("model.anchor_weight is set, but marginals uniform match no anchors; leave it null")
        require("model.anchor_weight", options.anchor_weight, least=0)
        self.temperatures = dict(_TEMPERATURES)
        if options.temperature is not None:
            require("model.temperature", options.temperature, above=0)
            self.temperatures = dict.fromkeys(_TEMPERATURES, options.temperature)
        self.debiased = bool(options.debiased)
        self.solver = options.solver
        try:
            solver_settings(**self.solver)
        except ValueError as error:
            raise UserError(f"model: {error}") from error

    def __call__(
        self,
        teacher: torch.Tensor,
        student: torch.Tensor,
        english: Tokens,
        foreign: Tokens,
        contrast: Contrast,
        idf: Idf | None,
    ) -> dict[str, torch.Tensor]:
        """Every term's mean over the pairs, unweighted; with transport also the worst marginal residual.

        Args:
            teacher: (B, N, D), of `english`.
            student: (B, M, D), of `foreign`.
            contrast: the English sentences of the whole batch.
            idf: for marginals `idf`.

        Raises:
            ValueError: see `solve_transport`.
        """
        losses: dict[str, torch.Tensor] = {}
        if self.weights.keys() & _WITH_MARGINALS:
            losses |= self._plan_terms(teacher, student, english, foreign, idf)
        for name, loss in PAIR_LOSSES.items():
            if name in self.weights:
                losses[name] = loss(teacher, student, english.mask, foreign.mask).mean()
        if "ot_contrastive" in self.weights:
            options: SolverOptions = {**self.solver}
            if self.marginals == "idf" and idf:
                options["weights_a"], options["weights_b"] = contrast.idf, idf[1][foreign.input_ids]
            masks = contrast.mask if self.marginals == "uniform" else contrast.content, self._massive(foreign)
            costs, residuals = transport_costs(contrast.vectors, student, *masks, cost=self.cost, **options)  # (B, S)
            losses[RESIDUAL] = torch.maximum(residuals.max(), losses.get(RESIDUAL, residuals.new_zeros(())))
            losses["ot_contrastive"] = info_nce(-costs, contrast.repeated, self.temperatures["ot_contrastive"])
        if self.weights.keys() & {"contrastive", "scores"}:
            scores = maxsim(student, contrast.vectors, foreign.mask, contrast.mask)  # (B, S)
            if "contrastive" in self.weights:
                losses["contrastive"] = info_nce(scores, contrast.repeated, self.temperatures["contrastive"])
            if "scores" in self.weights:
                wanted = maxsim(teacher, contrast.vectors, english.mask, contrast.mask)
                losses["scores"] = score_divergence(wanted, scores, self.temperatures["scores"])
        return losses

    @property
    def contrasts(self) -> bool:
        """Whether a term compares a sentence with those of other pairs."""
        return bool(self.weights.keys() & _TEMPERATURES.keys())

    @property
    def names(self) -> list[str]:
        """Of what `__call__` returns, without the residual."""
        names = list(self.weights)
        if self._anchors:
            names.append("anchors")
        return names

    @property
    def solves(self) -> bool:
        """Whether a term is of transport plans, so that there is a residual."""
        return bool(self.weights.keys() & _WITH_SOLVER)

    @property
    def reads_cost(self) -> bool:
        """Whether a term is of costs between tokens."""
        return bool(self.weights.keys() & _WITH_COST)

    @property
    def _anchors(self) -> bool:
        return bool(self.weights.keys() & _WITH_MARGINALS and self.marginals != "uniform" and self.anchor_weight)

    def total(self, losses: Mapping[str, torch.Tensor]) -> torch.Tensor | float:
        """The formula's value from its terms' and the anchors'."""
        anchors = self.anchor_weight * sum(w for name, w in self.weights.items() if name in _WITH_MARGINALS)
        weights = {**self.weights, "anchors": anchors}
        return sum(weights[name] * loss for name, loss in losses.items() if name in weights)

    def transport(
        self, teacher: torch.Tensor, student: torch.Tensor, english: Tokens, foreign: Tokens, idf: Idf | None
    ) -> tuple[torch.Tensor, TransportResult]:
        """Transport cost of each pair, (B,), and its couplings; with the default options where no term solves it."""
        masks = self._massive(english), self._massive(foreign)
        options = self._solver_options(english, foreign, idf)
        return transport_values(teacher, student, *masks, cost=self.cost, debiased=self.debiased, **options)

    def _plan_terms(
        self, teacher: torch.Tensor, student: torch.Tensor, english: Tokens, foreign: Tokens, idf: Idf | None
    ) -> dict[str, torch.Tensor]:
        losses: dict[str, torch.Tensor] = {}
        cost = token_cost(teacher, student, english.mask, foreign.mask, self.cost)  # (B, N, M)
        mask_a, mask_b = self._massive(english), self._massive(foreign)
        if "ot" in self.weights:
            values, result = self.transport(teacher, student, english, foreign, idf)
            losses |= {"ot": values.mean(), RESIDUAL: result.residual_b.max()}
        options = self._solver_options(english, foreign, idf)
        mu, nu = marginal(mask_a, options.get("weights_a"), cost), marginal(mask_b, options.get("weights_b"), cost)
        if "uniform" in self.weights:
            losses["uniform"] = _value(uniform_plan(mu, nu), cost)
        if "nearest" in self.weights:
            losses["nearest"] = _value(nearest_plan(cost, mask_a, nu), cost)
        if "greedy" in self.weights:
            losses["greedy"] = _value(greedy_plan(cost, mask_a, mask_b), cost)
        if self._anchors:
            anchors = anchor_plan(english.mask & ~english.content, foreign.mask & ~foreign.content)
            losses["anchors"] = _value(anchors, cost)
        return losses

    def _massive(self, tokens: Tokens) -> torch.Tensor:
        """(B, N) bool, True on tokens that have mass in a plan."""
        return tokens.mask if self.marginals == "uniform" else tokens.content

    def _solver_options(self, english: Tokens, foreign: Tokens, idf: Idf | None) -> SolverOptions:
        options: SolverOptions = {**self.solver}
        if self.marginals == "idf" and idf:
            options["weights_a"], options["weights_b"] = idf[0][english.input_ids], idf[1][foreign.input_ids]
        return options


def method_title(formula: str, marginals: str | None = None) -> str:
    """What a formula does, in words: `contrast over transport costs`; the published method is called by its name."""
    terms = _parse(formula)
    if terms.keys() == {"ot"} and marginals == "uniform":
        return "optimal-transport distillation over all tokens (OPTICAL)"
    return " + ".join(TERMS[name] for name in terms) or "English rows alone"


def _parse(formula: str) -> dict[str, float]:
    """`ot+0.1*contrastive` -> {"ot": 1.0, "contrastive": 0.1}; `none` -> {}."""
    weights: dict[str, float] = {}
    if formula.strip() == "none":
        return weights
    for part in formula.split("+"):
        match = re.fullmatch(r"(?:([0-9.]+)\s*\*\s*)?(\w+)", part.strip())
        try:
            name, weight = (match[2], float(match[1] or 1)) if match else ("", math.nan)
        except ValueError:
            name, weight = "", math.nan
        if name not in TERMS or not 0 < weight < math.inf or name in weights:
            raise UserError(
                f"model.alignment is {formula!r}; expected none, or a sum of terms such as ot+0.1*contrastive, each of "
                f"them once, of: {', '.join(TERMS)}"
            )
        weights[name] = weight
    return weights


def _refuse_unread(formula: str, terms: Set[str], options: AlignmentOptions) -> None:
    for name, value, readers in (
        ("marginals", options.marginals, _WITH_MARGINALS),
        ("anchor_weight", options.anchor_weight, _WITH_MARGINALS),
        ("temperature", options.temperature, _TEMPERATURES.keys()),
        ("debiased", options.debiased, {"ot"}),
        *((name, value, _WITH_SOLVER) for name, value in options.solver.items()),
    ):
        if value is not None and not terms & readers:
            raise UserError(f"model.{name} is {value}, but no term of alignment {formula} reads it; leave it null")


def _value(plan: torch.Tensor, cost: torch.Tensor) -> torch.Tensor:
    """Mean over pairs of <P, C>."""
    return (plan * cost).sum(dim=(1, 2)).mean()
