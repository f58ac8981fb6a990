"""How much of what there is in a collection, by language."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from clir_ot.collections.batches import batches
from clir_ot.collections.collection import ENGLISH, SPLITS, Collection


@dataclass(frozen=True)
class LanguageStatistics:
    """Counts of one language.

    Attributes:
        documents, queries, bitext: texts and pairs; 0 where there is no such file.
        judged: queries of each split that have judgements, train, dev, test.
        pieces_per_word: subword pieces of a tokenizer per word of the queries (fertility), None without a tokenizer.
    """

    language: str
    documents: int
    queries: int
    judged: tuple[int, ...]
    bitext: int
    pieces_per_word: float | None


def statistics(
    collection: Collection, count_pieces: Callable[[Sequence[str]], int] | None = None
) -> list[LanguageStatistics]:
    """One entry a language, English first.

    Args:
        collection: whose files are read.
        count_pieces: how many subword pieces some texts have together.
    """
    found = {*collection.document_languages, *collection.query_languages, *collection.bitext_languages}
    return [
        _of(collection, language, count_pieces) for language in sorted(found, key=lambda name: (name != ENGLISH, name))
    ]


def _of(
    collection: Collection, language: str, count_pieces: Callable[[Sequence[str]], int] | None
) -> LanguageStatistics:
    queries = collection.queries(language) if language in collection.query_languages else {}
    words = sum(len(text.split()) for text in queries.values())
    pieces = sum(count_pieces(texts) for texts in batches(queries.values())) if count_pieces else 0
    return LanguageStatistics(
        language,
        documents=len(collection.documents(language)) if language in collection.document_languages else 0,
        queries=len(queries),
        judged=tuple(_judged(collection, split, language, queries) for split in SPLITS),
        bitext=len(collection.bitext(language)) if language in collection.bitext_languages else 0,
        pieces_per_word=pieces / words if count_pieces and words else None,
    )


def _judged(collection: Collection, split: str, language: str, queries: Mapping[str, str]) -> int:
    if not collection.is_judged(split, language):
        return 0
    return sum(query in queries for query in collection.qrels(split, language))


def render(rows: Sequence[LanguageStatistics], first: Sequence[str] = ()) -> str:
    """A table; the languages of `first` directly below English."""
    order = [ENGLISH, *first]
    ranked = sorted(rows, key=lambda row: order.index(row.language) if row.language in order else len(order))
    header = f"{'':8}{'documents':>10}{'queries':>9}{'train':>7}{'dev':>6}{'test':>6}{'bitext':>8}{'pieces/word':>13}"
    lines = [header]
    for row in ranked:
        pieces = f"{row.pieces_per_word:13.2f}" if row.pieces_per_word else f"{'-':>13}"
        train, dev, test = row.judged
        lines.append(f"{row.language:8}{row.documents:10}{row.queries:9}{train:7}{dev:6}{test:6}{row.bitext:8}{pieces}")
    return "\n".join(lines)
