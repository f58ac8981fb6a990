"""When two texts count as the same: whatever their case, punctuation and spaces."""

import regex

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
