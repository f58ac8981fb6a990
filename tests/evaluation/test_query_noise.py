"""What noise leaves of a query."""

import random
import unicodedata
from collections import Counter

import pytest

from clir_ot.errors import UserError
from clir_ot.evaluation.query_noise import drop_diacritics, noisy, swap_characters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yọ àwọn ohun èlò kúrò", "Yo awon ohun elo kuro"),
        ("Ọjọ́ ẹ̀kọ́", "Ojo eko"),
        ("ɓarna, ƙasa, ƴanci, ’yanci, Ɗan", "barna, kasa, yanci, ’yanci, Dan"),
        ("ɛdeɛn, ɔno, Đà Nẵng", "edeen, ono, Da Nang"),
        ("ŋ, ß, æ", "ŋ, ß, æ"),
        ("हिन्दी में", "हिन्दी में"),
        ("tiếng Việt", "tieng Viet"),
        ("plain", "plain"),
        ("\u0301a", "\u0301a"),  # a mark without a letter
    ],
)
def test_marks_are_dropped_from_letters_and_kept_in_syllables(text: str, expected: str) -> None:
    for form in ("NFC", "NFD"):
        assert drop_diacritics(unicodedata.normalize(form, text)) == unicodedata.normalize("NFC", expected)


def test_letters_are_swapped_within_words_with_their_marks() -> None:
    text = "ọ̀rọ̀ èdè हिन्दी 123"
    assert swap_characters(text, 1.0, random.Random(0)) == "rọ̀ọ̀ dèè " + "न्हिदी" + " 123"


def test_the_share_of_swaps_is_as_asked_for() -> None:
    text = "abcdefghijklmnopqrstuvwxyz" * 200
    moved = sum(a != b for a, b in zip(text, swap_characters(text, 0.1, random.Random(3)), strict=True)) / 2
    assert Counter(text) == Counter(swap_characters(text, 0.1, random.Random(3)))
    # After a swap the next pair begins behind it: 0.1 of the positions that are looked at.
    assert moved / len(text) == pytest.approx(0.1 / 1.1, rel=0.1)


def test_a_querys_noise_is_its_own() -> None:
    queries = {f"q{i}": "the quick brown fox jumps over the lazy dog" for i in range(5)}
    together = noisy(queries, "swaps@0.2")
    assert together == {name: noisy({name: text}, "swaps@0.2")[name] for name, text in queries.items()}
    assert len(set(together.values())) > 1
    assert together != noisy(queries, "swaps@0.2", seed=1)
    assert noisy({"q": "ẹ̀kọ́"}, "diacritics") == {"q": "eko"}


@pytest.mark.parametrize("noise", ["swap", "swaps", "swaps@0", "swaps@1.5", "swaps@x", "typos@0.1"])
def test_unknown_noise_is_named(noise: str) -> None:
    with pytest.raises(UserError, match=f"unknown noise '{noise}'"):
        noisy({"q": "x"}, noise)
