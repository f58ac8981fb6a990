"""MIRACL in its two repositories' layout: languages whose ids are the same and mean different things."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "from"
    for code in ("en", "sw", "yo"):
        corpus, rest = root / "miracl-corpus" / f"miracl-corpus-v1.0-{code}", root / "miracl" / f"miracl-v1.0-{code}"
        for folder in (corpus, rest / "topics", rest / "qrels"):
            folder.mkdir(parents=True)
        for number in (0, 1, 10):
            row = {"docid": f"{number}#0", "title": f"{code} {number}", "text": "Mwanzo." if number else ""}
            (corpus / f"docs-{number}.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode() + b"\n"))
        for split in ("train", "dev") if code != "yo" else ("dev",):
            (rest / "topics" / f"topics.miracl-v1.0-{code}-{split}.tsv").write_text(f"{split}#0\t{code} {split}?\n")
            judged = f"{split}#0\tQ0\t1#0\t1\n{split}#0\tQ0\t10#0\t0\n"
            (rest / "qrels" / f"qrels.miracl-v1.0-{code}-{split}.tsv").write_text(judged)
        (rest / "topics" / f"topics.miracl-v1.0-{code}-test-a.tsv").write_text("t#0\tnot judged?\n")
    return root


def test_each_language_has_its_own_ids_and_judgements(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    clir("collection", "build", "miracl", tmp_path / "built", "--from", source, "--languages", "en,sw,yo", "--quiet")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert list(built.documents("sw")) == ["sw-0#0", "sw-1#0", "sw-10#0"]  # docs-2 before docs-10
    assert dict(built.documents("yo")) == {"yo-0#0": "yo 0\n", "yo-1#0": "yo 1\nMwanzo.", "yo-10#0": "yo 10\nMwanzo."}
    assert dict(built.queries("sw")) == {"sw-train#0": "sw train?", "sw-dev#0": "sw dev?"}
    assert dict(built.queries("yo")) == {"yo-dev#0": "yo dev?"}
    assert built.qrels("dev", "sw") == {"sw-dev#0": {"sw-1#0": 1, "sw-10#0": 0}}
    assert built.judged("dev", "yo", "yo")[1] == {"yo-dev#0": {"yo-1#0": 1, "yo-10#0": 0}}
    assert built.is_judged("train", "en")
    assert not built.is_judged("train", "yo")
    readme = (tmp_path / "built" / "README.md").read_text()
    assert "Apache 2.0" in readme
    assert "arXiv 2210.09984" in readme


def test_one_language_alone_has_no_english(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    clir("collection", "build", "miracl", tmp_path / "built", "--from", source, "--languages", "yo", "--quiet")
    assert Collection(tmp_path / "built").document_languages == ["yo"]
    assert find_problems(tmp_path / "built", []).count == 0


def test_problems_are_one_line(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    command = ("collection", "build", "miracl", tmp_path / "built", "--from", source, "--languages")
    assert "miracl has no language 'ha'; it has ar, bn" in clir(*command, "ha")
    assert "no file miracl-corpus-v1.0-te/docs-*.jsonl.gz, as miracl/miracl-corpus has" in clir(*command, "te")
    path = source / "miracl-corpus" / "miracl-corpus-v1.0-sw" / "docs-1.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"_id": "1#0", "title": "", "contents": "x"}\n'))
    assert f"{path}:1: no column 'docid'; there are _id, title, contents" in clir(*command, "sw")
    path.unlink()  # a copy that lacks a file: what it judges is not there
    assert "qrels/train.sw, texts that are judged are not there, such as document 'sw-1#0'" in clir(*command, "sw")
    assert not (tmp_path / "built").exists()
