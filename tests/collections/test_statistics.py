"""Lengths, what an encoder cuts, and leakage, counted by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from clir_ot import Collection
from clir_ot.collections.encoder_settings import EncoderSettings
from clir_ot.collections.leakage import find_leaks
from clir_ot.collections.lengths import Spread, text_lengths


def jsonl(path: Path, **texts: str) -> None:
    path.write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items()))


def qrels(path: Path, *queries: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{query}\td1\t1\n" for query in queries))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Words of the tiny encoder are one piece, others too (unknown); a full stop is a piece of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    jsonl(folder / "corpus.jsonl", d1="bara desil", d2="bara desil fitem govu. kuzo", d3="bara")
    jsonl(folder / "queries.jsonl", a="bara desil", b="fitem govu", c="Bara, desil!", d="kuzo")
    jsonl(folder / "queries.yo.jsonl", a="xarab xlised", b="xmetif", c="xarab xlised", d="xozuk xozuk")
    qrels(folder / "qrels" / "train.tsv", "a", "b")
    qrels(folder / "qrels" / "test.tsv", "c", "d")
    (folder / "bitext").mkdir()
    (folder / "bitext" / "yo.tsv").write_text(
        "ramen\txnemar\nlamra\tXOZUK, xozuk\n\nKuzo?\txozuk xozuk\nBARA\txarab\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def encoder(encoder_folder: Path, tmp_path: Path) -> Path:
    """The tiny one, which reads four tokens of a query and five of a document, two of them special."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    tokenizer = Tokenizer.from_file(str(encoder_folder / "tokenizer.json"))
    tokenizer.enable_truncation(2)  # must not change what is counted
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"query_prefix": "query: ", "document_prefix": "", "query_length": 6, "document_length": 5}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    return folder


def test_lengths_in_words_and_pieces_and_what_is_cut(small: Path, encoder: Path) -> None:
    rows = {(row.language, row.what): row for row in text_lengths(Collection(small), EncoderSettings.read(encoder))}
    documents = rows["en", "documents"]
    assert documents.texts == 3
    assert documents.words == Spread(pytest.approx(8 / 3), 2.0, 5, 5)  # 2, 5 and 1 words
    assert documents.pieces == Spread(pytest.approx(9 / 3), 2.0, 6, 6)  # 2, 6 and 1 pieces
    assert documents.fertility == pytest.approx(9 / 8)
    assert documents.cut == pytest.approx(1 / 3)  # 6 pieces where 3 have room
    queries = rows["en", "queries"]
    # `query` and `:` leave room for two pieces: bara desil | fitem govu | Bara , desil ! | kuzo
    assert queries.pieces == Spread(pytest.approx(9 / 4), 2.0, 4, 4)
    assert queries.cut == pytest.approx(1 / 4)
    sides = rows["yo", "bitext, en"], rows["yo", "bitext, yo"]
    assert [side.texts for side in sides] == [4, 4]
    assert sides[0].pieces == Spread(pytest.approx(5 / 4), 1.0, 2, 2)  # Kuzo ?
    assert sides[1].words == Spread(pytest.approx(6 / 4), 1.5, 2, 2)
    assert sides[1].cut == pytest.approx(1 / 4)  # XOZUK , xozuk
    assert ("yo", "documents") not in rows


def test_the_95th_percentile_is_a_length_that_19_of_20_do_not_exceed(small: Path) -> None:
    jsonl(small / "corpus.jsonl", **{f"d{n}": " ".join("x" * n) for n in range(1, 21)})
    documents = next(text_lengths(Collection(small)))
    assert documents.words == Spread(10.5, 10.5, 19, 20)
    assert documents.pieces is None
    assert documents.fertility is None
    assert documents.cut is None


