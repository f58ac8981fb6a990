"""The measures of `evaluate_run` as a torchmetrics `Metric`, exact over any number of processes."""

import hashlib
from collections.abc import Iterable

import torch
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from clir_ot.collections.trec import Qrels, Run
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import DEFAULT_MEASURES, evaluate_run


class RetrievalMeasures(Metric):
    """Means over queries of trec_eval's measures, for rankings that come piece by piece and rank by rank.

    Other than torchmetrics' own retrieval metrics it counts documents with scores at or below 0 as retrieved, breaks
    ties as trec_eval does, and takes a query that two ranks have (a sampler that pads) once.

    Args:
        measures, judging: as `evaluate_run` takes them.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    rows: list[torch.Tensor]

    def __init__(self, measures: Iterable[str] = DEFAULT_MEASURES, judging: Judging = USUAL) -> None:
        super().__init__()
        self.measures, self.judging = tuple(measures), judging
        evaluate_run({"q": {"d": 1.0}}, {"q": {"d": 1}}, self.measures)  # names an unknown measure now, not later
        # Flat: for each query a number for its name, then its values.
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    @property
    def dtype(self) -> torch.dtype:
        """Of all that is sent: a rank without queries sends an empty tensor of it. (`to` forgets what is set.)"""
        return torch.float64

    def update(self, run: Run, qrels: Qrels) -> None:
        """Add queries.

        Args:
            run, qrels: of those queries alone; none at all is fine.

        Raises:
            UserError: as `evaluate_run`.
        """
        if not qrels:
            return
        found = evaluate_run(run, qrels, self.measures, self.judging)
        rows = [
            [_number(query), *(found[name][query] for name in self.measures)] for query in next(iter(found.values()))
        ]
        self.rows.append(torch.tensor(rows, dtype=self.dtype, device=self.device).flatten())

    def compute(self) -> dict[str, torch.Tensor]:
        """`{measure: mean over queries}`, float64 scalars.

        Raises:
            UserError: no query on any rank; one query with two different values.
        """
        if len(self.rows) == 0:
            raise UserError("the mean over no queries is undefined; update with at least one query")
        rows = dim_zero_cat(self.rows).view(-1, 1 + len(self.measures)).unique(dim=0)
        if len(rows[:, 0].unique()) < len(rows):
            raise UserError("one query was given twice, with different values; reset the metric between evaluations")
        return dict(zip(self.measures, rows[:, 1:].mean(dim=0), strict=True))


def _number(query: str) -> float:
    """52 bits of a name, which a float64 holds exactly."""
    return float(int.from_bytes(hashlib.sha256(query.encode()).digest()[:8], "big") >> 12)
