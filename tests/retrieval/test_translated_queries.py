"""The file of translated queries: what is written, what is kept, what is translated."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.errors import UserError
from clir_ot.retrieval import translated_queries as module
from clir_ot.retrieval.translated_queries import pick_translations, translate_queries

Make = Callable[..., Path]


class Shouting:
    """Stands for a model: its English is the text in capitals; remembers what it was loaded for and given."""

    loaded: list[tuple[str, str, int]]
    given: list[str]

    def __init__(self, model: str, language: str, beams: int) -> None:
        self.loaded.append((str(model), language, beams))

    def __call__(self, texts: Sequence[str], progress: Callable[[int], None]) -> list[str]:
        self.given.extend(texts)
        progress(len(texts))
        return [text.upper() if "bara" not in text else "" for text in texts]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> type[Shouting]:
    Shouting.loaded, Shouting.given = [], []
    monkeypatch.setattr("clir_ot.retrieval.translation.Translator", Shouting)
    return Shouting


def records(path: Path) -> dict[str, dict[str, object]]:
    return {record["_id"]: record for record in map(json.loads, path.read_text().splitlines())}


def test_a_model_is_loaded_once_and_its_english_kept(
    own_collection: Path, translator_folder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = translator_folder("m2m100"), Collection(own_collection).fingerprint()
    done: list[int] = []
    path = translate_queries(Collection(own_collection), "yor", folder, "test", beams=1, progress=done.append)
    assert path == own_collection / "queries.yo-en.jsonl"
    judged, _ = Collection(own_collection).judged("test", "yo")
    assert sum(done) == len(judged) == 18
    assert list(records(path)) == list(judged)
    for record in records(path).values():
        assert record.keys() == {"_id", "text", "model", "beams"}
        assert record["model"] == str(folder)
        assert record["text"]

    collection = Collection(own_collection)
    assert collection.query_languages == ["en", "sw", "yo"]
    assert collection.fingerprint() == before
    assert pick_translations(collection, "yo", judged) == {name: r["text"] for name, r in records(path).items()}

    content = path.read_bytes()
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *_, **__: pytest.fail("loaded again"))
    assert translate_queries(collection, "yo", folder, "test", beams=1) == path
    assert path.read_bytes() == content


def test_only_missing_queries_are_translated(own_collection: Path, model: type[Shouting]) -> None:
    collection = Collection(own_collection)
    queries = collection.queries("yo")
    brought = (
        '{"_id": "d3.1", "text": "brought by hand", "by": "me"}\n{"_id": "elsewhere", "text": "x", "model": "y"}\n'
    )
    path = own_collection / "queries.yo-en.jsonl"
    path.write_text(brought)
    assert translate_queries(collection, "yo", "a/model", beams=2) == path
    assert model.loaded == [("a/model", "yo", 2)]
    assert model.given == [text for name, text in queries.items() if name != "d3.1"]
    assert path.read_text().startswith(brought), "what was there is kept as it was"
    assert records(path).keys() == {*queries, "elsewhere"}
    assert records(path)["d0.0"] == {"_id": "d0.0", "text": queries["d0.0"].upper(), "model": "a/model", "beams": 2}
    assert collection.translated_queries("yo")["d3.1"] == "brought by hand"

    translate_queries(collection, "yo", "a/model", beams=2)
    assert len(model.loaded) == 1


def test_a_query_of_which_the_model_makes_nothing_stays(own_collection: Path, model: type[Shouting]) -> None:
    (own_collection / "queries.yo.jsonl").write_text('{"_id": "d3.0", "text": "bara"}\n{"_id": "d3.1", "text": "de"}\n')
    path = translate_queries(Collection(own_collection), "yo", "a/model")
    assert {name: record["text"] for name, record in records(path).items()} == {"d3.0": "bara", "d3.1": "DE"}


def test_translations_made_otherwise_are_not_mixed_in(own_collection: Path, model: type[Shouting]) -> None:
    collection = Collection(own_collection)
    path = translate_queries(collection, "yo", "a/model", "test")
    content = path.read_bytes()
    with pytest.raises(UserError, match=r"queries\.yo-en\.jsonl:1: was translated with model a/model, not b/model"):
        translate_queries(collection, "yo", "b/model", "test")
    with pytest.raises(UserError, match=r"queries\.yo-en\.jsonl:1: was translated with beams 4, not 1"):
        translate_queries(collection, "yo", "a/model", "test", beams=1)
    assert path.read_bytes() == content
    assert len(model.loaded) == 1


def test_what_was_translated_before_an_interruption_is_kept(
    own_collection: Path, model: type[Shouting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 10)
    collection, queries = Collection(own_collection), Collection(own_collection).queries("yo")

    def stop(done: int) -> None:
        if len(model.given) > 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        translate_queries(collection, "yo", "a/model", progress=stop)
    path = own_collection / "queries.yo-en.jsonl"
    assert list(records(path)) == list(queries)[:20]
    with pytest.raises(UserError, match=r"lacks 52 of 72 queries, 'd6\.2' first.*clir-ot translate --model"):
        pick_translations(collection, "yo", queries)
    model.given.clear()
    translate_queries(collection, "yo", "a/model")
    assert model.given == list(queries.values())[20:]
    assert list(pick_translations(collection, "yo", queries)) == list(queries)
    assert [p.name for p in own_collection.iterdir() if p.name.startswith(".")] == []


def test_a_compressed_file_stays_compressed(own_collection: Path, model: type[Shouting]) -> None:
    path = own_collection / "queries.yo-en.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "d0.0", "text": "brought"}\n'))
    collection = Collection(own_collection)
    assert translate_queries(collection, "yo", "a/model") == path
    assert len(collection.translated_queries("yo")) == 72
    assert collection.translated_queries("yo")["d0.0"] == "brought"


def test_english_and_malformed_files_are_refused(own_collection: Path, model: type[Shouting]) -> None:
    with pytest.raises(UserError, match="need no translation"):
        translate_queries(Collection(own_collection), "eng", "a/model")
    (own_collection / "queries.yo-en.jsonl").write_text('{"_id": "d0.0"}\n')
    with pytest.raises(UserError, match=r"queries\.yo-en\.jsonl:1: expected"):
        translate_queries(Collection(own_collection), "yo", "a/model")
    assert not model.loaded
