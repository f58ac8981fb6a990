"""Language bias of a ranking, on cases worked out by hand."""

import math
import random

import pytest

from clir_ot.errors import UserError
from clir_ot.evaluation.language_bias import first_language, peer, rank_distance


def test_rank_distance_is_that_of_the_outermost_translations() -> None:
    assert rank_distance(["a:1", "x", "b:1", "y", "c:1", "z"], {"c:1", "a:1", "b:1"}) == 4
    assert rank_distance(["x", "b:1", "a:1"], {"a:1", "b:1"}) == 1


def test_the_first_of_the_translations_has_the_preferred_language() -> None:
    assert first_language(["x", "b:1", "a:1"], {"a:1": "a", "b:1": "b"}) == "b"


GRADES = {f"{language}{i}": 1 for language in "ab" for i in range(3)}
LANGUAGES = {document: document[0] for document in GRADES}


def chi_square_tail(h: float) -> float:
    """Of one degree of freedom."""
    return math.erfc(math.sqrt(h / 2))


def test_peer_of_separated_languages() -> None:
    # Rank sums 6 and 15 of 6 documents: H = 12 / (6 * 7) * (6^2 / 3 + 15^2 / 3) - 3 * 7 = 27 / 7.
    ranked = ["a0", "x", "a1", "a2", "b0", "y", "b1", "b2"]
    assert peer(ranked, GRADES, LANGUAGES) == pytest.approx(chi_square_tail(27 / 7), abs=1e-12)


def test_peer_of_mixed_languages_is_near_one() -> None:
    # Rank sums 10 and 11: H = 12 / 42 * (100 / 3 + 121 / 3) - 21 = 1 / 21.
    ranked = ["a0", "b0", "b1", "a1", "b2", "a2"]
    assert peer(ranked, GRADES, LANGUAGES) == pytest.approx(chi_square_tail(1 / 21), abs=1e-12)


def test_peer_ties_what_is_beyond_the_cutoff() -> None:
    # Ranks 1, 2, 3 and three times 5: rank sums 6 and 15, ties 1 - (27 - 3) / (216 - 6) = 186 / 210.
    ranked = ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert peer(ranked, GRADES, LANGUAGES, cutoff=3) == pytest.approx(chi_square_tail(27 / 7 / (186 / 210)), abs=1e-12)
    assert peer(["x", "y"], GRADES, LANGUAGES) == 1.0


def test_peer_weighs_grades() -> None:
    grades = {**GRADES, "a3": 2, "b3": 2, "a4": 2}
    languages = {document: document[0] for document in grades}
    ranked = ["a3", "a0", "a1", "a2", "b0", "b1", "b2", "b3", "a4"]
    first, second = chi_square_tail(27 / 7), chi_square_tail(12 / 12 * (16 / 2 + 4) - 12)
    assert peer(ranked, grades, languages) == pytest.approx((first + second) / 2, abs=1e-12)
    assert peer(ranked, grades, languages, weights={1: 1.0}) == pytest.approx(first, abs=1e-12)
    with pytest.raises(UserError, match=r"weights of PEER sum to 0\.5"):
        peer(ranked, grades, languages, weights={1: 0.5})


def test_peer_says_nothing_with_one_document_a_language() -> None:
    chance = random.Random(0)
    documents = {"a": "a", "b": "b", "c": "c"}
    values = {peer(chance.sample(list(documents), 3), dict.fromkeys(documents, 1), documents) for _ in range(20)}
    assert max(values) == pytest.approx(min(values))
