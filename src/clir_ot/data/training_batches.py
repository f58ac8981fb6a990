"""From a batch plan to a batch: look the texts up, cut passages, tokenise, mark what is no negative."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from clir_ot.collections import Collection
from clir_ot.collections.batches import batches
from clir_ot.collections.collection import ENGLISH
from clir_ot.data.batches import BitextBatch, RankingBatch
from clir_ot.data.chosen_pairs import ChosenPairs
from clir_ot.data.inverse_cloze import inverse_cloze
from clir_ot.data.rows import Row
from clir_ot.data.sampler import BatchPlan
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.progress import counting

_TOGETHER = 8192  # texts tokenised in one call


@dataclass(frozen=True)
class TrainingTexts:
    """What training reads of a collection, all of it looked up by language.

    Attributes:
        queries, documents: `{language: {_id: text}}`.
        relevant: `{language: {query: documents with a score above 0}}`; documents share their `_id` across languages,
            queries too unless a language has judgements of its own.
        bitext: `{language: [(English, foreign)]}`.
        negatives: `{query: documents}` that are near and not relevant, the nearest first.
        drawn: `{language: positions in its file, from 0, (n,) int64}` of its bitext, where that is a part of the file.
    """

    queries: Mapping[str, Mapping[str, str]]
    documents: Mapping[str, Mapping[str, str]]
    relevant: Mapping[str, Mapping[str, Sequence[str]]]
    bitext: Mapping[str, Sequence[tuple[str, str]]]
    negatives: Mapping[str, Sequence[str]] = field(default_factory=dict)
    drawn: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @classmethod
    def read(cls, collection: Collection, languages: Sequence[str], *, rankings: bool, bitext: bool) -> "TrainingTexts":
        """Read only what the batches asked for need: queries with documents, bitext, or both."""
        queries, documents, relevant, pairs = {}, {}, {}, {}
        if rankings:
            relevant = {name: _relevant(collection.qrels("train", name)) for name in languages}
            queries = {name: collection.queries(name) for name in languages}
            documents = {name: collection.documents(name) for name in languages if collection.has("documents", name)}
        if bitext:
            # English is among the languages where it has rankings; it is no translation of itself.
            pairs = {name: collection.bitext(name) for name in languages if name != ENGLISH or not rankings}
        return cls(queries, documents, relevant, pairs)

    def draw(self, drawn: Mapping[str, NDArray[np.int64]]) -> "TrainingTexts":
        """With those pairs of each language's bitext alone, by position among those that there are."""
        chosen = {name: ChosenPairs(self.bitext[name], positions) for name, positions in drawn.items()}
        places = {name: self.drawn[name][kept] if name in self.drawn else kept for name, kept in drawn.items()}
        return replace(self, bitext={**self.bitext, **chosen}, drawn={**self.drawn, **places})

    def pair_position(self, language: str, position: int) -> int:
        """Where a pair stands in its file, from 0, whether all of it is read or not."""
        return int(self.drawn[language][position]) if language in self.drawn else position

    def pair_id(self, language: str, position: int) -> str:
        """Of a pair of the bitext: `yo:17` is the 17th of the file."""
        return f"{language}:{self.pair_position(language, position) + 1}"

    def is_judged(self, query_language: str, document_language: str | None = None) -> bool:
        """Whether there is a query with a relevant document: in that language, or in any."""
        relevant = self.relevant[query_language]
        found = (relevant[query] for query in self.queries[query_language] if query in relevant)
        if document_language is None:
            return any(found)
        documents = self.documents.get(document_language, {})
        return any(document in documents for there in found for document in there)

    def rankings(
        self, tokenizer: TextTokenizer, passage_words: int | None
    ) -> dict[tuple[str, str], dict[str, tuple[int, int]]]:
        """`{(query language, document language): {query: tokens of document and query}}`, where both have text.

        Args:
            tokenizer: counts them, as far as an encoder reads.
            passage_words: of the passages that are cut from documents; None where they are read whole.
        """
        queries = {
            language: _lengths(
                ((q, texts[q]) for q in self.relevant[language] if q in texts), tokenizer, tokenizer.query_length
            )
            for language, texts in self.queries.items()
        }
        wanted = {document for relevant in self.relevant.values() for there in relevant.values() for document in there}
        documents = {
            language: _lengths(
                ((d, texts[d]) for d in wanted if d in texts), tokenizer, tokenizer.document_length, passage_words
            )
            for language, texts in self.documents.items()
        }
        found = {}
        for query_language, query_lengths in queries.items():
            relevant = self.relevant[query_language]
            for document_language, document_lengths in documents.items():
                pairs = {
                    query: (document_lengths[there[0]], length)
                    for query, length in query_lengths.items()
                    if (there := [document for document in relevant[query] if document in document_lengths])
                }
                if pairs:
                    found[query_language, document_language] = pairs
        return found

    def bitext_lengths(self, tokenizer: TextTokenizer) -> dict[str, NDArray[np.int32]]:
        """`{language: tokens of each pair's English and foreign side, (n, 2)}`, as far as an encoder reads.

        A side has none where the tokenizer leaves out all that stands in it.
        """
        found = {}
        for language, pairs in self.bitext.items():
            found[language] = np.empty((len(pairs), 2), dtype=np.int32)
            for side in (0, 1):
                counts = map(len, self.bitext_pieces(tokenizer, language, side))
                found[language][:, side] = np.fromiter(counts, np.int32, len(pairs))
                # SentencePiece keeps a piece for the space before a text of which it keeps nothing.
                for short in batches(np.flatnonzero(found[language][:, side] == 1).tolist(), _TOGETHER):
                    known = tokenizer.knows([pairs[position][side] for position in short])
                    found[language][short, side] = known
            np.minimum(found[language], tokenizer.query_length, out=found[language])
        return found

    def bitext_pieces(self, tokenizer: TextTokenizer, language: str, side: int) -> Iterator[list[int]]:
        """Piece ids of one side of each pair, English 0 or foreign 1; not all of them are in memory at once."""
        count = len(self.bitext[language])
        progress = counting(f"sentences of the bitext in {language!r} tokenised", count)
        for pairs in batches(self.bitext[language], _TOGETHER):
            yield from tokenizer.pieces([pair[side] for pair in pairs])
            progress(len(pairs))


