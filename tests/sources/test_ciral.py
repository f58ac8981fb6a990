"""CIRAL in its two repositories' layout: English questions, numbered anew in each language."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.sources.ciral import NAMES


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "from"
    (root / "ciral-corpus" / "passages-v1.0").mkdir(parents=True)
    for code, name in NAMES.items():
        rows = [
            {"docid": f"DOCID#{n}#0", "title": f"{name} {n}", "text": "Habari.", "url": "https:/x"} for n in range(3)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (root / "ciral-corpus" / "passages-v1.0" / f"{name}_passages.jsonl").write_text(lines)
        for kind in ("topics", "qrels"):
            (root / "ciral" / f"ciral-{name}" / kind).mkdir(parents=True)
        for number, part in enumerate(("dev", "test-a", "test-b"), start=1):
            folder = root / "ciral" / f"ciral-{name}"
            (folder / "topics" / f"topics.ciral-v1.0-{code}-{part}.tsv").write_text(f"{number}\tOf {name} in {part}?\n")
            judged = f"{number} Q0 DOCID#0#0 1\n"
            (folder / "qrels" / f"qrels.ciral-v1.0-{code}-{part}.tsv").write_text(judged)
            if part == "test-a":
                pools = f"{judged}{number} Q0 DOCID#1#0 0\n"
                (folder / "qrels" / f"qrels.ciral-v1.0-{code}-{part}-pools.tsv").write_text(pools)
    return root


def test_english_questions_judge_each_languages_passages(
    source: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    clir("collection", "build", "ciral", tmp_path / "built", "--from", source, "--quiet")
    built = Collection(tmp_path / "built")
    assert find_problems(tmp_path / "built", []).count == 0
    assert built.document_languages == ["ha", "so", "sw", "yo"]
    assert built.query_languages == ["en"]
    assert built.documents("yo")["yo-DOCID#1#0"] == "yoruba 1\nHabari."
    assert built.queries()["sw-test-b-3"] == "Of swahili in test-b?"
    assert len(built.queries()) == 12
    assert built.judged("dev", "en", "yo")[1] == {"yo-dev-1": {"yo-DOCID#0#0": 1}}
    assert built.judged("test", "en", "ha")[1] == {
        "ha-test-a-2": {"ha-DOCID#0#0": 1, "ha-DOCID#1#0": 0},  # of the pools
        "ha-test-b-3": {"ha-DOCID#0#0": 1},
    }


def test_some_languages_and_problems(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    command = ("collection", "build", "ciral", tmp_path / "built", "--from", source, "--quiet", "--languages")
    assert "ciral has no language 'en'; it has ha, so, sw, yo" in clir(*command, "en")
    (source / "ciral" / "ciral-hausa" / "topics" / "topics.ciral-v1.0-ha-dev.tsv").unlink()
    assert "no file ciral-hausa/topics/topics.ciral-v1.0-ha-dev.tsv, as CIRAL/ciral has" in clir(*command, "ha")
    clir(*command, "yo")
    assert Collection(tmp_path / "built").document_languages == ["yo"]
    assert "Apache 2.0" in (tmp_path / "built" / "README.md").read_text()
