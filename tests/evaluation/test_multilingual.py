"""The settings over several languages: on hand-made vectors, each value worked out by hand."""

import json
import math
from pathlib import Path

import pytest
import torch
from scipy import stats

from clir_ot import Collection, TokenEncoder
from clir_ot.data.batches import Tokens
from clir_ot.errors import UserError
from clir_ot.evaluation.languages_table import languages_as_json, render_languages
from clir_ot.evaluation.multilingual import (
    CROSS_LINGUAL,
    EQUAL_RANK,
    MONOLINGUAL,
    OWN_FIRST,
    POOL,
    RANK_CONSISTENCY,
    RANK_CORRELATION,
    RANK_DISTANCE,
    Multilingual,
    evaluate_languages,
    translations,
)
from clir_ot.pictures.language_heatmap import heat_map


def test_settings_are_macro_averages_over_languages() -> None:
    found = Multilingual(
        {
            ("en", "en"): {"q": 1.0, "r": 0.5},
            ("en", "yo"): {"q": 0.5, "r": 0.25},
            ("yo", "en"): {"q": 0.25},
            ("yo", "yo"): {"q": 0.5},
        },
        {"en": {"q": 0.75, "r": 0.25}, "yo": {"q": 0.25}},
        {"en": {"q": 4.0, "r": 2.0}, "yo": {"q": 8.0}},
        {"en": {"q": "yo", "r": "en"}, "yo": {"q": "yo"}},
        {("en", "yo"): {"q": 0.5}},
        {("en", "yo"): {"q": -0.5}},
        {"en": {}, "yo": {}},
    )
    # The mean over the queries of all languages would be another: the English ones are two.
    assert found.macro_means() == {
        MONOLINGUAL: (0.75 + 0.5) / 2, CROSS_LINGUAL: (0.375 + 0.25) / 2, POOL: (0.5 + 0.25) / 2,
        RANK_DISTANCE: (3.0 + 8.0) / 2, OWN_FIRST: (0.5 + 1.0) / 2,
    }  # fmt: skip
    assert found.cells()[CROSS_LINGUAL] == {"en>yo": {"q": 0.5, "r": 0.25}, "yo>en": {"q": 0.25}}
    assert found.means("en") == {
        MONOLINGUAL: 0.75, CROSS_LINGUAL: 0.375, POOL: 0.5, RANK_DISTANCE: 3.0, OWN_FIRST: 0.5,
    }  # fmt: skip
    # What a single one of the two queries has says nothing.
    assert found.left_out()[0] == "RankC: defined for 1 of 2 queries, fewer than 20, and left out"
    assert [note.split(":")[0] for note in found.left_out()] == [RANK_CONSISTENCY, RANK_CORRELATION, EQUAL_RANK]
    assert found.heat_map() == {"en": {"en": 0.75, "yo": 0.375}, "yo": {"en": 0.25, "yo": 0.5}}
    assert found.first_shares() == {"en": {"en": 0.5, "yo": 0.5}, "yo": {"en": 0.0, "yo": 1.0}}


@pytest.mark.parametrize(
    ("documents", "groups"),
    [
        ({"en:d1", "yo:d1", "en:d2", "yo:d2"}, [{"en:d1", "yo:d1"}, {"en:d2", "yo:d2"}]),
        ({"en:d1", "yo:d1", "en:d2"}, [{"en:d1", "yo:d1"}]),
        ({"en:s7", "yo:s9", "de:s1"}, [{"en:s7", "yo:s9", "de:s1"}]),  # ids of their language's own, one each
        ({"en:s7", "en:s8", "yo:s9"}, []),
        ({"en:d1"}, []),
    ],
)
def test_translations_of_one_document_are_told_by_their_id(documents: set[str], groups: list[set[str]]) -> None:
    assert sorted(translations(documents), key=sorted) == sorted(groups, key=sorted)


class Angles:
    """A tokenizer of texts that are one number each."""

    def queries(self, texts: list[str]) -> Tokens:
        angles = torch.tensor([[int(text)] for text in texts])
        return Tokens(angles, torch.ones_like(angles), angles > 0, [1] * len(texts))

    documents = queries


