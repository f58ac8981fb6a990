"""Encoded documents on disk: the same bits as a fresh encoding, and never those of something else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from clir_ot import Collection, TokenEncoder
from clir_ot.errors import UserError
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.retrieval import stored_index
from clir_ot.retrieval.codecs import Int8
from clir_ot.retrieval.index_folder import Facts, StoredIndex
from clir_ot.retrieval.search import search
from clir_ot.retrieval.stored_index import build_index, open_index
from clir_ot.retrieval.token_index import TokenIndex, encode


def opened(folder: Path, encoder: Path, collection: Path, language: str = "en") -> StoredIndex:
    loaded = TokenEncoder.from_pretrained(encoder, dimensions=8)
    return open_index(folder, loaded, fingerprint(encoder), Collection(collection), language)


@pytest.fixture
def index_folder(teacher_folder: Path, collection_folder: Path, tmp_path: Path) -> Path:
    opened(tmp_path / "index", teacher_folder, collection_folder)
    return tmp_path / "index"


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_what_is_read_is_bit_for_bit_what_is_encoded(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scoring: str
) -> None:
    folder, place = tmp_path / "encoder", tmp_path / "some" / "index"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring=scoring).save_pretrained(folder)
    encoder, collection = TokenEncoder.from_pretrained(folder), Collection(collection_folder)
    fresh = encode(encoder, encoder.tokenizer.documents, collection.documents())
    monkeypatch.setattr(stored_index, "_SHARD", 10)
    done: list[int] = []
    made = open_index(place, encoder, fingerprint(folder), collection, counter=lambda what, total: done.append)
    assert sum(done) == len(fresh.ids)
    assert [path.name for path in place.parent.iterdir()] == ["index"], "something else was left"

    monkeypatch.setattr(stored_index, "encode", lambda *_: pytest.fail("encoded a second time"))
    read = open_index(place, encoder, fingerprint(folder), collection)
    for stored in (made, read):
        assert len(stored) == 24
        assert [len(shard.lengths) for shard in stored.shards()] == [10, 10, 4]
        index = stored.load()
        assert index.ids == fresh.ids == stored.names(range(24))
        assert torch.equal(index.lengths, fresh.lengths)
        assert index.vectors.dtype == torch.float32
        assert index.vectors.numpy().tobytes() == fresh.vectors.numpy().tobytes()
    queries = encode(encoder, encoder.tokenizer.queries, collection.queries("yo"))
    assert search(queries, read) == search(queries, fresh)
    assert search(queries, read, depth=3) == search(queries, fresh, depth=3)
    some = read.select(["d23", "d5", "nowhere", "d11"])
    assert some.ids == ["d5", "d11", "d23"]
    assert torch.equal(some.vectors, fresh.select(some.ids).vectors)
    assert read.select([]).ids == []


def test_an_index_of_another_encoder_or_of_other_documents_is_refused(
    index_folder: Path, teacher_folder: Path, encoder_folder: Path, collection_folder: Path, own_collection: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    other = tmp_path / "other"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(other)
    with pytest.raises(UserError) as caught:
        opened(index_folder, other, collection_folder)
    for part in (index_folder, fingerprint(teacher_folder), fingerprint(other), "remove this one"):
        assert str(part) in str(caught.value)
    assert "\n" not in str(caught.value)

    with (own_collection / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "new", "text": "bara"}\n')
    with pytest.raises(UserError, match="of other documents") as caught:
        opened(index_folder, teacher_folder, own_collection)
    assert Collection(own_collection).fingerprint("corpus") in str(caught.value)
    with pytest.raises(UserError, match="of other documents"):
        opened(index_folder, teacher_folder, collection_folder, "yo")
    assert len(opened(index_folder, teacher_folder, collection_folder)) == 24


def test_an_encoder_whose_projection_is_drawn_on_loading_cannot_read_its_index_later(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    opened(tmp_path / "index", encoder_folder, collection_folder)
    with pytest.raises(UserError, match=r"another projection.*save_pretrained"):
        opened(tmp_path / "index", encoder_folder, collection_folder)


def _facts(key: str, value: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        facts = json.loads((folder / "index.json").read_text())
        (folder / "index.json").write_text(json.dumps({**facts, key: value}))

    return change


def _cut(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return change


def _of_another(fact: str) -> Callable[[Path], None]:
    """A shard that was copied from an index of something else."""

    def change(folder: Path) -> None:
        path = folder / "00000.safetensors"
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        index = StoredIndex(folder, Facts(**{**json.loads((folder / "index.json").read_text()), fact: "x"}), Int8())
        index.write(0, TokenIndex([f"d{i}" for i in range(24)], tensors["lengths"], tensors["vectors"]))

    return change


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (_cut("index.json"), "damaged"),
        (lambda folder: (folder / "index.json").write_text("[]"), "damaged"),
        (_cut("00000.safetensors"), "damaged"),
        (_of_another("corpus"), "belongs to another one"),
        (_facts("documents", 3), "files disagree"),
        (_facts("dimensions", 16), "files disagree"),
        (_facts("precision", "float16"), "belongs to another one"),
        (_facts("precision", "float8"), "damaged"),
        (_facts("shard", 0), "damaged"),
        (_facts("format", 99), "format 99"),
        (lambda folder: (folder / "index.json").unlink(), "is no index"),
    ],
)
def test_a_damaged_index_is_named_and_left_alone(
    index_folder: Path, teacher_folder: Path, collection_folder: Path, damage: Callable[[Path], None], expected: str
) -> None:
    damage(index_folder)
    before = {path.name: path.read_bytes() for path in index_folder.iterdir()}
    with pytest.raises(UserError, match=expected) as caught:
        opened(index_folder, teacher_folder, collection_folder).load()
    assert str(index_folder) in str(caught.value)
    assert "remove" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in index_folder.iterdir()} == before
    shutil.rmtree(index_folder)
    assert len(opened(index_folder, teacher_folder, collection_folder)) == 24


def test_a_folder_of_something_else_is_not_written_over(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    for place in (tmp_path / "thesis", tmp_path / "thesis" / "chapter.txt"):
        with pytest.raises(UserError, match="is no index"):
            opened(place, teacher_folder, collection_folder)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    assert len(opened(tmp_path / "empty", teacher_folder, collection_folder)) == 24


def test_an_interrupted_encoding_goes_on_after_its_last_whole_shard(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_index, "_SHARD", 10)
    encoded: list[int] = []

    def count(*arguments: Any) -> TokenIndex:
        encoded.append(len(arguments[2]))
        if len(encoded) == 2:
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(stored_index, "encode", count)
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path / "index", teacher_folder, collection_folder)
    # What a kill leaves in the middle of writing a shard.
    half = tmp_path / "index" / ".00001.safetensors.x7x7x7x7"
    half.mkdir()
    (half / "00001.safetensors").write_bytes(b"half")
    index = opened(tmp_path / "index", teacher_folder, collection_folder)
    assert encoded == [10, 10, 10, 4]
    assert {path.name for path in (tmp_path / "index").iterdir() if path.name[0] != "."} == {
        "index.json", *(f"0000{number}.safetensors" for number in range(3))
    }  # fmt: skip
    assert not half.exists()
    whole = opened(tmp_path / "whole", teacher_folder, collection_folder)
    assert torch.equal(index.load().vectors, whole.load().vectors)


def test_shares_of_several_machines_make_one_index(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_index, "_SHARD", 5)
    encoder, collection = TokenEncoder.from_pretrained(teacher_folder), Collection(collection_folder)
    made = [
        build_index(tmp_path / "index", encoder, fingerprint(teacher_folder), collection, share=(i, 2)).missing()
        for i in (1, 0)
    ]
    assert made == [[0, 2, 4], []]
    monkeypatch.setattr(stored_index, "encode", lambda *_: pytest.fail("encoded a second time"))
    index = opened(tmp_path / "index", teacher_folder, collection_folder)
    assert index.load().ids == list(collection.documents())


def test_an_index_of_the_format_before_is_encoded_again(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "index"
    index = opened(folder, teacher_folder, collection_folder)
    vectors = index.load().vectors
    facts = json.loads((folder / "index.json").read_text())
    old = {name: facts[name] for name in ("encoder", "projection", "corpus", "language")}
    (folder / "index.json").write_text(json.dumps({"format": 1, **old, "texts": 24}))
    (folder / "00000.safetensors").rename(folder / "vectors.safetensors")
    (folder / "ids.json").write_text("[]")
    again = opened(folder, teacher_folder, collection_folder)
    assert f"{folder}: is an index of format 1; the documents are encoded again" in capsys.readouterr().out
    assert torch.equal(again.load().vectors, vectors)
    assert {path.name for path in folder.iterdir() if path.name[0] != "."} == {"index.json", "00000.safetensors"}


def test_another_precision_is_refused_and_any_is_read(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    encoder, collection = TokenEncoder.from_pretrained(teacher_folder), Collection(collection_folder)
    made_of = encoder, fingerprint(teacher_folder), collection
    open_index(tmp_path / "index", *made_of, precision="int8")
    assert opened(tmp_path / "index", teacher_folder, collection_folder).facts.precision == "int8"
    with pytest.raises(UserError, match="holds vectors in int8, not in float16"):
        open_index(tmp_path / "index", *made_of, precision="float16")
    with pytest.raises(UserError, match="precision 'half' is unknown; expected one of float32, float16, int8, 4bit"):
        open_index(tmp_path / "other", *made_of, precision="half")


def test_large_collections_are_held_in_float16(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = opened(tmp_path / "small", teacher_folder, collection_folder).load().vectors
    monkeypatch.setattr(stored_index, "_LARGE", 24)
    index = opened(tmp_path / "large", teacher_folder, collection_folder)
    assert index.facts.precision == "float16"
    assert torch.equal(index.load().vectors, exact.half().float())
