"""What counts as text: something that a reader could see."""

import regex

# Neither space nor control or format characters (zero-width ones, marks of direction, byte order marks) nor what
# Unicode displays as nothing, such as fillers and variation selectors.
_SEEN = regex.compile(r"[^\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]")


def has_content(text: str) -> bool:
    """Whether a text holds a character that can be seen: a letter, a digit, a symbol, or punctuation.

    What is without such a character is no document, no query and no side of a pair. U+2800 is Braille's blank.
    """
    return _SEEN.search(text) is not None