class Stub(torch.nn.Module):
    """In place of an encoder: a text is one unit vector of the plane, at the angle in degrees that it says."""

    tokenizer = Angles()

    def __init__(self) -> None:
        super().__init__()
        self.projection = torch.nn.Linear(1, 1)

    def vectors(self, tokens: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
        angle = tokens.input_ids.float().deg2rad()
        return torch.stack([angle.cos(), angle.sin()], dim=-1), tokens.mask


def test_each_setting_searches_its_documents(tmp_path: Path) -> None:
    texts = {
        # The English query is nearest to d1 in English and to d2 in Yoruba.
        "corpus.jsonl": {"d1": "10", "d2": "40"},
        "corpus.yo.jsonl": {"d1": "60", "d2": "22"},
        "queries.jsonl": {"q1": "12"},
        "queries.yo.jsonl": {"q1": "52"},
    }
    for name, rows in texts.items():
        (tmp_path / name).write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in rows.items()))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    found = evaluate_languages(Stub(), Collection(tmp_path), ["en", "yo"], "test")  # type: ignore[arg-type]
    assert found.pairs == {
        ("en", "en"): {"q1": 1.0},
        ("en", "yo"): {"q1": 0.5},
        ("yo", "en"): {"q1": 0.5},
        ("yo", "yo"): {"q1": 1.0},
    }
    # In the pool, from 12: en:d1 (2), yo:d2 (10), en:d2 (28), yo:d1 (48); from 52: yo:d1 (8), en:d2 (12), yo:d2 (30),
    # en:d1 (42). Relevant are the first and the last of each.
    assert found.pool == {"en": {"q1": pytest.approx(0.75)}, "yo": {"q1": pytest.approx(0.75)}}
    assert found.rank_distance == {"en": {"q1": 3.0}, "yo": {"q1": 3.0}}
    assert found.first == {"en": {"q1": "en"}, "yo": {"q1": "yo"}}
    # One ranking is the other from its end: the first 1, 2, 3 and 4 share 0, 0, 2 and 4 documents.
    assert found.correlation == {("en", "yo"): {"q1": pytest.approx(-1.0)}}
    weights = [math.exp(-j) for j in range(4)]
    shared = (weights[2] * 2 / 3 + weights[3]) / sum(weights)
    assert found.consistency == {("en", "yo"): {"q1": pytest.approx(shared)}}
    # With one relevant document in each language PEER tells nothing.
    assert found.equal_rank == {"en": {}, "yo": {}}
    assert EQUAL_RANK not in found.macro_means()


def test_equal_ranks_are_told_where_a_language_has_several_relevant_documents(tmp_path: Path) -> None:
    texts = {
        "corpus.jsonl": {"d1": "10", "d2": "11", "d3": "12", "d4": "89"},
        "corpus.yo.jsonl": {"d1": "60", "d2": "61", "d3": "62", "d4": "88"},
        "queries.jsonl": {"q1": "9"},
        "queries.yo.jsonl": {"q1": "9"},
    }
    for name, rows in texts.items():
        (tmp_path / name).write_text("".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in rows.items()))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("".join(f"q1\td{n}\t1\n" for n in (1, 2, 3)))
    found = evaluate_languages(Stub(), Collection(tmp_path), ["en", "yo"], "test")  # type: ignore[arg-type]
    # English documents on ranks 1 to 3, Yoruba ones on 4 to 6.
    expected = stats.kruskal([1, 2, 3], [4, 5, 6]).pvalue
    assert found.equal_rank == {"en": {"q1": pytest.approx(expected)}, "yo": {"q1": pytest.approx(expected)}}
    assert found.macro_means()[EQUAL_RANK] == pytest.approx(expected)
    # Of each document and its translation, not of all six.
    assert found.rank_distance == {"en": {"q1": 3.0}, "yo": {"q1": 3.0}}
    assert found.means("yo")[EQUAL_RANK] == pytest.approx(expected)


def collection(folder: Path, texts: dict[str, dict[str, str]], judged: list[str]) -> Collection:
    for name, rows in texts.items():
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in rows.items())
        )
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("".join(f"{pair.replace(' ', chr(9))}\t1\n" for pair in judged))
    return Collection(folder)


def test_only_what_could_be_first_in_ones_own_language_is_counted(tmp_path: Path) -> None:
    """d1 is there in all languages, d2 in English and German, d3 and d4 in English alone."""
    texts = {
        "corpus": {"d1": "10", "d2": "20", "d3": "30", "d4": "31"},
        "corpus.de": {"d1": "12", "d2": "22"},
        "corpus.yo": {"d1": "11"},
        **{f"queries{suffix}": {"q1": "11", "q2": "22", "q3": "30"} for suffix in ("", ".de", ".yo")},
    }
    judged = collection(tmp_path, texts, ["q1 d1", "q1 d3", "q2 d2", "q3 d3", "q3 d4"])
    found = evaluate_languages(Stub(), judged, ["en", "de", "yo"], "test")  # type: ignore[arg-type]
    # Of q1 its d1, of which there are three; q2 asked in Yoruba cannot find any in Yoruba, nor q3 another than English.
    assert found.first == {"en": {"q1": "yo", "q2": "de"}, "de": {"q1": "yo", "q2": "de"}, "yo": {"q1": "yo"}}
    assert found.first_shares()["de"] == {"en": 0.0, "de": 0.5, "yo": 0.5}
    # From 11: yo:d1, then de:d1 and en:d1; from 22 the German d2, then the English.
    assert found.rank_distance == {language: {"q1": 2.0, "q2": 1.0} for language in ("en", "de", "yo")}
    # PEER: q1 alone has relevant documents in several languages, and two of them in English.
    assert [set(found.equal_rank[language]) for language in ("en", "de", "yo")] == [{"q1"}] * 3
    assert set(found.pairs["yo", "yo"]) == {"q1"}


