"""A build is whole, readable and in its place, or not there: whatever is in the files, and whenever it is killed."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.errors import UserError
from clir_ot.sources import assembly
from clir_ot.sources.assembly import About, Contents, Document, assemble, whole_collection
from tests.forked import running

STOPPABLE = Path(__file__).parents[1] / "stoppable.py"
ABOUT = About("A set", "Find it.", "somewhere", "c0ffee", "CC0")
QUESTIONS = {"en": lambda: [("q1", "first?")]}
JUDGED = {"test": lambda: [("q1", "d1", 1)]}


def miracl(root: Path, rows: list[dict[str, object]]) -> Path:
    """A copy with some passages in Yoruba."""
    corpus = root / "miracl-corpus" / "miracl-corpus-v1.0-yo"
    topics, qrels = (root / "miracl" / "miracl-v1.0-yo" / kind for kind in ("topics", "qrels"))
    for folder in (corpus, topics, qrels):
        folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (corpus / "docs-0.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (topics / "topics.miracl-v1.0-yo-dev.tsv").write_text("1\tkini eyi\n")
    (qrels / "qrels.miracl-v1.0-yo-dev.tsv").write_text("1\tQ0\t0#0\t1\n")
    return root


PASSAGES: list[dict[str, object]] = [{"docid": f"{n}#0", "title": f"T{n}", "text": f"passage {n}"} for n in range(5)]


def test_a_document_that_is_there_twice_is_written_once(tmp_path: Path, clir: Callable[..., str]) -> None:
    copy = miracl(tmp_path / "copy", [*PASSAGES, PASSAGES[0], PASSAGES[3], PASSAGES[0]])
    printed = clir("collection", "build", "miracl", tmp_path / "built", "--from", copy, "--languages", "yo")
    assert "left out: 3 documents that are there a second time as they are\n" in printed
    built = Collection(tmp_path / "built")
    assert list(built.documents("yo")) == [f"yo-{n}#0" for n in range(5)]
    assert "- Left out: 3 documents" in (tmp_path / "built" / "README.md").read_text()
    # What comes next works.
    search, evaluate = (line.split() for line in printed.partition("next: ")[2].splitlines())
    run = tmp_path / "yo.trec"
    assert search[:3] == ["clir-ot", "search", "--bm25"]
    assert clir(*search[1:-1], run).startswith("FAILED: ")  # `kini eyi` stands in no passage
    assert evaluate[:3] == ["clir-ot", "evaluate", "yo.trec"]


def test_two_texts_of_a_document_are_named_with_both_lines_and_nothing_stays(
    tmp_path: Path, clir: Callable[..., str]
) -> None:
    copy = miracl(tmp_path / "copy", [*PASSAGES, {**PASSAGES[1], "text": "another"}])
    command = ["collection", "build", "miracl", tmp_path / "built", "--from", copy, "--languages", "yo"]
    docs = copy / "miracl-corpus" / "miracl-corpus-v1.0-yo" / "docs-0.jsonl.gz"
    assert clir(*command) == (
        f"FAILED: clir-ot: document 'yo-1#0' has two texts in the published files, at {docs}:2 and at {docs}:6"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    miracl(copy, PASSAGES)
    assert "next: " in clir(*command)


def test_documents_without_a_place_are_named_by_their_row(tmp_path: Path) -> None:
    documents: list[Document] = [("d1", "", "one"), ("d2", "", " "), ("d1", "", "two")]
    with pytest.raises(UserError, match="'d1' has two texts in the published files, at row 1 and at row 3"):
        assemble(tmp_path / "built", Contents({"en": lambda: documents}, QUESTIONS, JUDGED), ABOUT)


def test_what_cannot_be_read_back_is_not_there(tmp_path: Path) -> None:
    """Whatever a builder has not looked at: here two grades of one document, which are said about the folder itself."""
    rows = lambda: [("q1", "d1", 1), ("q1", "d1", 2)]  # noqa: E731
    contents = Contents({"en": lambda: [("d1", "", "one")]}, QUESTIONS, {"test": rows})
    with pytest.raises(UserError) as caught:
        assemble(tmp_path / "built", contents, ABOUT)
    assert str(caught.value).startswith(f"{tmp_path}/built/qrels/test.tsv:3: document 'd1' is judged a second time")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"title": float("nan")}, None),
        ({"title": None, "text": None}, None),
        ({"title": 1984}, None),
        ({"title": ["T"]}, """:6: its 'title' is ["T"]; expected text"""),
        ({"text": 0.5}, ":6: its 'text' is 0.5; expected text"),
        ({"text": True}, ":6: its 'text' is true; expected text"),
        ({"docid": None}, ":6: its 'docid' is empty; every row must have one"),
        ({"docid": "a b"}, "_id 'yo-a b' holds white space"),
    ],
)
def test_values_that_are_no_text_are_nothing_or_named(
    tmp_path: Path, clir: Callable[..., str], row: dict[str, object], expected: str | None
) -> None:
    copy = miracl(tmp_path / "copy", [*PASSAGES, {"docid": "6#0", "title": "", "text": "six", **row}])
    printed = clir("collection", "build", "miracl", tmp_path / "built", "--from", copy, "--languages", "yo")
    if expected is None:
        assert "yo               5" in printed or "yo               6" in printed
        assert ("left out: 1 texts without a visible character" in printed) == (row.get("text", "six") is None)
    else:
        assert printed.startswith("FAILED: clir-ot: ")
        assert expected in printed
        assert not (tmp_path / "built").exists()


def build(*words: object, kill_at: str = "none 0") -> tuple[int | None, str]:
    """The exit status of a build, and what it says of errors; it is killed where `stoppable.py` says."""
    command = [str(STOPPABLE), "collection", "build", *map(str, words)]
    with running(command, CLIR_OT_TEST_KILL_AT=kill_at) as process:
        _, errors = process.communicate()
    return process.returncode, errors


@pytest.mark.parametrize("kill_at", ["corpus.yo.jsonl 1", "test.tsv 1", "built 1"])
def test_a_build_that_is_killed_is_built_again_and_leaves_nothing(tmp_path: Path, kill_at: str) -> None:
    copy = miracl(tmp_path / "copy", PASSAGES)
    kill_at = kill_at.replace("test.tsv", "dev.yo.tsv")
    words = ["miracl", tmp_path / "built", "--from", copy, "--languages", "yo"]
    assert build(*words, kill_at=kill_at)[0] == -signal.SIGKILL
    assert not (tmp_path / "built").exists()
    for name in (".built.original", ".built.old"):  # somebody's own, the first of which has a name as ours have
        (tmp_path / name / "mine").mkdir(parents=True)
    status, errors = build(*words)
    assert status == 0, errors
    assert len(Collection(tmp_path / "built").documents("yo")) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [".built.old", ".built.original", "built", "copy"]


@pytest.mark.parametrize("kill_at", ["yo.tsv 1", "README.sw.md 1", "none 0"])
def test_bitext_of_several_languages_that_is_killed_is_built_again(tmp_path: Path, kill_at: str) -> None:
    (copy := tmp_path / "copy").mkdir()
    for name in ("en", "sw", "yo"):
        (copy / f"{name}.txt").write_text(f"one in {name}\ntwo in {name}\n")
    (mine := tmp_path / "mine" / "bitext").mkdir(parents=True)
    (mine / "ha.tsv").write_text("a\tb\n")
    words = ["ntrex", mine.parent, "--from", copy]
    if kill_at == "none 0":  # in the middle of moving what is complete
        (complete := mine.parent / ".bitext-complete").mkdir()
        (complete / "yo.tsv").write_text("a\tb\n")
        (mine / "sw.tsv").write_text("a\tb\n")
        assert "sw.tsv: is there already" in build(*words)[1]
        assert sorted(path.name for path in mine.iterdir()) == ["ha.tsv", "sw.tsv", "yo.tsv"]
    else:
        assert build(*words, kill_at=kill_at)[0] == -signal.SIGKILL
        assert [path.name for path in mine.iterdir()] == ["ha.tsv"]
        assert build(*words)[0] == 0
        assert len(list(mine.iterdir())) == 5
    assert [path.name for path in mine.parent.iterdir()] == ["bitext"]


def test_a_build_told_to_end_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """It waits for a pipe in place of a file, so that it is told in the middle of reading."""
    copy = miracl(tmp_path / "copy", PASSAGES)
    topics = next(copy.rglob("topics*.tsv"))
    topics.unlink()
    os.mkfifo(topics)
    words = ["collection", "build", "miracl", tmp_path / "built", "--from", copy, "--languages", "yo"]
    command = [sys.executable, "-m", "clir_ot.cli", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with topics.open("w"):  # returns when the other side has it open: documents are written by then
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said == "clir-ot: interrupted; nothing half-written is left, run it again to go on\n"
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_one_that_is_building_is_left_alone(tmp_path: Path) -> None:
    """Another process: its half-written folder is no leftover."""
    script = (
        "import sys, time; from pathlib import Path; from clir_ot.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n    print('there', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "built")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    with whole_collection(tmp_path / "built") as folder:
        assert len(list(tmp_path.iterdir())) == 2
        for name, line in (("corpus", '{"_id": "d", "text": "a"}'), ("queries", '{"_id": "q", "text": "a"}')):
            (folder / f"{name}.jsonl").write_text(line)
    process.kill()
    process.communicate()
    with pytest.raises(UserError, match="is there already"):
        assembly.require_new(tmp_path / "built")
    assert [path.name for path in tmp_path.iterdir()] == ["built"]


def test_an_empty_folder_for_the_starter_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from clir_ot.sources import starter

    built: list[Path] = []
    monkeypatch.setenv("CLIR_OT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(starter, "build_starter_encoder", built.append)
    monkeypatch.setattr(starter, "build_kolibri", built.append)
    (tmp_path / "mine").mkdir()
    starter.build_starter(tmp_path / "mine")
    assert built == [tmp_path / "cache" / "starter" / "encoder", tmp_path / "mine"]
