"""An encoder by its name on the hub is the one of its folder, projection and all; a plain one gets a new projection."""

from pathlib import Path

import httpx2
import huggingface_hub
import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import filter_repo_objects

from clir_ot import TokenEncoder
from clir_ot.errors import UserError
from clir_ot.models.hub_snapshot import local_folder

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def push(cache: Path, name: str, folder: Path) -> Path:
    """Lay a folder out as the hub's own library keeps what it has fetched; returns the snapshot."""
    place = cache / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(COMMIT)
    snapshot = place / "snapshots" / COMMIT
    snapshot.parent.mkdir()
    snapshot.symlink_to(folder, target_is_directory=True)
    return snapshot


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_a_pushed_encoder_has_its_own_projection_and_settings(
    encoder_folder: Path, tmp_path: Path, cache: Path, scoring: str
) -> None:
    options = {"dimensions": 8, "query_prefix": "query: ", "query_length": 12, "scoring": scoring}
    TokenEncoder.from_pretrained(encoder_folder, **options).save_pretrained(tmp_path / "encoder")
    push(cache, "me/yoruba", tmp_path / "encoder")
    found, expected = (TokenEncoder.from_pretrained(name) for name in ("me/yoruba", tmp_path / "encoder"))
    assert torch.equal(found.projection.weight, expected.projection.weight)
    assert (found.scoring, found.tokenizer.query_prefix, found.tokenizer.query_length) == (scoring, "query: ", 12)


def test_a_plain_encoder_gets_a_new_projection_and_it_is_said_where_nobody_can_know(
    encoder_folder: Path, cache: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    push(cache, "me/plain", encoder_folder)
    assert TokenEncoder.from_pretrained("me/plain", dimensions=7).projection.out_features == 7
    assert "me/plain: without network, and modules.json is not in the cache" in capsys.readouterr().out

    def missing(*_: object, **__: object) -> str:  # what the hub answers
        raise EntryNotFoundError("404")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", missing)
    assert TokenEncoder.from_pretrained("me/plain", dimensions=7).projection.out_features == 7
    assert capsys.readouterr().out == ""


def test_a_projection_that_cannot_be_had_is_no_new_one(encoder_folder: Path, tmp_path: Path, cache: Path) -> None:
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "1_Dense" / "model.safetensors").unlink()
    snapshot = push(cache, "me/yoruba", tmp_path / "encoder")
    with pytest.raises(UserError, match=f"{snapshot / '1_Dense'}: no weights there"):
        TokenEncoder.from_pretrained("me/yoruba", dimensions=8)


def test_what_is_published_under_a_name_is_read_as_from_a_folder(
    encoder_folder: Path, tmp_path: Path, cache: Path
) -> None:
    (tmp_path / "encoder").mkdir()
    for path in encoder_folder.iterdir():
        (tmp_path / "encoder" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "encoder" / "artifact.metadata").write_text('{"query_token_id": "[unused0]"}')
    push(cache, "me/colbert", tmp_path / "encoder")
    with pytest.raises(UserError, match=r"Stanford's ColBERT.*\[unused0\]"):
        TokenEncoder.from_pretrained("me/colbert", dimensions=8)


def test_weights_are_fetched_in_one_format(
    encoder_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = [
        "config.json", "tokenizer.json", "sentencepiece.bpe.model", "vocab.txt", "artifact.metadata", "modules.json",
        "1_Dense/config.json", "model.safetensors", "1_Dense/model.safetensors", "onnx/model.onnx", "onnx/config.json",
        "model.fp16.safetensors", "tf_model.h5", "README.md", "pytorch_model.bin",
    ]  # fmt: skip
    asked: list[set[str]] = []

    def fetch(name: str, *, revision: str | None = None, **patterns: list[str]) -> str:
        asked.append(set(filter_repo_objects(published, **patterns)))
        return str(tmp_path / COMMIT)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    (tmp_path / COMMIT).mkdir()
    (tmp_path / COMMIT / "modules.json").touch()
    local_folder("me/torch")
    (tmp_path / COMMIT / "model.safetensors").touch()
    local_folder("me/safe")
    unwanted = {"onnx/model.onnx", "onnx/config.json", "model.fp16.safetensors", "tf_model.h5", "README.md"}
    safe = set(published) - unwanted - {"pytorch_model.bin"}
    assert asked == [safe, {"pytorch_model.bin"}, safe]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LocalEntryNotFoundError("no network"), "a/b: no such folder, and the hub cannot be reached (no network)"),
        (GatedRepoError, "a/b: its owners ask you to accept their terms: do so at https://huggingface.co/a/b, run"),
        (RepositoryNotFoundError, "a/b: no encoder there, neither a folder nor a model on the hub (403 Client Error)"),
        (HfHubHTTPError, "a/b: could not be fetched (403 Client Error)"),
        (OSError("disk"), "a/b: could not be fetched (disk)"),
    ],
)
def test_what_the_hub_answers_is_one_line(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | type[HfHubHTTPError], said: str
) -> None:
    def refuse(*_: object, **__: object) -> str:
        if isinstance(error, Exception):
            raise error
        request = httpx2.Request("HEAD", "https://huggingface.co/a/b")
        raise error("403 Client Error\n\nmore", response=httpx2.Response(403, request=request))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained("a/b")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nobody/nothing", "nobody/nothing: no such folder, and the hub cannot be reached ("),
        ("runs/teacher/encoder", "runs/teacher/encoder: no such folder, nor could a model on the hub have that name"),
        ("/no/where", "/no/where: no such folder, nor could a model on the hub have that name"),
    ],
)
def test_offline_a_name_that_is_no_folder_is_told(cache: Path, name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(name)
    assert str(caught.value).startswith(said)