def test_languages_that_share_little_are_measured_by_what_they_share(tmp_path: Path) -> None:
    """Swahili asks other queries, and has none of the judged documents."""
    texts = {
        "corpus": {"d1": "10", "d2": "40", "d3": "80"},
        "corpus.yo": {"d1": "12", "d2": "42"},
        "corpus.sw": {"d9": "70"},
        "queries": {"q1": "10", "q2": "40"},
        "queries.yo": {"q1": "11", "q2": "41"},
        "queries.sw": {"q9": "79"},
    }
    judged = collection(tmp_path, texts, ["q1 d1", "q2 d2", "q9 d3"])
    found = evaluate_languages(Stub(), judged, ["en", "yo", "sw"], "test")  # type: ignore[arg-type]
    assert set(found.pairs) == {("en", "en"), ("en", "yo"), ("yo", "en"), ("yo", "yo"), ("sw", "en")}
    assert found.consistency["en", "sw"] == {}
    assert found.macro_means()[POOL] == 1.0
    said = languages_as_json(found)
    assert set(said["first"]) == {"en", "yo"}
    assert heat_map(said["MAP"], "MAP").axes
    # Of as few queries as these, what is not defined for all of them is left out.
    assert "rank distance: defined for 2 of 3 queries, fewer than 20, and left out" in render_languages(found)


def test_a_cell_says_where_it_is_over_fewer_queries_than_its_row_and_is_empty_where_there_are_none() -> None:
    names = [f"q{i}" for i in range(30)]
    every, some = dict.fromkeys(names, 0.5), dict.fromkeys(names[:24], 3.0)
    others = {f"o{i}": 0.25 for i in range(5)}
    pairs = {("en", "en"): every, ("en", "yo"): every, ("yo", "en"): every, ("yo", "yo"): every, ("sw", "en"): others}
    pool = {"en": every, "yo": every, "sw": others}
    consistency = {("en", "yo"): every, ("en", "sw"): {}, ("yo", "sw"): {}}
    found = Multilingual(pairs, pool, {"en": some, "yo": every}, {}, consistency, {}, {})
    assert found.macro_means()[RANK_CONSISTENCY] == 0.5
    assert found.counts("en") == {MONOLINGUAL: 30, CROSS_LINGUAL: 30, POOL: 30, RANK_DISTANCE: 24, RANK_CONSISTENCY: 30}
    assert found.counts("sw") == {CROSS_LINGUAL: 5, POOL: 5}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in render_languages(found).splitlines()]
    cells = {row[0]: row[1:] for row in rows if row}
    assert cells["queries"] == ["n", MONOLINGUAL, CROSS_LINGUAL, POOL, RANK_DISTANCE, RANK_CONSISTENCY]
    assert cells["English"] == ["30", "0.500", "0.500", "0.500", "3.0 (24)", "0.500"]
    assert cells["Swahili"] == ["5", "", "0.250", "0.250", "", ""]
    assert cells["n"] == ["35", "30", "35", "35", "30", "30"]


def test_documents_whose_ids_are_their_languages_own_count_alike(tmp_path: Path) -> None:
    """LAReQA's case: one file judges the documents of all languages, and they share no id."""
    shared = tmp_path / "shared"
    own = tmp_path / "own"
    for folder in (shared, own):
        (folder / "qrels").mkdir(parents=True)
    for suffix, texts in {"": {"d1": "10", "d2": "40"}, ".yo": {"d1": "60", "d2": "22"}}.items():
        for folder, prefix in ((shared, ""), (own, suffix or ".en")):
            rows = [json.dumps({"_id": f"{prefix}{i}", "text": t}) for i, t in texts.items()]
            (folder / f"corpus{suffix}.jsonl").write_text("\n".join(rows) + "\n")
            query = json.dumps({"_id": "q1", "text": "52" if suffix else "12"})
            (folder / f"queries{suffix}.jsonl").write_text(query + "\n")
    (shared / "qrels" / "test.tsv").write_text("q1\td1\t1\n")
    (own / "qrels" / "test.tsv").write_text("q1\t.end1\t1\nq1\t.yod1\t1\n")
    found = [
        evaluate_languages(Stub(), Collection(folder), ["en", "yo"], "test")  # type: ignore[arg-type]
        for folder in (shared, own)
    ]
    assert found[0] == found[1]


def test_one_language_is_refused(encoder_folder: Path, collection_folder: Path) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8)
    with pytest.raises(UserError, match="need two languages"):
        evaluate_languages(encoder, Collection(collection_folder), ["en"], "test")
