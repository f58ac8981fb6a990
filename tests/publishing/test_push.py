"""`clir-ot push`: what is said and sent, up to the hub's own client, which is replaced; nothing leaves the machine."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import yaml
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from clir_ot import TokenEncoder
from clir_ot.publishing import hub

Command = Callable[..., str]


@pytest.fixture
def run(encoder_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "teacher"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(folder / "encoder")
    config = {
        "seed_everything": 0,
        "model": {"class_path": "clir_ot.TeacherRanker", "init_args": {"encoder": str(encoder_folder)}},
        "data": {"collection": "mine", "languages": "en"},
        "trainer": {},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "run.json").write_text('{"collection_fingerprint": "c", "steps": 1, "seconds": 1}')
    return folder


class Hub:
    """In the place of `HfApi`'s methods; keeps what it is asked, raises what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.failing: tuple[str, Exception] | None = None
        self.private = False

    def answer(self, name: str, **arguments: Any) -> Any:
        self.asked.append((name, arguments))
        if self.failing and self.failing[0] == name:
            raise self.failing[1]
        return SimpleNamespace(private=self.private)

    def create_repo(self, api: HfApi, repo: str, **options: Any) -> str:
        self.answer("create_repo", repo=repo, token=api.token, **options)
        return f"https://huggingface.co/{repo}"

    def repo_info(self, api: HfApi, repo: str) -> Any:
        return self.answer("repo_info", repo=repo)

    def upload_folder(self, api: HfApi, **options: Any) -> None:
        self.answer("upload_folder", **options)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Hub:
    fake = Hub()
    for name in ("create_repo", "repo_info", "upload_folder"):
        method = getattr(fake, name)
        monkeypatch.setattr(HfApi, name, lambda api, *given, _m=method, **options: _m(api, *given, **options))
    monkeypatch.setattr(hub, "get_token", lambda: "hf_secret")
    return fake


def refusal(status: int) -> HfHubHTTPError:
    response = httpx2.Response(status, request=httpx2.Request("POST", "https://huggingface.co/api/repos/create"))
    return HfHubHTTPError(f"{status} error\nwith more lines", response=response, server_message="not today")


def test_what_goes_is_said_and_sent(run: Path, fake: Hub, clir: Command) -> None:
    printed = clir("push", run, "--repo", "ada/ranker")
    assert f"{run / 'encoder'} goes to ada/ranker:" in printed
    for name in ("model.safetensors", "1_Dense/model.safetensors", "README.md", "modules.json", "tokenizer.json"):
        assert f"MB  {name}\n" in printed
    assert "note: its card has no figures; clir-ot evaluate" in printed
    assert printed.endswith("uploaded: https://huggingface.co/ada/ranker\n")
    assert [name for name, _ in fake.asked] == ["create_repo", "upload_folder"]
    assert fake.asked[0][1] == {"repo": "ada/ranker", "token": "hf_secret", "private": None, "exist_ok": True}
    sent = fake.asked[1][1]
    assert (sent["repo_id"], sent["folder_path"]) == ("ada/ranker", run / "encoder")
    assert "hf_secret" not in printed


def test_the_card_is_made_where_there_is_none_and_kept_where_there_is_one(run: Path, fake: Hub, clir: Command) -> None:
    card = run / "encoder" / "README.md"
    clir("push", run, "--repo", "ada/ranker")
    assert "English ranker" in card.read_text()
    card.write_text("mine")
    (run / "metrics.json").write_text("{}")
    assert "note:" not in clir("push", run, "--repo", "ada/ranker")
    assert card.read_text() == "mine"


def test_an_older_folder_is_told(run: Path, fake: Hub, clir: Command) -> None:
    path = run / "encoder" / "config_sentence_transformers.json"
    path.write_text('{"query_prefix": "", "document_prefix": "", "query_length": 64, "document_length": 256}')
    assert "note: an earlier version wrote this folder" in clir("push", run, "--repo", "ada/ranker")


def test_private_is_asked_for_and_must_be_so(run: Path, fake: Hub, clir: Command) -> None:
    failed = clir("push", run, "--repo", "ada/ranker", "--private")
    assert failed.startswith("FAILED: clir-ot: ada/ranker: exists and is public")
    assert [name for name, _ in fake.asked] == ["create_repo", "repo_info"]
    fake.private = True
    assert "goes to ada/ranker, private:" in clir("push", run, "--repo", "ada/ranker", "--private")
    assert fake.asked[2][1]["private"] is True


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ("create_repo", refusal(401), "the hub does not accept the token; log in again with `hf auth login`"),
        ("create_repo", refusal(403), "the token may not write there"),
        ("upload_folder", refusal(403), "the token may not write there"),
        ("upload_folder", refusal(500), "the hub refuses the upload (HTTP 500: not today)"),
        ("create_repo", httpx2.ConnectError("no route\nto host"), "the hub cannot be reached (no route)"),
        ("upload_folder", ConnectionError("offline mode"), "the hub cannot be reached (offline mode)"),
        ("upload_folder", httpx2.ReadTimeout(""), "the hub cannot be reached (ReadTimeout)"),
    ],
)
def test_a_failure_is_one_line(run: Path, fake: Hub, clir: Command, where: str, error: Exception, said: str) -> None:
    fake.failing = where, error
    failed = clir("push", run, "--repo", "ada/ranker")
    assert failed.startswith("FAILED: clir-ot: ada/ranker: ")
    assert said in failed
    assert "\n" not in failed


def test_without_a_token_nothing_is_asked(run: Path, fake: Hub, clir: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "get_token", lambda: None)
    assert "log in with `hf auth login`, or set HF_TOKEN" in clir("push", run, "--repo", "ada/ranker")
    assert fake.asked == []


def test_the_real_client_says_that_there_is_no_network(
    run: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "get_token", lambda: "hf_x")  # and HF_HUB_OFFLINE is set for all tests
    failed = clir("push", run, "--repo", "ada/ranker")
    assert failed.startswith("FAILED: clir-ot: ada/ranker: the hub cannot be reached (")
    assert "\n" not in failed


@pytest.mark.parametrize("repo", ["ranker", "a/b/c", "ada/ran ker", "ada/..", "ada/"])
def test_a_bad_name_is_refused_first(run: Path, fake: Hub, clir: Command, repo: str) -> None:
    assert clir("push", run, "--repo", repo).startswith(f"FAILED: clir-ot: --repo {repo}: ")
    assert fake.asked == []


def test_a_run_that_is_none(run: Path, fake: Hub, clir: Command, tmp_path: Path) -> None:
    push = ["--repo", "ada/ranker"]
    assert clir("push", tmp_path / "absent", *push) == f"FAILED: clir-ot: {tmp_path / 'absent'}: no such run folder"
    assert "is no run folder (it has no config.yaml)" in clir("push", run / "encoder", *push)
    (run / "encoder").rename(run / "elsewhere")
    assert "training is not complete" in clir("push", run, *push)
    assert fake.asked == []
