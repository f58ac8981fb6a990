"""Encoded documents on disk: the same bits as a fresh encoding, and never those of something else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.errors import UserError
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.retrieval import stored_index
from clir_ot.retrieval.search import search
from clir_ot.retrieval.stored_index import open_index
from clir_ot.retrieval.token_index import TokenIndex, encode


def opened(folder: Path, encoder: Path, collection: Path, language: str = "en") -> TokenIndex:
    return open_index(
        folder, TokenEncoder.from_pretrained(encoder), fingerprint(encoder), Collection(collection), language
    )


@pytest.fixture
def index_folder(saved_encoder: Path, collection_folder: Path, tmp_path: Path) -> Path:
    opened(tmp_path / "index", saved_encoder, collection_folder)
    return tmp_path / "index"


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_what_is_read_is_bit_for_bit_what_is_encoded(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scoring: str
) -> None:
    folder, place = tmp_path / "encoder", tmp_path / "some" / "index"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring=scoring).save_pretrained(folder)
    encoder, collection = TokenEncoder.from_pretrained(folder), Collection(collection_folder)
    fresh = encode(encoder, encoder.tokenizer.documents, collection.documents())
    done: list[int] = []
    made = open_index(place, encoder, fingerprint(folder), collection, progress=done.append)
    assert sum(done) == len(fresh.ids)
    assert [path.name for path in place.parent.iterdir()] == ["index"], "something else was left"

    monkeypatch.setattr(stored_index, "encode", lambda *_: pytest.fail("encoded a second time"))
    read = open_index(place, encoder, fingerprint(folder), collection)
    for index in (made, read):
        assert index.ids == fresh.ids
        assert torch.equal(index.lengths, fresh.lengths)
        assert index.vectors.dtype == torch.float32
        assert index.vectors.numpy().tobytes() == fresh.vectors.numpy().tobytes()
    queries = encode(encoder, encoder.tokenizer.queries, collection.queries("yo"))
    assert search(queries, read) == search(queries, fresh)


def test_an_index_of_another_encoder_or_of_other_documents_is_refused(
    index_folder: Path, saved_encoder: Path, encoder_folder: Path, collection_folder: Path, own_collection: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    other = tmp_path / "other"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(other)
    with pytest.raises(UserError) as caught:
        opened(index_folder, other, collection_folder)
    for part in (index_folder, fingerprint(saved_encoder), fingerprint(other), "remove this one"):
        assert str(part) in str(caught.value)
    assert "\n" not in str(caught.value)

    with (own_collection / "corpus.jsonl").open("a") as file:
        file.write('{"_id": "new", "text": "bara"}\n')
    with pytest.raises(UserError, match="of other documents") as caught:
        opened(index_folder, saved_encoder, own_collection)
    assert Collection(own_collection).fingerprint("corpus") in str(caught.value)
    with pytest.raises(UserError, match="of other documents"):
        opened(index_folder, saved_encoder, collection_folder, "yo")
    assert len(opened(index_folder, saved_encoder, collection_folder).ids) == 24


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


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (_cut("index.json"), "damaged"),
        (lambda folder: (folder / "index.json").write_text("[]"), "damaged"),
        (_cut("ids.json"), "damaged"),
        (_cut("vectors.safetensors"), "damaged"),
        (lambda folder: (folder / "ids.json").unlink(), "damaged"),
        (lambda folder: (folder / "vectors.safetensors").unlink(), "damaged"),
        (lambda folder: (folder / "ids.json").write_text('["d0"]'), "files disagree"),
        (_facts("tokens", 3), "files disagree"),
        (_facts("dimensions", 16), "files disagree"),
        (_facts("format", 99), "format 99"),
        (lambda folder: (folder / "index.json").unlink(), "is no index"),
    ],
)
def test_a_damaged_index_is_named_and_left_alone(
    index_folder: Path, saved_encoder: Path, collection_folder: Path, damage: Callable[[Path], None], expected: str
) -> None:
    damage(index_folder)
    before = {path.name: path.read_bytes() for path in index_folder.iterdir()}
    with pytest.raises(UserError, match=expected) as caught:
        opened(index_folder, saved_encoder, collection_folder)
    assert str(index_folder) in str(caught.value)
    assert "remove" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in index_folder.iterdir()} == before
    shutil.rmtree(index_folder)
    assert len(opened(index_folder, saved_encoder, collection_folder).ids) == 24


def test_a_folder_of_something_else_is_not_written_over(
    saved_encoder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    for place in (tmp_path / "thesis", tmp_path / "thesis" / "chapter.txt"):
        with pytest.raises(UserError, match="is no index"):
            opened(place, saved_encoder, collection_folder)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    assert opened(tmp_path / "empty", saved_encoder, collection_folder).ids


def test_an_interrupted_encoding_leaves_nothing(
    saved_encoder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.torch.save_file", save)
    with pytest.raises(KeyboardInterrupt):
        opened(tmp_path / "index", saved_encoder, collection_folder)
    assert list(tmp_path.iterdir()) == []
