"""BM25 against the formula written out by hand, and words of several scripts."""

import math
import random
import unicodedata

import pytest

from clir_ot.retrieval.bm25 import bm25_search, words


def score(query: str, name: str, documents: dict[str, str], k1: float, b: float) -> float:
    """Kamphuis et al. (ECIR 2020), table 1, Lucene (accurate), without the constant factor k1 + 1."""
    split = {other: text.split() for other, text in documents.items()}
    mean = sum(len(text) for text in split.values()) / len(split)
    total = 0.0
    for word in query.split():
        n = sum(word in text for text in split.values())
        f = split[name].count(word)
        idf = math.log(1 + (len(split) - n + 0.5) / (n + 0.5))
        total += idf * f / (f + k1 * (1 - b + b * len(split[name]) / mean))
    return total


@pytest.mark.parametrize("options", [{}, {"k1": 1.5, "b": 0.75}])
def test_scores_are_those_of_the_formula(options: dict[str, float]) -> None:
    chance = random.Random(3)
    vocabulary = ["ile", "owo", "omi", "ina", "oja", "aja", "eye", "igi"]
    documents = {f"d{i}": " ".join(chance.choices(vocabulary, k=chance.randint(1, 12))) for i in range(30)}
    queries = {"one": "ile", "two": "owo omi", "twice": "ina ina oja", "partly unknown": "eye nowhere"}
    run = bm25_search(queries, documents, **options)
    for query, text in queries.items():
        expected = {
            name: score(text, name, documents, options.get("k1", 0.9), options.get("b", 0.4)) for name in documents
        }
        found = {name: value for name, value in expected.items() if value > 0}
        assert 0 < len(found) < len(documents), "a query that tells documents apart"
        assert run[query] == pytest.approx(found, abs=1e-5)
        assert list(run[query].values()) == sorted(run[query].values(), reverse=True)
        best = bm25_search({query: text}, documents, depth=3, **options)[query]
        assert list(best) == list(run[query])[:3]


def test_ties_are_in_the_order_of_trec_eval_and_do_not_depend_on_where_documents_stand() -> None:
    names = ["b", "e", "a", "d", "c"]
    for order in (names, names[::-1]):
        documents = dict.fromkeys(order, "omi ina") | {"f": "omi omi ina", "g": "oja"}
        assert list(bm25_search({"q": "omi"}, documents)["q"]) == ["f", "e", "d", "c", "b", "a"]
        assert list(bm25_search({"q": "omi"}, documents, depth=3)["q"]) == ["f", "e", "d"]


def test_a_query_without_a_known_word_retrieves_nothing() -> None:
    queries = {"unknown": "nowhere", "empty": "", "signs": "?!", "known": "omi"}
    run = bm25_search(queries, {"a": "omi", "empty": "", "signs": "..."})
    assert {query: list(found) for query, found in run.items()} == {
        "unknown": [],
        "empty": [],
        "signs": [],
        "known": ["a"],
    }
    assert bm25_search({"q": "omi"}, {"a": "?"}) == {"q": {}}
    assert bm25_search({"q": "omi"}, {}) == {"q": {}}


def test_no_progress_bar_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert bm25_search({"q": "omi"}, {"a": "omi"})["q"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mo fẹ́ ra ẹ̀kọ́.", ["mo", "fẹ́", "ra", "ẹ̀kọ́"]),
        ("शाळेतील विद्यार्थी, हिन्दी", ["शाळेतील", "विद्यार्थी", "हिन्दी"]),
        ("दुसऱ्या र\u094d\u200dया", ["दुसऱ्या", "र्या"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("co\u00adoperate", ["cooperate"]),
        ("I paid 42 naira (a lot)", ["i", "paid", "42", "naira", "a", "lot"]),
        ("ƙasa ʼya STRASSE straße", ["ƙasa", "ʼya", "strasse", "strasse"]),
        ("中文 abc日本", ["中", "文", "abc", "日", "本"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("... — !", []),
    ],
)
def test_words_of_any_script_are_whole(text: str, expected: list[str]) -> None:
    for form in ("NFC", "NFD"):
        assert words(unicodedata.normalize(form, text)) == [unicodedata.normalize("NFC", word) for word in expected]


def test_a_marathi_word_is_not_found_by_its_consonants() -> None:
    documents = {"word": "शाळेतील मुले", "consonants": "श ळ त ल"}
    assert list(bm25_search({"q": "शाळेतील"}, documents)["q"]) == ["word"]
