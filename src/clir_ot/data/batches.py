"""What the DataModule yields and the systems consume: one dataclass for each kind of batch.

B rows, N tokens of the longest text in the batch (shorter texts are padded on the right).
"""

from dataclasses import dataclass, fields
from typing import Any

import torch

from clir_ot.collections.collection import ENGLISH

_PADDING = 0.1  # at most that share of the tokens that an encoder reads at a time


@dataclass
class Tokens:
    """Tokenised texts.

    Attributes:
        input_ids: (B, N) int64.
        attention_mask: (B, N) int64, 1 on real tokens (special and prefix tokens included), 0 on padding.
        content: (B, N) bool, True on the tokens of the text itself: neither special, prefix nor padding.
        lengths: (B,) real tokens of each text. Not a tensor, so that nobody has to wait for a device to know them.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    content: torch.Tensor
    lengths: list[int]

    @property
    def mask(self) -> torch.Tensor:
        """(B, N) bool, True on real tokens."""
        return self.attention_mask.bool()

    def __getitem__(self, rows: slice) -> "Tokens":
        """Some of the texts."""
        return Tokens(self.input_ids[rows], self.attention_mask[rows], self.content[rows], self.lengths[rows])

    def to(self, device: torch.device) -> "Tokens":
        """The same tokens on another device."""
        return Tokens(self.input_ids.to(device), self.attention_mask.to(device), self.content.to(device), self.lengths)

    def groups(self) -> list[list[int]]:
        """The rows in groups of like length, longest first, each with at most a tenth of padding."""
        groups: list[list[int]] = []
        real = 0  # tokens of the last group
        for row in sorted(range(len(self.lengths)), key=lambda row: -self.lengths[row]):
            real += self.lengths[row]
            if not groups or real < (1 - _PADDING) * self.lengths[groups[-1][0]] * (len(groups[-1]) + 1):
                groups.append([])
                real = self.lengths[row]
            groups[-1].append(row)
        return groups


@dataclass
class RankingBatch:
    """Queries with one relevant document each; all other documents of the batch are the negatives.

    Attributes:
        queries: B of them.
        documents: row b is relevant to query b; further rows are hard negatives.
        relevant: (B, S) bool, S documents: the own ones, then those of the other ranks. [q, d] is True where document d
            is relevant to query q by the judgements or translates a relevant document (same `_id`). True on the
            diagonal; off the diagonal such a pair is no negative.
        pairs: languages of query and relevant document of each row, the own and then those of the other ranks.
        document_languages: of the S documents.
        ids: `_id`s of the own queries.
        kind: of the batch, as it was drawn: see `BatchPlan`.
    """

    queries: Tokens
    documents: Tokens
    relevant: torch.Tensor
    pairs: list[tuple[str, str]]
    document_languages: list[str]
    ids: list[str]
    kind: str

    def as_ranking(self) -> "RankingBatch":
        """Itself."""
        return self


@dataclass
class BitextBatch:
    """Translated sentences: row b of `english` and of `foreign` mean the same.

    Attributes:
        english, foreign: both tokenised as queries, for it is the query side that is distilled.
        languages: of the foreign side of each row, the own and then those of the other ranks; `en` in the rows that
            keep English in place, which come last on each rank.
        repeated: (B, S) bool, S >= B English sentences: the own B, then those of the other ranks. [b, s] is True where
            sentence s is the text of row b. True on the diagonal.
        ids: of the own rows, such as `yo:17` for the 17th pair of that language's file, from 1.
    """

    english: Tokens
    foreign: Tokens
    languages: list[str]
    repeated: torch.Tensor
    ids: list[str]

    kind = "bitext"

    @property
    def own_foreign(self) -> int:
        """How many of the own rows do not keep English in place; they come first."""
        return _foreign(self.languages[: len(self.ids)])

    @property
    def total(self) -> int:
        """Rows of all ranks."""
        return len(self.languages)

    @property
    def total_foreign(self) -> int:
        """How many of them do not keep English in place."""
        return _foreign(self.languages)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Languages of the foreign and the English side of each row, as in `RankingBatch`."""
        return [(language, ENGLISH) for language in self.languages]

    def as_ranking(self) -> RankingBatch:
        """Every foreign sentence asks for its English one.

        That one stays tokenised as a query: the sides are alike, where a document would be longer than its query.
        """
        english = [ENGLISH] * self.repeated.shape[1]
        return RankingBatch(self.foreign, self.english, self.repeated, self.pairs, english, self.ids, self.kind)


def _foreign(languages: list[str]) -> int:
    return sum(language != ENGLISH for language in languages)


def token_sides(batch: Any) -> list[Tokens]:
    """The tokenised texts of a batch of any kind."""
    return [value for f in fields(batch) if isinstance(value := getattr(batch, f.name), Tokens)]
