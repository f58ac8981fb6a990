"""Which rows make a batch: monolingual, cross-lingual and bitext batches from one sampler."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from torch.utils.data import Sampler

from clir_ot.errors import UserError

T = TypeVar("T")

_WINDOW = 16  # batches whose rows are sorted by length together


class Row(NamedTuple):
    """One row of a batch.

    Attributes:
        item: `_id` of the query, or `(language, position)` of the pair in its bitext file.
        query_language: of the query, or of the side the student reads: the pair's language, or `en` in a row that
            keeps English in place.
        document_language: of the document, or `en`, the side the teacher reads.
        draw: uniform in [0, 1): all later random choices about this row come from it, so that they do not depend on
            worker processes or ranks.
    """

    item: Any
    query_language: str
    document_language: str
    draw: float


class BatchPlan(NamedTuple):
    """The rows of one batch, all of one kind.

    Attributes:
        kind: of all rows.
        rows: of this rank; in a bitext batch, rows that keep English in place come last.
        others: of the other ranks, in the order of ranks; none in a single process.
    """

    kind: Literal["monolingual", "cross-lingual", "bitext"]
    rows: list[Row]
    others: Sequence[Row] = ()


class HybridBatchSampler(Sampler[BatchPlan]):
    """Batches for all three systems (hybrid batch training: Elmahdy, Lin & Ahmad 2024, section 3).

    A batch is bitext with probability `bitext_rate`; else monolingual with probability `alpha` (one language, drawn
    uniformly, for queries and documents) or cross-lingual (each row draws its own query language != document
    language). The batches depend on seed and epoch alone; rank r of w processes gets rows r, r + w, ... of each.

    Args:
        rankings: `{(query language, document language): {query: length}}`: what can be drawn.
        bitext_lengths: `{language: length of each pair}`. Lengths, in any unit, put rows of like length into one
            monolingual or bitext batch, within windows of 16 batches drawn at random.
        alpha: share of monolingual batches among ranking batches.
        bitext_rate: share of bitext batches.
        english_share: share of bitext rows whose foreign side is replaced by the English one, so that English stays.
        batch_size: rows of a batch over all ranks.
        seed: of everything drawn.
        rank, world_size: of this process.

    Raises:
        UserError: a share outside [0, 1]; a kind of batch asked for without data for it; a batch larger than the data
            of a language.
    """

    def __init__(
        self,
        rankings: Mapping[tuple[str, str], Mapping[str, int]],
        bitext_lengths: Mapping[str, Sequence[int]],
        *,
        alpha: float = 1.0,
        bitext_rate: float = 0.0,
        english_share: float = 0.0,
        batch_size: int = 32,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        for name, share in (("alpha", alpha), ("bitext_rate", bitext_rate), ("english_share", english_share)):
            if not 0 <= share <= 1:
                raise UserError(f"data.{name} is {share}; it is a share and must lie in [0, 1]")
        if batch_size < world_size:
            raise UserError(f"data.batch_size is {batch_size}; it must be at least the number of devices, {world_size}")
        self.rankings, self.bitext_lengths = rankings, bitext_lengths
        self.alpha, self.bitext_rate, self.english_share = alpha, bitext_rate, english_share
        self.batch_size, self.seed, self.epoch, self.start = batch_size, seed, 0, 0
        self.rank, self.world_size = rank, world_size
        self._monolingual = {pair[0]: lengths for pair, lengths in rankings.items() if pair[0] == pair[1]}
        self._cross_lingual: dict[str, list[tuple[str, str]]] = {}
        for pair, lengths in rankings.items():
            if pair[0] != pair[1]:
                for query in lengths:
                    self._cross_lingual.setdefault(query, []).append(pair)
        self._check_data()

    def set_epoch(self, epoch: int) -> None:
        """Choose the batches of this epoch, from 0. Lightning calls it where the sampler is the loader's `sampler`."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches an epoch: one pass over the bitext where there are bitext batches, else over the ranking rows."""
        if self.bitext_rate:
            pairs = sum(map(len, self.bitext_lengths.values()))
            return math.ceil(pairs / (self.batch_size * self.bitext_rate))
        rows = sum(map(len, self._monolingual.values())) if self.alpha else len(self._cross_lingual)
        return math.ceil(rows / self.batch_size)

    def __iter__(self) -> Iterator[BatchPlan]:
        random = np.random.default_rng((self.seed, self.epoch))
        pairs = {(name, i): n for name, lengths in self.bitext_lengths.items() for i, n in enumerate(lengths)}
        bitext = _batches_of_like_length(pairs, self.batch_size, random)
        monolingual = {
            name: _batches_of_like_length(lengths, self.batch_size, random)
            for name, lengths in self._monolingual.items()
        }
        cross_lingual = _shuffled_forever(list(self._cross_lingual), random)
        for number in range(len(self)):
            if random.random() < self.bitext_rate:
                rows = [self._bitext_row(*pair, random) for pair in next(bitext)]
                plan = BatchPlan("bitext", sorted(rows, key=lambda row: row.query_language == "en"))
            elif random.random() < self.alpha:
                language = _choose(sorted(monolingual), random)
                rows = [Row(query, language, language, random.random()) for query in next(monolingual[language])]
                plan = BatchPlan("monolingual", rows)
            else:
                ids = islice(cross_lingual, self.batch_size)
                rows = [Row(q, *_choose(self._cross_lingual[q], random), random.random()) for q in ids]
                plan = BatchPlan("cross-lingual", rows)
            if number >= self.start:
                yield self._own(plan)

    def _own(self, plan: BatchPlan) -> BatchPlan:
        """The plan as this rank sees it."""
        ranks = [plan.rows[rank :: self.world_size] for rank in range(self.world_size)]
        own = ranks.pop(self.rank)
        return BatchPlan(plan.kind, own, [row for rows in ranks for row in rows])

    def _bitext_row(self, language: str, position: int, random: np.random.Generator) -> Row:
        kept_english = random.random() < self.english_share
        return Row((language, position), "en" if kept_english else language, "en", random.random())

    def _check_data(self) -> None:
        if self.bitext_rate > 0 and not self.bitext_lengths:
            raise UserError("data.bitext_rate is above 0, but none of data.languages has bitext")
        if self.bitext_rate < 1 and self.alpha > 0 and not self._monolingual:
            raise UserError("data.alpha is above 0, but no language of data.languages has queries and documents")
        if self.bitext_rate < 1 and self.alpha < 1 and not self._cross_lingual:
            raise UserError("data.alpha is below 1, but cross-lingual batches need two languages: see data.languages")
        sizes = self._monolingual if self.bitext_rate < 1 and self.alpha > 0 else {}
        for language, ids in sizes.items():
            if len(ids) < self.batch_size:
                raise UserError(
                    f"data.batch_size is {self.batch_size}, but {language} has {len(ids)} training queries; lower it"
                )


def _batches_of_like_length(
    lengths: Mapping[T, int], batch_size: int, random: np.random.Generator
) -> Iterator[list[T]]:
    """Pass after pass over the items; inside windows of a pass they are sorted by length, and the batches shuffled.

    A pass ends with a full batch: the rows that its last batch lacks are drawn a second time.
    """
    items = list(lengths)
    while items:
        order = random.permutation(len(items)).tolist()
        order += random.permutation(len(items)).tolist()[: -len(items) % batch_size]
        for start in range(0, len(order), _WINDOW * batch_size):
            window = sorted(order[start : start + _WINDOW * batch_size], key=lambda i: lengths[items[i]])
            batches = [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
            for position in random.permutation(len(batches)):
                yield [items[i] for i in batches[position]]


def _shuffled_forever(items: Sequence[T], random: np.random.Generator) -> Iterator[T]:
    """Pass after pass over the items, each in a new order; a batch may run over the end of a pass into the next."""
    while items:
        for position in random.permutation(len(items)):
            yield items[position]


def _choose(items: Sequence[T], random: np.random.Generator) -> T:
    return items[int(random.integers(len(items)))]
