"""Fetching and reading published files: every way in which it can fail is one line, and nothing is fetched here."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import huggingface_hub
import pyarrow
import pytest
import requests
from huggingface_hub import constants, errors
from pyarrow import parquet
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError

from clir_ot.errors import UserError
from clir_ot.sources.hub import Terms, choose_languages, obtain, obtain_archive, reason, require_accepted
from clir_ot.sources.hub_files import judgements, records, table


def line_of(fail: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        fail()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def answering(code: int, kind: type[errors.HfHubHTTPError]) -> errors.HfHubHTTPError:
    url = "https://huggingface.co/api/datasets/a/b"
    return kind(f"{code} Client Error\n\nmore", response=httpx2.Response(code, request=httpx2.Request("GET", url)))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answering(404, errors.RepositoryNotFoundError), "a/b: the hub has no such data set, or it is private"),
        (
            answering(403, errors.GatedRepoError),
            "accept their terms: do so at https://huggingface.co/datasets/a/b, run `hf auth login`",
        ),
        (answering(503, errors.HfHubHTTPError), "a/b: could not be fetched (503 Client Error"),
        (errors.LocalEntryNotFoundError("Got: ConnectError: x\nmore"), "(Got: ConnectError: x); check the network"),
        (errors.HFValidationError("bad name"), "a/b: the hub has no such data set"),
    ],
)
def test_what_the_hub_answers_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception, expected: str) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise error

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    assert expected in line_of(lambda: obtain("a/b", ["x"], None))


def test_without_network_the_library_itself_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    said = line_of(lambda: obtain("miracl/miracl", ["x"], None))
    assert said.startswith("miracl/miracl: HF_HUB_OFFLINE is set and it was not fetched before; unset it")
    said = line_of(lambda: obtain_archive("o/n", "https://github.com/o/n/archive/x.zip", None))
    assert said.startswith("o/n: HF_HUB_OFFLINE is set")


def test_of_errors_in_errors_the_innermost_is_the_reason() -> None:
    resolved = OSError("Failed to resolve 'a.b' ([Errno -2] Name or service not known)")
    retried = MaxRetryError(HTTPSConnectionPool("a.b"), "/c.zip", resolved)
    assert reason(requests.ConnectionError(retried)) == str(resolved)
    assert reason(FileNotFoundError("https://a.b/c.zip")) == "no network, or no such file there"
    assert reason(OSError(2, "No such file or directory", "a")) == "[Errno 2] No such file or directory: 'a'"
    assert reason(TimeoutError()) == "TimeoutError"


def test_a_fetched_set_and_a_copy_are_read_alike(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshots" / "c0ffee"
    for root in (snapshot, tmp_path / "one" / "b", tmp_path / "two" / "a" / "b", tmp_path / "three"):
        root.mkdir(parents=True)
        for number in (10, 2, 1):
            (root / f"docs-{number}.tsv").write_text(f"{number}\tx\n")
    asked: dict[str, Any] = {}

    def fetch(repository: str, **options: Any) -> str:
        asked.update(options, repository=repository)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    copies = [obtain("a/b", ["docs-*.tsv"], None)]
    assert asked == {"repository": "a/b", "repo_type": "dataset", "allow_patterns": ["docs-*.tsv"]}
    copies += [obtain("a/b", ["docs-*.tsv"], tmp_path / name) for name in ("one", "two", "three")]
    assert [copy.version for copy in copies] == ["commit c0ffee", *["a local copy"] * 3]
    for copy in copies:
        assert [number for number, _ in table(copy.files("docs-*.tsv"), 2)] == ["1", "2", "10"]
    said = line_of(lambda: obtain("a/b", ["new/*.parquet"], None))
    assert "a/b: the hub has no file new/*.parquet there" in said
    said = line_of(lambda: copies[1].files("x.tsv", "y.tsv"))
    assert "no file x.tsv or y.tsv, as a/b has; there is docs-1.tsv, docs-10.tsv, docs-2.tsv" in said
    assert "missing: no such folder" in line_of(lambda: obtain("a/b", ["x"], tmp_path / "missing"))


@pytest.fixture
def rows(tmp_path: Path) -> list[Path]:
    """The same rows as JSON lines, compressed JSON lines and Parquet."""
    content = [{"id": "1", "text": "2019-01-01", "n": 1}, {"id": "2", "text": "a\u2028b", "n": 2}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
    paths = [tmp_path / name for name in ("a.jsonl", "a.jsonl.gz", "a.parquet")]
    paths[0].write_text(lines, encoding="utf-8")
    paths[1].write_bytes(gzip.compress(lines.encode()))
    parquet.write_table(pyarrow.Table.from_pylist(content), paths[2])
    return paths


def test_rows_are_the_same_in_every_format(rows: list[Path]) -> None:
    for path in rows:
        assert [*records([path], ("id", "text"))] == [
            {"id": "1", "text": "2019-01-01"}, {"id": "2", "text": "a\u2028b"},
        ]  # fmt: skip


def test_a_changed_schema_names_the_missing_column_and_what_there_is(rows: list[Path]) -> None:
    for path, place in zip(rows, (":1", ":1", ""), strict=True):
        said = line_of(lambda path=path: [*records([path], ("id", "docid"))])  # type: ignore[misc]
        assert said.startswith(f"{path}{place}: no column 'docid'; there are id, text, n")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"id": "1"}\n{"id"', ":2: expected a JSON object on one line"),
        ("a.jsonl", b"[1]\n", ":1: expected a JSON object on one line (found '[1]')"),
        ("a.jsonl", b"5\n", ":1: expected a JSON object"),
        ("a.jsonl.gz", gzip.compress(b'{"id": "1"}\n' * 50, mtime=0)[:-12], "cannot be read"),
        ("a.parquet", b"PAR1 not really", "cannot be read as Parquet"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    said = line_of(lambda: [*records([tmp_path / name], ("id",))])
    assert str(tmp_path / name) in said
    assert expected in said


def test_judgements_are_read_in_trecs_and_in_beirs_format(tmp_path: Path) -> None:
    (tmp_path / "trec").write_text("q1 0 d1 3\nq1\tQ0\td2\t0\n")
    (tmp_path / "beir").write_text("query-id\tcorpus-id\tscore\nq1\td1\t3\nq1\td2\t0\n")
    for name in ("trec", "beir"):
        assert [*judgements([tmp_path / name])] == [("q1", "d1", 3), ("q1", "d2", 0)]
    for content in ("q1 0 d1\n", "q1 d1\n", "q1 0 d1 high\n"):
        (tmp_path / "bad").write_text(f"q1 0 d1 1\n{content}")
        assert f"{tmp_path / 'bad'}:2: expected query" in line_of(lambda: [*judgements([tmp_path / "bad"])])
    (tmp_path / "bad").write_text("a\tb\tc\n")
    assert f"{tmp_path / 'bad'}:1: expected 2 fields" in line_of(lambda: [*table([tmp_path / "bad"], 2)])


def test_terms_must_be_accepted_and_languages_be_there() -> None:
    terms = Terms("it is for research only", "https://example.org/terms")
    said = line_of(lambda: require_accepted("set", terms, False))
    assert said == (
        "set: it is for research only; read https://example.org/terms and, if you agree, add --accept-licence"
    )
    require_accepted("set", terms, True)
    assert choose_languages("set", ("yo", "ha"), None) == ["ha", "yo"]
    assert choose_languages("set", ("yo", "ha"), ["yo"]) == ["yo"]
    assert line_of(lambda: choose_languages("set", ("yo", "ha"), ["de"])) == "set has no language 'de'; it has ha, yo"
