"""AfriQA in its repository's layout, and some real lines of it where they are."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.sources.afriqa import build_afriqa

SAMPLE = Path(__file__).parents[3] / "shared/data/samples/afriqa.gold_span_passages.yor.en.train.head20.jsonl"


def place(root: Path, code: str, pivot: str, split: str) -> Path:
    path = root / "data" / "gold_passages" / code / f"gold_span_passages.afriqa.{code}.{pivot}.{split}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def row(number: int, context: str | None, title: str | None, question: str, translated: str) -> dict[str, Any]:
    return {
        "answer_pivot": {"answer_start": [0], "text": ["x"]}, "context": context, "id": str(number),
        "question_lang": question, "question_translated": translated, "title": title, "answer_lang": "x",
    }  # fmt: skip


def write(path: Path, *rows: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "afriqa"
    thomas = ("He was chancellor.", "Bode Thomas")
    write(
        place(root, "yor", "en", "train"),
        row(0, *thomas, "Ki ni iṣẹ ti\t Bọde Thomas?", "What was his work?"),
        row(1, None, None, "Kini iye awọn osisẹ?", "How many workers?"),
    )
    write(place(root, "yor", "en", "test"), row(0, " Facebook is online.", " Facebook", "Ni odun wo?", "In what year?"))
    write(place(root, "hau", "en", "dev"), row(0, *thomas, "Mene ne aikinsa?", "What was his work?"))
    write(place(root, "fon", "fr", "train"), row(0, "Le paludisme.", "Paludisme", "E tɛ nɔ̀n nă?", "Qu'est-ce?"))
    return root


def test_a_passage_is_one_document_whoever_asks_for_it(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "build", "afriqa", tmp_path / "built", "--from", source)
    assert "next: make teacher" in printed
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, ["yo"]).lines()) == []
    assert built.document_languages == ["en", "fr"]
    assert built.query_languages == ["en", "fon", "fr", "ha", "yo"]
    thomas, facebook = built.documents()
    assert dict(built.documents()) == {
        thomas: "Bode Thomas\nHe was chancellor.",
        facebook: "Facebook\nFacebook is online.",
    }
    assert thomas.startswith("en-")
    # The question without a passage is not asked, but its translation is worth something.
    assert dict(built.queries("yo")) == {"yo-train-0": "Ki ni iṣẹ ti Bọde Thomas?", "yo-test-0": "Ni odun wo?"}
    assert built.queries()["yo-train-0"] == "What was his work?"
    assert list(built.bitext("yo")) == [
        ("What was his work?", "Ki ni iṣẹ ti Bọde Thomas?"), ("How many workers?", "Kini iye awọn osisẹ?"),
    ]  # fmt: skip
    assert built.bitext_languages == ["yo"]  # Fon's translations are French, Hausa's are of dev
    assert built.qrels("train")["yo-train-0"] == {thomas: 1}
    assert built.qrels("dev") == {"ha-dev-0": {thomas: 1}}
    assert built.judged("test", "yo")[1] == {"yo-test-0": {facebook: 1}}
    assert built.judged("train", "fon", "fr")[1] == {"fon-train-0": {next(iter(built.documents("fr"))): 1}}
    readme = (tmp_path / "built" / "README.md").read_text()
    assert "CC BY-SA 4.0" in readme
    assert "AfriQA has no passage, of which no split judges any: 1" in readme


def test_ids_do_not_depend_on_the_languages_chosen(source: Path, tmp_path: Path) -> None:
    build_afriqa(tmp_path / "all", source, None)
    build_afriqa(tmp_path / "one", source, ["ha"])
    assert list(Collection(tmp_path / "one").documents()) == list(Collection(tmp_path / "all").documents())[:1]


def test_the_archive_is_read_like_a_copy(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "main.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.comment = b"c0ffee"
        for path in source.rglob("*.json"):
            opened.write(path, f"afriqa-main/{path.relative_to(source)}")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "EXTRACTED_DATASETS_PATH", tmp_path / "cache" / "extracted")
    monkeypatch.setattr(datasets.DownloadManager, "download", lambda self, url: str(archive))
    build_afriqa(tmp_path / "fetched", None, None)
    build_afriqa(tmp_path / "copied", source, None)
    for path in (tmp_path / "copied").rglob("*.*"):
        if path.name != "README.md":
            assert (tmp_path / "fetched" / path.relative_to(tmp_path / "copied")).read_bytes() == path.read_bytes()
    assert "- Version: commit c0ffee." in (tmp_path / "fetched" / "README.md").read_text()


def test_problems_are_one_line(source: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    command = ("collection", "build", "afriqa", tmp_path / "built", "--from", source)
    assert "afriqa has no language 'de'; it has bem, fon, ha" in clir(*command, "--languages", "de")
    said = clir(*command, "--languages", "zu")
    assert "no file **/gold_span_passages.afriqa.zul.en.*.json*, as masakhane-io/afriqa has" in said
    path = place(source, "yor", "en", "test")
    path.write_text('{"id": "0", "context": "x", "title": "", "question": "?"}\n')
    assert f"{path}:1: no column 'question_lang'; there are id, context, title, question" in clir(*command)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "there is nothing" in clir("collection", "build", "afriqa", tmp_path / "built", "--from", empty)
    assert not (tmp_path / "built").exists()


def test_real_lines(tmp_path: Path) -> None:
    if not SAMPLE.is_file():
        pytest.skip("AfriQA's sample is not at ../shared/data/samples")
    rows = [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]
    with_passage = [row for row in rows if row["context"]]
    assert with_passage
    place(tmp_path / "from", "yor", "en", "train").write_bytes(SAMPLE.read_bytes())
    build_afriqa(tmp_path / "built", tmp_path / "from", None)
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert len(built.queries("yo")) == len(built.queries()) == len(with_passage)
    assert len(built.bitext("yo")) == len(rows)
    for row in with_passage:  # every answer that was found is in the passage that is judged to hold it
        (document,) = built.qrels("train")[f"yo-train-{row['id']}"]
        assert row["context"].strip() in built.documents()[document]
        found = zip(row["answer_pivot"]["text"], row["answer_pivot"]["answer_start"], strict=False)
        assert all(answer.lower() in built.documents()[document].lower() for answer, start in found if start >= 0)
