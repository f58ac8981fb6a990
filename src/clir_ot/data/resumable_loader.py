"""A DataLoader that can go on in the middle of an epoch."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader

from clir_ot.data.batches import BitextBatch, RankingBatch
from clir_ot.data.sampler import HybridBatchSampler
from clir_ot.data.training_batches import TrainingBatches


class ResumableLoader(DataLoader[RankingBatch | BitextBatch]):
    """Batches by plan, without those of the epoch that are done.

    Args:
        batches: made by plan.
        sampler: of the plans.
        workers: processes that prepare batches. What they have prepared ahead of a kill is prepared again.
        done: how many batches of the epoch have been trained on, asked when its first batch is wanted.
    """

    def __init__(
        self, batches: TrainingBatches, sampler: HybridBatchSampler, workers: int, done: Callable[[], int]
    ) -> None:
        # Each iterator draws a seed for its workers. Not from torch's own generator: dropout draws from that, and a run
        # that is resumed at the start of an epoch must find it as it was.
        seeds = torch.Generator()
        super().__init__(batches, batch_size=None, sampler=sampler, num_workers=workers, generator=seeds)
        self._plans, self._done = sampler, done

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        # A generator, so that nothing is drawn before the first batch is wanted: Lightning makes the iterator before it
        # tells the sampler the epoch, and before it knows where a run that is resumed stands.
        self._plans.start = self._done()
        yield from super().__iter__()

    def state_dict(self) -> dict[str, Any]:
        """Nothing: the trainer counts the batches. That there is a state tells it that this loader can resume."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to load. Lightning would call it only if the loader were made after the checkpoint is read."""
