"""How long a collection's texts are, in words and in an encoder's pieces, and how many of them the encoder cuts."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clir_ot.collections.batches import batches
from clir_ot.collections.collection import ENGLISH, Collection
from clir_ot.collections.encoder_settings import EncoderSettings, Kind


@dataclass(frozen=True)
class Spread:
    """Of lengths; the 95th percentile is the smallest length that 95 % of them do not exceed."""

    mean: float
    median: float
    p95: int
    longest: int


@dataclass(frozen=True)
class TextLengths:
    """Of the texts of one kind in one language.

    Attributes:
        language: of the file.
        what: `documents`, `queries`, or the side of the bitext.
        texts: how many.
        words: what spaces separate; of Chinese or Thai, which have none, stretches of text.
        pieces: None without an encoder, as `fertility` and `cut`.
        fertility: pieces a word, over all texts together.
        cut: share of texts of which the encoder leaves out the end; None also if its folder does not say how much it
            reads.
    """

    language: str
    what: str
    texts: int
    words: Spread
    pieces: Spread | None
    fertility: float | None
    cut: float | None


def text_lengths(collection: Collection, encoder: EncoderSettings | None = None) -> Iterator[TextLengths]:
    """Documents, queries and both sides of the bitext of each language, English first; one pass over each file.

    Sides of a bitext are measured as queries, as distillation encodes them.
    """
    found = {*collection.document_languages, *collection.query_languages, *collection.bitext_languages}
    for language in sorted(found, key=lambda name: (name != ENGLISH, name)):
        if language in collection.document_languages:
            documents = collection.documents(language).values()
            yield _of(language, "documents", documents, encoder, "document")
        if language in collection.query_languages:
            yield _of(language, "queries", collection.queries(language).values(), encoder, "query")
        if language in collection.bitext_languages:
            pairs = collection.bitext(language)
            yield _of(language, f"bitext, {ENGLISH}", (english for english, _ in pairs), encoder, "query")
            yield _of(language, f"bitext, {language}", (foreign for _, foreign in pairs), encoder, "query")


def _of(language: str, what: str, texts: Iterable[str], encoder: EncoderSettings | None, kind: Kind) -> TextLengths:
    words, pieces, cut = array("I"), array("I"), 0
    for batch in batches(texts):
        words.extend(len(text.split()) for text in batch)
        if encoder:
            counted = encoder.count(batch)
            pieces.extend(counted)
            cut += sum(encoder.is_cut(kind, batch, counted) or ())
    return TextLengths(
        language,
        what,
        len(words),
        _spread(words),
        _spread(pieces) if encoder else None,
        sum(pieces) / max(sum(words), 1) if encoder else None,
        cut / len(words) if encoder and encoder.lengths else None,
    )


def _spread(lengths: "array[int]") -> Spread:
    values = np.frombuffer(lengths, dtype=np.uint32)
    return Spread(
        float(values.mean()),
        float(np.median(values)),
        int(np.percentile(values, 95, method="inverted_cdf")),
        int(values.max()),
    )


def render_lengths(rows: Iterable[TextLengths], first: Sequence[str] = ()) -> str:
    """A table; the languages of `first` directly below English."""
    order = [ENGLISH, *first]
    ranked = sorted(rows, key=lambda row: order.index(row.language) if row.language in order else len(order))
    shown = ("mean", "median", "p95", "max")
    header = f"{'':8}{'':14}{'words':>7}{'':21}"
    names = f"{'':22}" + "".join(f"{name:>7}" for name in shown)
    if any(row.pieces for row in ranked):
        header += f"{'pieces':>9}{'':25}"
        names += "  " + "".join(f"{name:>7}" for name in shown) + f"{'a word':>8}{'cut':>8}"
    lines = [header.rstrip(), names]
    for row in ranked:
        line = f"{row.language:8}{row.what:14}{_cells(row.words)}"
        if row.pieces:
            cut = "-" if row.cut is None else f"{100 * row.cut:.1f} %"
            line += f"  {_cells(row.pieces)}{row.fertility or 0:8.2f}{cut:>8}"
        lines.append(line)
    return "\n".join(lines)


def _cells(spread: Spread) -> str:
    return f"{spread.mean:7.1f}{spread.median:7.1f}{spread.p95:7}{spread.longest:7}"
