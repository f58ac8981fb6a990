"""Whatever a collection holds: one that the check passes goes through every later step."""

import json
import math
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clir_ot import cli
from clir_ot.collections.check import find_problems

SPACES = [*" \t\n\r\u00a0\u2028\x85\x1c\u3000\u200b\ufeff#\ud800\x00"]
CHARACTERS = st.one_of(st.sampled_from(SPACES), st.characters(max_codepoint=0x2FFFF), st.sampled_from("ab1.-_Q0"))
NAMES = st.one_of(
    st.text("abẹ\u0301文😀#", min_size=1, max_size=4), st.text(CHARACTERS, max_size=3), st.just("x" * 5000)
)
TEXTS = st.one_of(
    st.text(CHARACTERS, max_size=20), st.sampled_from(["bara desil", "", " ", None, math.nan, 7, ["a"], "\ud800"])
)
FINE_NAMES = st.text(st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]), min_size=1, max_size=4).filter(
    lambda name: name[0] not in "#\ufeff"
)
FINE_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(lambda text: f"a {text}")
FINE_DOCUMENTS = st.one_of(FINE_TEXTS, st.sampled_from(["", " \n", None, math.nan]))
GRADES = st.sampled_from(["1", "0", "-1", "2", "1.0", "+1", "--1", "0.5", "", "1 "])


@st.composite
def collections(draw: st.DrawFn) -> dict[str, bytes]:
    """Files by name; a document and two queries are always good, so that something is found and can be compared."""
    hostile = draw(st.booleans())  # what is wrong in one place alone hides the rest
    names = {kind: draw(st.lists(NAMES if hostile else FINE_NAMES, max_size=4, unique=not hostile)) for kind in "dq"}
    files = {}
    for kind, file in (("d", "corpus.jsonl"), ("q", "queries.jsonl")):
        records = [{"_id": f"good-{kind}", "text": "bara"}, {"_id": f"fine-{kind}", "text": "bara desil"}]
        for name in names[kind]:
            texts = TEXTS if hostile else FINE_TEXTS if kind == "q" else FINE_DOCUMENTS
            title = {"title": draw(texts)} if draw(st.booleans()) and kind == "d" else {}
            records.append({"_id": name, **title, "text": draw(texts)})
        lines = [json.dumps(record, ensure_ascii=draw(st.booleans())) for record in records]
        files[file] = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")
    grades = GRADES if hostile else st.just("1")
    pairs = st.tuples(st.sampled_from([*names["q"], "good-q"]), st.sampled_from([*names["d"], "good-d"]), grades)
    rows = ["good-q\tgood-d\t1", "fine-q\tgood-d\t1", *("\t".join(row) for row in draw(st.lists(pairs, max_size=4)))]
    head = draw(st.sampled_from(["query-id\tcorpus-id\tscore\n", ""]))
    files["qrels/test.tsv"] = (head + "".join(f"{row}\n" for row in rows)).encode("utf-8", "surrogatepass")
    return files


def run(*words: object) -> str | None:
    """A command; what it failed with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["clir-ot", *map(str, words)])
        try:
            cli.main()
        except SystemExit as error:
            return str(error.code)
    return None


def steps(folder: Path, encoder: Path) -> list[list[object]]:
    of = ["--collection", folder, "--language", "en"]
    runs = [folder.parent / name for name in ("bm25.trec", "encoder.trec", "index.trec", "again.trec")]
    by = ["search", "--encoder", encoder]
    return [
        ["search", "--bm25", *of, "--output", runs[0]],
        [*by, *of, "--output", runs[1]],
        [*by, "--index", folder.parent / "index", *of, "--output", runs[2]],
        [*by, "--rerank", runs[1], *of, "--output", runs[3]],
        ["evaluate", *runs, "--collection", folder, "--language", "en"],
        ["collection", "qrels", folder, "--output", folder.parent / "qrels"],
        ["evaluate", *runs, "--qrels", folder.parent / "qrels"],
        ["collection", "stats", folder, "--strict", "--encoder", encoder],
    ]


def assert_goes_through_if_checked(files: dict[str, bytes], encoder: Path, *, must_pass: bool = False) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "mine"
        (folder / "qrels").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        passes = find_problems(folder, []).count == 0
        assert passes or not must_pass
        for words in steps(folder, encoder):
            failed = run(*words)
            assert failed is None or not passes, (words, failed)
            assert failed is None or len(failed.splitlines()) == 1
            if not passes:
                break  # one step is enough to see that what is wrong is one line


@settings(max_examples=12, deadline=None, derandomize=True)
@given(files=collections())
def test_what_the_check_passes_goes_through(files: dict[str, bytes], teacher_folder: Path) -> None:
    assert_goes_through_if_checked(files, teacher_folder)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(files=collections())
def test_what_the_check_passes_goes_through_and_more_of_it(files: dict[str, bytes], teacher_folder: Path) -> None:
    assert_goes_through_if_checked(files, teacher_folder)


HARMLESS = ["a\u200bb", "x" * 5000, "ẹ\u0301", "e\u0301-é", "Q0", "1", "a,b;c|d", "%2f/../x", "😀"]


@pytest.mark.parametrize("name", HARMLESS)
def test_ids_that_look_hostile_and_are_not(name: str, teacher_folder: Path) -> None:
    texts = "".join(json.dumps({"_id": each, "text": "bara"}) + "\n" for each in (name, f"{name}2"))
    judged = f"{name}\t{name}\t1\n{name}2\t{name}\t1\n"
    assert_goes_through_if_checked(
        {"corpus.jsonl": texts.encode(), "queries.jsonl": texts.encode(), "qrels/test.tsv": judged.encode()},
        teacher_folder,
        must_pass=True,
    )
