"""`search` in all its ways and `translate`, as a user types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection, TokenEncoder
from clir_ot.collections.trec import read_run, write_run
from clir_ot.models import encoder_folder as encoder_files
from clir_ot.retrieval.bm25 import bm25_search
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import encode

Command = Callable[..., str]


@pytest.fixture(scope="module")
def encoders(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of queries and of documents."""
    folder = tmp_path_factory.mktemp("encoders")
    for name in ("queries", "documents"):
        TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(folder / name)
    return folder / "queries", folder / "documents"


@pytest.fixture
def find(clir: Command, own_collection: Path, tmp_path: Path) -> Callable[..., str]:
    """Search the judged test queries into `found.trec`."""

    def run(*options: object, language: str = "yo") -> str:
        place = ["--collection", own_collection, "--language", language, "--output", tmp_path / "found.trec"]
        return clir("search", *place, *options)

    return run


def translate_by_hand(collection: Path) -> None:
    """English queries under the name of translated ones: what a perfect machine would make."""
    (collection / "queries.yo-en.jsonl").write_bytes((collection / "queries.jsonl").read_bytes())


def test_bm25_finds_translated_queries_and_no_untranslated_ones(
    find: Command, clir: Command, own_collection: Path, tmp_path: Path
) -> None:
    assert (
        find("--bm25")
        == f"FAILED: clir-ot: {tmp_path / 'found.trec'}: the run holds no documents, so there is nothing to write"
    )
    assert "clir-ot translate --model NAME" in find("--bm25", "--translated")
    translate_by_hand(own_collection)
    assert f"18 queries: {tmp_path / 'found.trec'}" in find("--bm25", "--translated", "--depth", 3)
    found, collection = read_run(tmp_path / "found.trec"), Collection(own_collection)
    assert found == bm25_search(collection.judged("test", "en")[0], collection.documents(), depth=3)
    assert {len(scores) for scores in found.values()} == {3}
    assert all(query.split(".")[0] in scores for query, scores in found.items())
    assert (tmp_path / "found.trec").read_text().endswith(" bm25\n")
    table = clir("evaluate", tmp_path / "found.trec", "--collection", own_collection, "--language", "yo")
    assert "found.trec" in table

    (own_collection / "queries.yo-en.jsonl").write_text('{"_id": "d3.0", "text": "bara"}\n')
    assert "lacks 17 of 18 queries, 'd3.1' first" in find("--bm25", "--translated")


def test_documents_of_another_language_are_searched(
    find: Command, own_collection: Path, encoders: tuple[Path, Path], tmp_path: Path
) -> None:
    collection = Collection(own_collection)
    find("--bm25", "--documents", "yor")
    assert read_run(tmp_path / "found.trec") == bm25_search(
        collection.judged("test", "yo", "yo")[0], collection.documents("yo"), depth=1000
    )
    for options in ([], ["--index", tmp_path / "index"]):
        find("--encoder", encoders[0], "--documents", "yo", *options)
        encoder = TokenEncoder.from_pretrained(encoders[0])
        queries, documents = (
            encode(encoder, tokenize, texts)
            for tokenize, texts in (
                (encoder.tokenizer.queries, collection.judged("test", "yo")[0]),
                (encoder.tokenizer.documents, collection.documents("yo")),
            )
        )
        assert read_run(tmp_path / "found.trec") == search(queries, documents, 1000)


