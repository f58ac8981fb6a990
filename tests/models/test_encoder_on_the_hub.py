"""An encoder by its name on the hub is the one of its folder, projection and all; a plain one gets a new projection."""

from pathlib import Path

import httpx2
import huggingface_hub
import pytest
import torch
import transformers
from huggingface_hub import constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from clir_ot import TokenEncoder
from clir_ot.errors import UserError

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
    assert "me/plain: without network, and config_sentence_transformers.json is not in the cache" in (
        capsys.readouterr().out
    )

    def missing(*_: object, **__: object) -> str:  # what the hub answers
        raise EntryNotFoundError("404")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", missing)
    assert TokenEncoder.from_pretrained("me/plain", dimensions=7).projection.out_features == 7
    assert capsys.readouterr().out == ""


def test_a_projection_that_cannot_be_had_is_no_new_one(encoder_folder: Path, tmp_path: Path, cache: Path) -> None:
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "1_Dense" / "model.safetensors").unlink()
    push(cache, "me/yoruba", tmp_path / "encoder")
    with pytest.raises(UserError, match=r"me/yoruba: has config_sentence_transformers.json with lengths, but no proj"):
        TokenEncoder.from_pretrained("me/yoruba")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LocalEntryNotFoundError("no network"), "a/b: no such folder, and the hub cannot be reached ("),
        (GatedRepoError, "a/b: its owners ask you to accept their terms: do so at https://huggingface.co/a/b, run"),
        (RepositoryNotFoundError, "a/b: no encoder there, neither a Hugging Face folder nor a hub name ("),
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

    monkeypatch.setattr(transformers.utils.hub, "hf_hub_download", refuse)
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained("a/b")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