def _relevant(qrels: Mapping[str, Mapping[str, int]]) -> dict[str, list[str]]:
    return {query: [d for d, score in judged.items() if score > 0] for query, judged in qrels.items()}


def _lengths(
    texts: Iterable[tuple[str, str]], tokenizer: TextTokenizer, longest: int, passage_words: int | None = None
) -> dict[str, int]:
    """Tokens of each text by its name, of a passage of it if so many words are fewer than it has; at most `longest`."""
    counts = {}
    for some in batches(texts, _TOGETHER):
        for (name, text), ids in zip(some, tokenizer.pieces([text for _, text in some]), strict=True):
            share = min(1.0, passage_words / max(1, len(text.split()))) if passage_words else 1.0
            counts[name] = min(longest, round(share * len(ids)))
    return counts


class TrainingBatches(Dataset[RankingBatch | BitextBatch]):
    """Batches by plan, for a DataLoader with `batch_size=None` and a `HybridBatchSampler`.

    Args:
        texts: what the plans refer to.
        tokenizer: of the encoder that is trained.
        negatives: hard negatives beside each query's relevant document, drawn from its list; fewer where it is shorter.
        cloze_share: how often a query that is part of its document is left out of the training passage (inverse cloze;
            Lee et al. 2019 use 0.9); None reads whole documents.
        passage_words: words of surroundings in such a passage.
    """

    def __init__(
        self,
        texts: TrainingTexts,
        tokenizer: TextTokenizer,
        cloze_share: float | None,
        passage_words: int,
        negatives: int = 0,
    ) -> None:
        self.texts, self.tokenizer, self.negatives = texts, tokenizer, negatives
        self.cloze_share, self.passage_words = cloze_share, passage_words

    def __getitem__(self, plan: BatchPlan) -> RankingBatch | BitextBatch:
        return self._bitext_batch(plan) if plan.kind == "bitext" else self._ranking_batch(plan)

    def _bitext_batch(self, plan: BatchPlan) -> BitextBatch:
        everywhere = [*plan.rows, *chain(*plan.others)]
        english = [self._pair(row)[0] for row in everywhere]
        own = english[: len(plan.rows)]
        foreign = [
            pair[0] if row.query_language == ENGLISH else pair[1] for row in plan.rows for pair in [self._pair(row)]
        ]
        return BitextBatch(
            self.tokenizer.queries(own),
            self.tokenizer.queries(foreign),
            [row.query_language for row in everywhere],
            torch.tensor([[text == other for other in english] for text in own]),
            [self.texts.pair_id(*row.item) for row in plan.rows],
        )

    def _ranking_batch(self, plan: BatchPlan) -> RankingBatch:
        rows = plan.rows
        queries = [self.texts.queries[row.query_language][row.item] for row in rows]
        chosen = [self._document(row) for row in rows]
        hard = [(row, document) for row in rows for document in self._hard_negatives(row)]
        passages = [passage for _, passage in chosen] + [self._beginning(row, document) for row, document in hard]
        documents = [(row, document) for row, (document, _) in zip(rows, chosen, strict=True)] + hard
        for rank in plan.others:
            documents += [(row, self._document_id(row)[0]) for row in rank]
            documents += [(row, document) for row in rank for document in self._hard_negatives(row)]
        relevant = [[document in self._relevant(row) for _, document in documents] for row in rows]
        return RankingBatch(
            self.tokenizer.queries(queries),
            self.tokenizer.documents(passages),
            torch.tensor(relevant),
            [(row.query_language, row.document_language) for row in (*rows, *chain(*plan.others))],
            [row.document_language for row, _ in documents],
            [row.item for row in rows],
            plan.kind,
        )

    def _hard_negatives(self, row: Row) -> list[str]:
        """`_id`s, by the row's draw alone."""
        documents, relevant = self.texts.documents[row.document_language], self._relevant(row)
        listed = [d for d in self.texts.negatives.get(row.item, ()) if d in documents and d not in relevant]
        start = int(row.draw * len(listed))
        return [listed[(start + i) % len(listed)] for i in range(min(self.negatives, len(listed)))]

    def _relevant(self, row: Row) -> Sequence[str]:
        return self.texts.relevant[row.query_language][row.item]

    def _beginning(self, row: Row, document: str) -> str:
        text = self.texts.documents[row.document_language][document]
        return text if self.cloze_share is None else " ".join(text.split()[: self.passage_words])

    def _pair(self, row: Row) -> tuple[str, str]:
        language, position = row.item
        pair: tuple[str, str] = self.texts.bitext[language][position]
        return pair

    def _document_id(self, row: Row) -> tuple[str, float]:
        """`_id` of the relevant document that the row's draw chooses, and what is left of the draw: again uniform."""
        documents = self.texts.documents[row.document_language]
        candidates = [d for d in self._relevant(row) if d in documents]
        scaled = row.draw * len(candidates)
        return candidates[int(scaled)], scaled % 1

    def _document(self, row: Row) -> tuple[str, str]:
        """`_id` of one relevant document, and the passage to train on."""
        document, draw = self._document_id(row)
        text = self.texts.documents[row.document_language][document]
        if self.cloze_share is None:
            return document, text
        leave_out = draw < self.cloze_share
        # A document in another language holds the query's translation.
        query = self.texts.queries.get(row.document_language, {}).get(row.item, "")
        if not query:
            return document, self._beginning(row, document)
        return document, inverse_cloze(text, query, words=self.passage_words, leave_out=leave_out)