def test_training_queries_and_bitext_that_hold_test_queries_are_found(small: Path) -> None:
    english, yoruba, bitext = find_leaks(small)
    assert (english.what, english.found, english.of) == ("training queries in en", 1, 2)
    assert (english.text, english.place) == ("bara desil", f"{small / 'queries.jsonl'}:1")
    assert english.test_place == f"{small / 'queries.jsonl'}:3"
    assert (yoruba.what, yoruba.found, yoruba.of) == ("training queries in yo", 1, 2)
    assert yoruba.test_place == f"{small / 'queries.yo.jsonl'}:3"
    # Two of four pairs: one with the foreign side, one with both; BARA is no query as a whole.
    assert (bitext.what, bitext.found, bitext.of) == ("bitext pairs of yo", 2, 4)
    assert (bitext.text, bitext.place) == ("XOZUK, xozuk", f"{small / 'bitext' / 'yo.tsv'}:2")
    assert bitext.test_place == f"{small / 'queries.yo.jsonl'}:4"


def test_english_queries_with_the_ids_of_foreign_test_queries_are_their_translations(small: Path) -> None:
    (small / "qrels" / "test.tsv").rename(small / "qrels" / "test.yo.tsv")
    (small / "bitext" / "yo.tsv").write_text("kuzo\txnemar\n")
    assert [leak.what for leak in find_leaks(small)] == [
        "training queries in en", "training queries in yo", "bitext pairs of yo",
    ]  # fmt: skip
    # With English judgements of their own, the languages may have ids of their own.
    qrels(small / "qrels" / "test.en.tsv", "c")
    (small / "queries.yo.jsonl").unlink()
    jsonl(small / "queries.yo.jsonl", c="xvug", d="xsil")
    assert [leak.what for leak in find_leaks(small)] == ["training queries in en"]


def test_the_command_prints_the_table_lengths_and_leaks(small: Path, encoder: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "stats", small, "--encoder", encoder)
    lines = printed.splitlines()
    assert lines[0].split() == ["documents", "queries", "train", "dev", "test", "bitext", "pieces/word"]
    assert lines[1].split() == ["en", "3", "4", "2", "0", "2", "0", "1.29"]  # 9 pieces of 7 words
    assert lines[2].split()[:7] == ["yo", "0", "4", "2", "0", "2", "4"]
    (row,) = [line for line in lines if line.startswith("en      documents")]
    assert row.split() == ["en", "documents", "2.7", "2.0", "5", "5", "3.0", "2.0", "6", "6", "1.12", "33.3", "%"]
    assert sum(line.startswith("leakage: ") for line in lines) == 3
    assert (
        "leakage: 1 of 2 training queries in en is a test query; the first, 'bara desil', is at "
        f"{small}/queries.jsonl:1 and at {small}/queries.jsonl:3"
    ) in lines
    failed = clir("collection", "stats", small, "--strict")
    assert failed.startswith(f"FAILED: clir-ot: {small}: training has seen test queries: 1 of 2 training queries in en")
    assert failed.endswith("(and 2 more such files)")
    assert "\n" not in failed


def test_a_clean_collection_passes_the_strict_test(
    own_collection: Path, encoder_folder: Path, clir: Callable[..., str]
) -> None:
    printed = clir("collection", "stats", own_collection, "--strict", "--encoder", encoder_folder)
    assert printed.endswith("leakage: no test query in training\n")
    # The folder has no lengths: that is said, and no share is made up.
    assert f"{encoder_folder} does not say how much of a text the encoder reads" in printed
    (own_collection / "qrels" / "test.tsv").unlink()
    assert "leakage: nothing to compare" in clir("collection", "stats", own_collection, "--strict")


def test_a_folder_without_a_tokenizer_is_named(small: Path, clir: Callable[..., str]) -> None:
    assert f"{small / 'tokenizer.json'}: no such file" in clir("collection", "stats", small, "--encoder", small)
    (small / "tokenizer.json").write_text("{}")
    assert f"{small / 'tokenizer.json'}: no tokenizer" in clir("collection", "stats", small, "--encoder", small)


def test_settings_as_others_publish_them_are_read(small: Path, encoder_folder: Path, clir: Callable[..., str]) -> None:
    (small / "tokenizer.json").write_bytes((encoder_folder / "tokenizer.json").read_bytes())
    settings = small / "config_sentence_transformers.json"
    settings.write_text('{"query_length": 32, "document_length": null, "prompts": {}}')
    printed = clir("collection", "stats", small, "--encoder", small)
    assert f"{small} does not say how much of a text the encoder reads" in printed
    settings.write_text("[]")
    assert f"{settings}: expected a JSON object" in clir("collection", "stats", small, "--encoder", small)
