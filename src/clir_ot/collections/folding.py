"""When two texts count as the same: whatever their case, punctuation and spaces."""

import regex

from clir_ot.collections.id_index import hashed

_BETWEEN_WORDS = regex.compile(r"[\p{P}\p{Z}\p{C}]+")


def fold(text: str) -> str:
    """The text without case and punctuation, one space between words.

    Tone marks and other diacritics stay, for they tell words apart, and so do symbols such as `+`. Of a text of
    punctuation alone nothing is left.

    Args:
        text: in Unicode NFC.
    """
    folded: str = _BETWEEN_WORDS.sub(" ", text.casefold())
    return folded.strip()


class FoldedTexts:
    """Places of texts, found by any text that counts as the same; some 200 bytes each, however long they are.

    Texts are kept as 64-bit hashes: that two of n different ones share one has the probability n^2 / 2^65.
    """

    def __init__(self) -> None:
        self._places: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, text: str) -> bool:
        """Whether such a text was added."""
        return self.place(text) is not None

    def add(self, text: str, place: str) -> None:
        """The first place of a text is kept; one of punctuation alone is left out."""
        if folded := fold(text):
            self._places.setdefault(hashed(folded), place)

    def place(self, text: str) -> str | None:
        """Where such a text was first; None where it was not."""
        return self._places.get(hashed(fold(text)))
