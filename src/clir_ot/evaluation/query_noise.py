"""Queries as they are really typed: without the marks of their script, with letters in the wrong order."""

import random
import unicodedata
from collections.abc import Mapping

import regex

from clir_ot.errors import UserError

DEFAULT_NOISES = ("diacritics", "swaps@0.1")

# Marks that writers leave out, and read all the same, are those of alphabets. In Indic scripts a mark is a vowel.
_LETTER = regex.compile(r"[\p{Latin}\p{Greek}\p{Cyrillic}]")
_MARKED = regex.compile(rf"({_LETTER.pattern})\p{{Mn}}+")
_CLUSTER = regex.compile(r".\p{M}*", regex.DOTALL)


def drop_diacritics(text: str) -> str:
    """Without tone marks, accents and dots below: "Yọ àwọn ohun" -> "Yo awon ohun".

    Marks are taken from Latin, Greek and Cyrillic letters only. Letters whose mark is a part of them, as Hausa's ɓ, ɗ,
    ƙ and ƴ, are those of a plain keyboard: what Unicode calls `LATIN SMALL LETTER B WITH HOOK` is typed as b, and Twi's
    open ɛ and ɔ as e and o.
    """
    bare = _MARKED.sub(r"\1", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", _LETTER.sub(lambda found: _plain(found[0]), bare))


def _plain(letter: str) -> str:
    """Of an alphabet's letter, the one without what its Unicode name says it is `WITH`."""
    name = unicodedata.name(letter, "")
    if " WITH " not in name and " OPEN " not in name:
        return letter
    try:
        return unicodedata.lookup(name.split(" WITH ")[0].replace(" OPEN ", " "))
    except KeyError:  # such as LATIN SMALL LETTER O WITH ... of a letter that has no plain form
        return letter


def swap_characters(text: str, rate: float, chance: random.Random) -> str:
    """Neighbouring letters of a word swapped, each pair with probability `rate`; a swapped pair is not swapped again.

    Letters move with their marks: what is swapped are base characters with what is combined with them.
    """
    clusters: list[str] = _CLUSTER.findall(unicodedata.normalize("NFC", text))
    position = 0
    while position + 1 < len(clusters):
        pair = clusters[position : position + 2]
        if all(cluster[0].isalpha() for cluster in pair) and chance.random() < rate:
            clusters[position : position + 2] = reversed(pair)
            position += 1
        position += 1
    return "".join(clusters)


def noisy(queries: Mapping[str, str], noise: str, seed: int = 0) -> dict[str, str]:
    """All queries with one kind of noise: `diacritics`, dropped, or `swaps@0.1`, a share of pairs of letters.

    A query's noise depends on its id and the seed alone, not on the queries beside it.

    Raises:
        UserError: another kind of noise, or a share outside (0, 1].
    """
    if noise == "diacritics":
        return {name: drop_diacritics(text) for name, text in queries.items()}
    kind, _, share = noise.partition("@")
    try:
        rate = float(share)
    except ValueError:
        rate = 0.0
    if kind != "swaps" or not 0 < rate <= 1:
        raise UserError(f"unknown noise {noise!r}; expected diacritics, or swaps@ and a share in (0, 1] as swaps@0.1")
    return {name: swap_characters(text, rate, random.Random(f"{seed} {name}")) for name, text in queries.items()}