def test_an_index_is_made_once_and_finds_the_same(
    find: Command, encoders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, documents = encoders
    both = ["--encoder", queries, "--document-encoder", documents]
    find(*both)
    expected, index = read_run(tmp_path / "found.trec"), tmp_path / "index"
    assert len(expected) == 18
    assert {len(scores) for scores in expected.values()} == {24}
    find(*both, "--index", index)
    assert read_run(tmp_path / "found.trec") == expected
    assert json.loads((index / "index.json").read_text())["encoder"] == encoder_files.fingerprint(documents)

    monkeypatch.setattr("clir_ot.retrieval.stored_index.encode", lambda *_: pytest.fail("encoded a second time"))
    find(*both, "--index", index)
    assert read_run(tmp_path / "found.trec") == expected
    refused = find("--encoder", queries, "--index", index)
    assert refused.startswith(f"FAILED: clir-ot: {index}: was made by encoder")
    assert "\n" not in refused


def test_a_run_is_re_ranked_with_and_without_index(
    find: Command, encoders: tuple[Path, Path], own_collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate_by_hand(own_collection)
    encoder = ["--encoder", encoders[0]]
    find("--bm25", "--translated")
    first = tmp_path / "bm25.trec"
    (tmp_path / "found.trec").rename(first)
    find(*encoder)
    exact = read_run(tmp_path / "found.trec")
    encoded: list[int] = []
    monkeypatch.setattr("clir_ot.retrieval.ranker.encode", lambda *args: encoded.append(len(args[2])) or encode(*args))
    find(*encoder, "--rerank", first, "--depth", 2)
    found = read_run(tmp_path / "found.trec")
    stage = read_run(first)
    assert found.keys() == stage.keys()
    for query, scores in found.items():
        assert scores.keys() == set(list(stage[query])[:2])
        assert scores == pytest.approx({name: exact[query][name] for name in scores}, abs=1e-6)
    assert encoded == [len({name for scores in found.values() for name in scores}), 18]
    assert encoded[0] < 24, "documents that no query needs were encoded"
    find(*encoder, "--rerank", first, "--depth", 2, "--index", tmp_path / "index")
    again = read_run(tmp_path / "found.trec")
    assert all(scores == pytest.approx(found[query], abs=1e-6) for query, scores in again.items())

    write_run({"d3.0": {"d0": 1.0, "nowhere": 2.0}}, first, "x")
    assert "document 'nowhere' for query 'd3.0'" in find(*encoder, "--rerank", first)
    write_run({"d0.0": {"d0": 1.0}}, first, "x")
    assert "query 'd0.0', which is not among the 18 queries" in find(*encoder, "--rerank", first)


def test_translated_queries_are_searched_by_an_encoder(
    find: Command, encoders: tuple[Path, Path], own_collection: Path, tmp_path: Path
) -> None:
    translate_by_hand(own_collection)
    find("--encoder", encoders[0], "--translated", "--depth", 5)
    encoder, collection = TokenEncoder.from_pretrained(encoders[0]), Collection(own_collection)
    queries = encode(encoder, encoder.tokenizer.queries, collection.judged("test", "en")[0])
    expected = search(queries, encode(encoder, encoder.tokenizer.documents, collection.documents()), depth=5)
    assert read_run(tmp_path / "found.trec") == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "give either --encoder DIR or --bm25"),
        (["--encoder", "e", "--bm25"], "give either --encoder DIR or --bm25"),
        (["--bm25", "--index", "i"], "--bm25 reads words and has no use for --index"),
        (["--bm25", "--rerank", "r", "--document-encoder", "d"], "no use for --document-encoder and --rerank"),
        (["--bm25", "--depth", "0"], "--depth is 0; it must be 1 or more"),
        (["--encoder", "e", "--rerank", "missing.trec"], "missing.trec: cannot be read"),
        (["--bm25", "--approximate"], "no use for --approximate"),
        (["--encoder", "e", "--approximate"], "say where it is with --index DIR"),
        (["--encoder", "e", "--approximate", "--index", "i", "--rerank", "r"], "leave --approximate out"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(find: Command, options: list[str], expected: str) -> None:
    refused = find(*options)
    assert refused.startswith("FAILED: clir-ot: ")
    assert expected in refused
    assert "\n" not in refused


def test_english_queries_have_no_translation(find: Command) -> None:
    assert "English queries have no translation" in find("--bm25", "--translated", language="eng")


def test_translate_writes_the_file_that_search_reads(
    clir: Command, find: Command, own_collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reversing:
        """A perfect machine for the made-up language."""

        def __init__(self, model: str, language: str, beams: int) -> None:
            assert (model, language, beams) == ("a/model", "yo", 4)

        def __call__(self, texts: list[str], progress: Callable[[int], None]) -> list[str]:
            progress(len(texts))
            return [" ".join(word[:0:-1] for word in text.split()) for text in texts]

    monkeypatch.setattr("clir_ot.retrieval.translation.Translator", Reversing)
    command = ["translate", "--model", "a/model", "--collection", own_collection, "--language", "yor"]
    path = own_collection / "queries.yo-en.jsonl"
    assert clir(*command, "--split", "test").startswith(f"18 queries: {path}\nnext: clir-ot search --translated")
    assert clir(*command).startswith(f"72 queries: {path}\n")
    collection = Collection(own_collection)
    assert collection.translated_queries("yo") == collection.queries("en")
    assert "18 queries" in find("--bm25", "--translated")
    assert "--beams is 0" in clir(*command, "--beams", 0)
    assert "need no translation" in clir(*command[:-1], "en")


def test_index_encodes_shares_and_search_reads_them(
    clir: Command, find: Command, own_collection: Path, encoders: tuple[Path, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("clir_ot.retrieval.stored_index._SHARD", 10)
    queries, documents = encoders
    place = tmp_path / "index"
    make = [
        "index",
        "--encoder",
        documents,
        "--collection",
        own_collection,
        "--output",
        place,
        "--precision",
        "float16",
    ]
    both = ["--encoder", queries, "--document-encoder", documents, "--index", place]
    assert "2 of 3 shards are missing, which other shares encode" in clir(*make, "--shard", "1/3")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert "1 of 3 shards are missing" in clir(*make)
    monkeypatch.delenv("WORLD_SIZE")
    said = clir(*make)
    assert said.startswith("24 documents, float16, 0.0 MB: ")
    assert f"next: clir-ot search --index {place} --encoder DIR --document-encoder {documents}" in said
    assert "--shard is '3/3'; of four shares it is 0/4" in clir(*make, "--shard", "3/3")
    assert "holds vectors in float16, not in int8" in clir(*make[:-1], "int8")
    find(*both)
    expected = read_run(tmp_path / "found.trec")
    assert {len(scores) for scores in expected.values()} == {24}
    pytest.importorskip("faiss")
    find(*both, "--approximate", "--depth", 5)
    found = read_run(tmp_path / "found.trec")
    assert found.keys() == expected.keys()
    for query, scores in found.items():
        assert scores == pytest.approx({name: expected[query][name] for name in scores}, abs=1e-5)
        assert len(scores) == 5
