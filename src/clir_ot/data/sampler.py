"""Which rows make a batch: monolingual, cross-lingual and bitext batches from one sampler."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import Sampler

from clir_ot.collections.collection import ENGLISH
from clir_ot.data.like_lengths import Copies, of_like_lengths
from clir_ot.data.quota import in_turn, portions
from clir_ot.data.rows import BitextRows, Row
from clir_ot.errors import UserError, require, require_share

T = TypeVar("T")

_WINDOW = 128  # batches whose rows are sorted by length together


Mode = Literal["hybrid", "En-En", "X-X", "X-X-mono", "X-Y"]


def monolingual_share(mode: Mode, alpha: float | None) -> float:
    """Of ranking batches, whose rows have query and document in one language: alpha, or what the mode implies."""
    if alpha is None:
        return 0.0 if mode == "X-Y" else 1.0
    return alpha


class BatchPlan(NamedTuple):
    """The rows of one batch, all of one kind.

    Attributes:
        kind: of all rows.
        rows: of this rank; in a bitext batch, rows that keep English in place come last.
        others: of each other rank, in the order of ranks; none in a single process.
    """

    kind: Literal["monolingual", "multilingual", "cross-lingual", "bitext"]
    rows: list[Row]
    others: Sequence[Sequence[Row]] = ()


class HybridBatchSampler(Sampler[BatchPlan]):
    """Batches for all three systems (hybrid batch training: Elmahdy, Lin & Ahmad 2024, section 3).

    A share `bitext_rate` of the batches is bitext; of the others a share `alpha` is monolingual (one language for
    queries and documents), the rest cross-lingual (each row draws its own query language != document language). After
    any number of batches of an epoch, these shares and those of the languages of monolingual batches are within one
    batch of what was asked for, and English rows within one row. The batches depend on seed and epoch alone; rank r
    of w processes gets rows r, r + w, ... of each.

    Args:
        rankings: `{(query language, document language): {query: lengths of document and query}}`: what can be drawn.
        bitext_lengths: `{language: lengths of each pair's English and foreign side}`, (n, 2) integers. Rows of like
            lengths, in any unit, come into one batch, within windows of 128 batches drawn at random.
        mode: how ranking batches are made. `hybrid`: as `alpha` says. LAReQA's modes (Roy et al. 2020, section 4):
            `En-En`: English only; `X-X-mono`: every batch of one language; `X-X`: every row of one language, languages
            mixed in a batch; `X-Y`: every row of two languages.
        alpha: share of monolingual batches among ranking batches, in mode hybrid; None is 1.
        language_temperature: T of a monolingual batch's language, drawn in proportion to n^(1/T) of its n queries
            (Arivazhagan et al. 2019, section 4.2); 1 is by size, None uniform.
        bitext_rate: share of bitext batches.
        english_share: share of bitext rows whose foreign side is replaced by the English one, so that English stays.
        batch_size: rows of a batch over all ranks.
        seed: of everything drawn.
        rank, world_size: of this process.

    Raises:
        UserError: a share outside [0, 1]; alpha beside a mode that has none; a kind of batch asked for without data
            for it; a batch larger than the data of a language.
    """

    def __init__(
        self,
        rankings: Mapping[tuple[str, str], Mapping[str, tuple[int, int]]],
        bitext_lengths: Mapping[str, ArrayLike],
        *,
        mode: Mode = "hybrid",
        alpha: float | None = None,
        language_temperature: float | None = None,
        bitext_rate: float = 0.0,
        english_share: float = 0.0,
        batch_size: int = 32,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if mode != "hybrid" and alpha is not None:
            raise UserError(f"data.alpha is {alpha}, but mode {mode} has none; set one of them to null")
        require("data.language_temperature", language_temperature, above=0, hint=", or null")
        alpha = monolingual_share(mode, alpha)
        for name, share in (("alpha", alpha), ("bitext_rate", bitext_rate), ("english_share", english_share)):
            require_share(f"data.{name}", share)
        require("data.batch_size", batch_size, least=1)
        if batch_size < world_size:
            raise UserError(f"data.batch_size is {batch_size}; it must be at least the number of devices, {world_size}")
        self.mode, self.language_temperature = mode, language_temperature
        self.rankings = rankings
        # Arrays, not objects: millions of pairs are to fit in memory.
        self.bitext_lengths = {name: np.asarray(lengths, dtype=np.int32) for name, lengths in bitext_lengths.items()}
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
        """Batches an epoch: one pass over the bitext where there are bitext batches, else over the queries.

        A query counts once in each of its languages, so that an epoch is as long whatever `alpha` is.
        """
        if self.bitext_rate:
            pairs = sum(map(len, self.bitext_lengths.values()))
            return math.ceil(pairs / (self.batch_size * self.bitext_rate))
        queries: dict[str, set[str]] = {}
        for (language, _), lengths in self.rankings.items():
            queries.setdefault(language, set()).update(lengths)
        return math.ceil(sum(map(len, queries.values())) / self.batch_size)

    def __iter__(self) -> Iterator[BatchPlan]:
        random = np.random.default_rng((self.seed, self.epoch))
        is_bitext, is_monolingual = portions(self.bitext_rate, 1, random), portions(self.alpha, 1, random)
        english_rows = portions(self.english_share, self.batch_size, random)
        languages = in_turn(self._language_shares(), random)
        bitext = self._batches(lambda: self._bitext_rows(random), random)
        monolingual = {
            name: self._batches(lambda name=name: self._monolingual_rows([name], random), random)  # type: ignore[misc]
            for name in self._monolingual
        }
        multilingual = self._batches(lambda: self._monolingual_rows(list(self._monolingual), random), random)
        cross_lingual = self._batches(lambda: self._cross_lingual_rows(random), random)
        for number in range(len(self)):
            if next(is_bitext):
                plan = BatchPlan("bitext", _keeping_english(next(bitext), next(english_rows), random))
            elif self.mode == "X-X":
                plan = BatchPlan("multilingual", next(multilingual))
            elif next(is_monolingual):
                plan = BatchPlan("monolingual", next(monolingual[next(languages)]))
            else:
                plan = BatchPlan("cross-lingual", next(cross_lingual))
            if number >= self.start:
                yield self._own(plan)

    def _bitext_rows(self, random: np.random.Generator) -> BitextRows:
        sizes = {name: len(lengths) for name, lengths in self.bitext_lengths.items()}
        return BitextRows(sizes, random)

    def _monolingual_rows(self, languages: list[str], random: np.random.Generator) -> list[Row]:
        return [Row(query, name, name, random.random()) for name in languages for query in self._monolingual[name]]

    def _cross_lingual_rows(self, random: np.random.Generator) -> list[Row]:
        pairs = self._cross_lingual
        return [Row(query, *_choose(pairs[query], random), random.random()) for query in pairs]

    def _lengths(self, row: Row) -> tuple[int, int]:
        """Of the document, or English side, and of the query, or the side the student reads."""
        if type(row.item) is tuple:
            language, position = row.item
            english, foreign = self.bitext_lengths[language][position].tolist()
            return english, english if row.query_language == "en" else foreign
        return self.rankings[row.query_language, row.document_language][row.item]

    def _batches(self, draw: Callable[[], Sequence[Row]], random: np.random.Generator) -> Iterator[list[Row]]:
        """Pass after pass over the rows that `draw` gives, in batches of like lengths.

        A pass ends with a full batch: the rows that its last batch lacks are drawn a second time. No row is twice in a
        batch, so that no two ranks have it, unless there are fewer rows than a batch has.
        """
        window = _WINDOW * self.batch_size
        while rows := draw():
            order = random.permutation(len(rows))
            while lacking := -len(order) % self.batch_size:
                order = np.concatenate([order, random.permutation(len(rows))[:lacking]])
            copied, spare = (_at(rows, order[start:]) for start in (len(rows), -window))
            copies = Copies(copied, spare, self._lengths)
            for start in range(0, len(order), window):
                some = _at(rows, order[start : start + window])
                batches = of_like_lengths(some, self._lengths, self.batch_size)
                for position in random.permutation(len(batches)):
                    yield copies.apart(batches[position])

    def _language_shares(self) -> dict[str, float]:
        """Of monolingual batches."""
        logs = {name: math.log(len(queries)) for name, queries in self._monolingual.items()}
        most, power = max(logs.values(), default=0.0), 1 / (self.language_temperature or math.inf)
        weights = {name: math.exp((log - most) * power) for name, log in logs.items()}  # powers might overflow
        return {name: weight / sum(weights.values()) for name, weight in weights.items()}

    def _own(self, plan: BatchPlan) -> BatchPlan:
        """The plan as this rank sees it."""
        ranks = [plan.rows[rank :: self.world_size] for rank in range(self.world_size)]
        own = ranks.pop(self.rank)
        return BatchPlan(plan.kind, own, ranks)

    def _check_data(self) -> None:
        if self.bitext_rate > 0 and not self.bitext_lengths:
            raise UserError("data.bitext_rate is above 0, but none of data.languages has bitext")
        if self.bitext_rate < 1 and self.alpha > 0 and not self._monolingual:
            raise UserError("data.alpha is above 0, but no language of data.languages has queries and documents")
        if self.bitext_rate < 1 and self.alpha < 1 and not self._cross_lingual:
            raise UserError("data.alpha is below 1, but cross-lingual batches need two languages: see data.languages")
        if self.mode == "En-En" and self._monolingual.keys() != {"en"}:
            raise UserError("data.mode is En-En; set data.languages to en")
        alone = self.mode != "X-X" and self.alpha > 0
        # `{what a kind of batch is made of: how much there is}`; less than a batch would be drawn over and over.
        there: dict[str, int] = {}
        if self.bitext_rate > 0:
            if empty := [name for name, lengths in self.bitext_lengths.items() if not len(lengths)]:
                raise UserError(f"the bitext in {empty[0]!r} has no pairs; leave the language out of data.languages")
            there["the bitext has {} pairs"] = sum(map(len, self.bitext_lengths.values()))
        if self.bitext_rate < 1 and alone:
            there |= {f"{name} has {{}} training queries": len(ids) for name, ids in self._monolingual.items()}
        if self.bitext_rate < 1 and self.mode == "X-X":
            there["there are {} training queries"] = sum(map(len, self._monolingual.values()))
        if self.bitext_rate < 1 and self.alpha < 1:
            there["{} training queries are there for cross-lingual batches"] = len(self._cross_lingual)
        for said, count in there.items():
            if count < self.batch_size:
                raise UserError(f"data.batch_size is {self.batch_size}, but {said.format(count)}; lower it")


def _choose(items: Sequence[T], random: np.random.Generator) -> T:
    return items[int(random.integers(len(items)))]


def _keeping_english(rows: Sequence[Row], count: int, random: np.random.Generator) -> list[Row]:
    """The rows, the foreign side of `count` of them replaced by the English one; those come last."""
    chosen = {*random.permutation(len(rows))[:count].tolist()}
    english = [row._replace(query_language=ENGLISH) for place, row in enumerate(rows) if place in chosen]
    return [*(row for place, row in enumerate(rows) if place not in chosen), *english]


def _at(rows: Sequence[Row], order: NDArray[np.int64]) -> list[Row]:
    return [rows[i] for i in order.tolist()]
