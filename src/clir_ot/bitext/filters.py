"""Which pairs of a bitext are worth training on. Each filter takes a batch of pairs and says which it keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import langcodes

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.encoder_settings import EncoderSettings
from clir_ot.collections.folding import FoldedTexts, fold
from clir_ot.collections.languages import same_language
from clir_ot.collections.seen import SeenTexts
from clir_ot.errors import UserError

Pairs = Sequence[tuple[str, str]]
"""English, foreign: in NFC, one space between words, none empty."""


@dataclass(frozen=True)
class Filter:
    """One filter.

    Attributes:
        drops: what the pairs it drops are, for the table.
        keeps: whether it keeps each pair of a batch. Batches are given in order, and only once.
    """

    drops: str
    keeps: Callable[[Pairs], list[bool]]


def max_length_ratio(ratio: float) -> Filter:
    """Drops pairs whose longer side has more than `ratio` times the characters of the shorter.

    Characters, not words: Chinese and Thai have no spaces. They are Unicode's code points.
    """
    if not ratio >= 1:
        raise UserError(f"--max-length-ratio {ratio}: the longer side over the shorter; expected at least 1")

    def keeps(pairs: Pairs) -> list[bool]:
        lengths = [(len(english), len(foreign)) for english, foreign in pairs]
        return [max(both) <= ratio * min(both) for both in lengths]

    return Filter(f"one side more than {ratio:g} times as long (characters)", keeps)


def no_copies() -> Filter:
    """Drops pairs whose sides are the same, whatever their case and punctuation: nothing was translated."""
    return Filter(
        "copies, not translated", lambda pairs: [fold(english) != fold(foreign) for english, foreign in pairs]
    )


def no_duplicates() -> Filter:
    """Drops pairs that were there before, both sides letter by letter."""
    seen = SeenTexts()
    return Filter("duplicates of a pair above", lambda pairs: seen.add([f"{e}\t{f}" for e, f in pairs]))


def no_overlap(english: FoldedTexts, foreign: FoldedTexts) -> Filter:
    """Drops pairs with a side that is a test or dev query.

    Args:
        english, foreign: the queries.
    """
    return Filter(
        "a test or dev query on one side",
        lambda pairs: [first not in english and second not in foreign for first, second in pairs],
    )


def identified(language: str) -> tuple[Filter, str | None]:
    """Drops pairs with a side that py3langid takes for another language.

    Returns:
        The filter, and a line to say if py3langid does not know the foreign language: that side is then not looked at.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE)
    spoken = langcodes.Language.get(language).language or language  # its models know no scripts and no regions
    names = {name for name in identifier.labels if same_language(name, spoken)}
    note = None if names else f"py3langid does not know {language}: only the English sides are identified"

    def keeps(pairs: Pairs) -> list[bool]:
        return [
            identifier.classify(english)[0] == ENGLISH and (not names or identifier.classify(foreign)[0] in names)
            for english, foreign in pairs
        ]

    return Filter("another language (py3langid)", keeps), note


def max_pieces(longest: int, encoder: EncoderSettings) -> Filter:
    """Drops pairs with a side of more than `longest` pieces, special tokens and prefix not counted."""
    if longest < 1:
        raise UserError(f"--max-pieces {longest}: expected at least 1")

    def keeps(pairs: Pairs) -> list[bool]:
        both = zip(encoder.count([e for e, _ in pairs]), encoder.count([f for _, f in pairs]), strict=True)
        return [max(lengths) <= longest for lengths in both]

    return Filter(f"a side of more than {longest} pieces", keeps)
