"""`clir-ot collection check`: every problem, with file and line, and an exit status."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot.collections.check import find_problems
from clir_ot.collections.problems import Problems
from clir_ot.errors import UserError

Command = Callable[..., str]


def append(path: Path, *lines: str) -> int:
    """Add lines; the number of the first of them."""
    before = path.read_text().count("\n")
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))
    return before + 1


def spoil(folder: Path) -> list[str]:
    """Put a problem of every kind into a good collection; where each stands, and words of what is said."""
    said = []

    def expect(name: str, line: int | None, words: str) -> None:
        said.append(f"{folder / name}{'' if line is None else f':{line}'}: |{words}")

    for name in ("corpus.jsonl", "queries.sw.jsonl"):
        n = append(
            folder / name,
            "no json", '{"_id": "bad", "text": 3}', '{"_id": "d0", "text": "a"}', '{"_id": "x y"}',
            '{"_id": "x y", "text": "a"}', '{"_id": "\\u00a0", "text": "a"}', '{"_id": "half\\ud800", "text": "a"}',
            '{"_id": 3, "text": "a"}', '{"_id": "tab\\t", "title": ["T"], "text": "a"}',
        )  # fmt: skip
        expect(name, n, "expected")
        expect(name, n + 1, '"text" is 3; "_id" and "text" must be non-empty strings')
        expect(name, n + 3, 'no "text"')
        expect(name, n + 4, "_id 'x y' holds white space")
        expect(name, n + 5, r"_id '\xa0' holds white space")
        expect(name, n + 6, "half a character")
        expect(name, n + 7, '"_id" is 3; ')
        expect(name, n + 8, r"_id 'tab\t' holds white space")
        expect(name, n + 8, '"title" is ["T"]; ')
    expect("corpus.jsonl", n := append(folder / "corpus.jsonl", '{"_id": "d3", "text": "a"}'), "'d3' occurs a second")
    expect("corpus.jsonl", n - 7, "'d0' occurs a second")  # of the lines above; no query is called d0
    with (folder / "queries.yo.jsonl").open("ab") as file:
        file.write(b'{"_id": "\xff", "text": "a"}\n')
    expect("queries.yo.jsonl", 73, "not UTF-8")
    n = append(
        folder / "queries.jsonl",
        '{"_id": "q1", "text": "a", "negatives": ["d1", "nowhere", "d2", "neither"]}',
        '{"_id": "q2", "text": "a", "negatives": "d1"}',
        '{"_id": "q3", "text": "a", "negatives": ["\\ud800"]}',
        '{"_id": "#4", "text": "a"}',
        '{"_id": "q5", "text": " "}',
    )
    expect("queries.jsonl", n, "negative 'nowhere' of query 'q1' is in no corpus file")
    expect("queries.jsonl", n, "negative 'neither'")
    expect("queries.jsonl", n + 1, '"negatives" must be a list')
    expect("queries.jsonl", n + 2, '"negatives" must be a list')
    expect("queries.jsonl", n + 3, "_id '#4' begins with '#'")
    expect("queries.jsonl", n + 4, "the text of 'q5' is empty")
    n = append(folder / "bitext" / "yo.tsv", "one side", "a\t", "a\tb\tc", "fine\tsure")
    for i, words in enumerate(("found 1 field", "foreign side is empty", "found 3 field")):
        expect("bitext/yo.tsv", n + i, words)
    n = append(folder / "qrels" / "test.tsv", "q9\td1\t1", "d3.0\td99\t1", "d3.0\td3\t0", "d3.0 d3 1", "d3.0\tbad\t1")
    for i, words in enumerate(("query 'q9' is in no", "document 'd99' of", "judged a second time", "whole number")):
        expect("qrels/test.tsv", n + i, words)
    (folder / "queries.yo-en.jsonl").write_text(
        '{"_id": "d3.0", "text": "a"}\n{"_id": "q2", "text": "b"}\n{"_id": "d3.0", "text": "c"}\n'
    )
    expect("queries.yo-en.jsonl", 2, "query 'q2' is not in queries.yo.jsonl")
    expect("queries.yo-en.jsonl", 3, "'d3.0' occurs a second")
    (folder / "queries.ha-en.jsonl").write_text('{"_id": "d3.0", "text": "a"}\n')
    expect("queries.ha-en.jsonl", None, "translates queries in 'ha', of which there are none")
    for name in ("qrels/tset.tsv", "qrels/test.csv", "bitext/sw.txt", "corpus.ha.json", "queries.ha.parquet.gz"):
        (folder / name).write_text("q1\td1\t1\n")
        expect(name, None, "is not read")
    for name in ("corpus.klingon!.jsonl", "queries.yor.jsonl", "queries.klingon!-en.jsonl", "qrels/test.klingon!.tsv"):
        (folder / name).write_text('{"_id": "a", "text": "b"}\n' if "jsonl" in name else "d3.0\td3\t1\n")
        expect(name, None, "already the 'yo' file" if "yor" in name else "not a language code")
    (folder / "qrels" / "dev.tsv.gz").write_bytes(gzip.compress((folder / "qrels" / "dev.tsv").read_bytes()))
    expect("qrels/dev.tsv.gz", None, "dev.tsv is; keep one")
    (folder / "bitext" / "ig.tsv.gz").write_bytes(b"no gzip")
    expect("bitext/ig.tsv.gz", None, "cannot be read")
    return said


def test_a_good_collection_has_no_problem(collection_folder: Path, clir: Command) -> None:
    assert find_problems(collection_folder, ["yo"]).count == 0
    assert (
        clir("collection", "check", collection_folder, "--languages", "yo")
        == f"{collection_folder}: no problem found\n"
    )


def test_every_problem_is_named_once_with_file_and_line(own_collection: Path) -> None:
    expected = spoil(own_collection)
    found = find_problems(own_collection, ["sw"])
    expected.append(f"{own_collection} |has no bitext in 'sw'")
    lines = list(found.lines())
    for place, words in (said.split("|") for said in expected):
        assert sum(line.startswith(place) and words in line for line in lines) == 1, (place, words)
    assert len(lines) == found.count == len(expected)
    assert all("\n" not in line for line in lines)


def test_the_command_prints_all_and_fails(
    own_collection: Path, clir: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = spoil(own_collection)
    failed = clir("collection", "check", own_collection)
    assert failed == f"FAILED: clir-ot: {own_collection}: {len(expected)} problems found"
    assert len(capsys.readouterr().out.splitlines()) == len(expected)


def test_of_many_problems_in_a_file_the_first_are_said_and_the_rest_counted(own_collection: Path) -> None:
    append(own_collection / "bitext" / "yo.tsv", *["one side"] * 1000)
    append(own_collection / "corpus.jsonl", *['{"_id": "d0", "text": "a"}'] * 50)
    lines = list(find_problems(own_collection, []).lines())
    assert lines[20] == f"{own_collection / 'corpus.jsonl'}: and 30 more problems"
    assert lines[19].startswith(f"{own_collection / 'corpus.jsonl'}:44: ")
    assert lines[-1] == f"{own_collection / 'bitext/yo.tsv'}: and 980 more problems"
    assert len(lines) == 42


def test_a_document_with_a_bad_text_is_not_missing(own_collection: Path) -> None:
    append(own_collection / "corpus.jsonl", '{"_id": "bad", "text": 3}')
    append(own_collection / "qrels" / "test.tsv", "d3.0\tbad\t1")
    (line,) = find_problems(own_collection, []).lines()
    assert "corpus.jsonl:25: " in line


def test_ids_that_corpora_share_are_no_problem_and_documents_of_any_corpus_are_known(own_collection: Path) -> None:
    append(own_collection / "corpus.sw.jsonl", '{"_id": "only-sw", "text": "a"}')
    append(own_collection / "qrels" / "test.tsv", "d3.0\tonly-sw\t1")
    append(own_collection / "queries.sw.jsonl", '{"_id": "d99.0", "text": "a", "negatives": ["only-sw", "d3"]}')
    assert find_problems(own_collection, []).count == 0


def test_a_collection_without_english_documents_or_queries_says_so(own_collection: Path) -> None:
    (own_collection / "corpus.jsonl").unlink()
    assert find_problems(own_collection, []).count == 0  # documents in Yoruba can be searched in Yoruba
    (line,) = find_problems(own_collection, ["yo"]).lines()
    assert line.startswith(f"{own_collection}: has no English documents")
    assert line.endswith("documents in: sw, yo")
    for path in own_collection.glob("queries*"):
        path.unlink()
    assert any("holds no queries.jsonl" in line for line in find_problems(own_collection, []).lines())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (None, "qrels/test.tsv: no such file; the split 'test' has no judgements"),
        ("d3.x\td3\t1", "queries.yo.jsonl: none of its queries is judged in split 'test'"),
        ("d3.0\tonly-sw\t1", "qrels/test.tsv: judges no English document for the queries in 'yo'"),
    ],
)
def test_what_evaluation_lacks_is_said(own_collection: Path, rows: str | None, expected: str) -> None:
    append(own_collection / "corpus.sw.jsonl", '{"_id": "only-sw", "text": "a"}')
    append(own_collection / "queries.sw.jsonl", '{"_id": "d3.x", "text": "a"}')
    path = own_collection / "qrels" / "test.tsv"
    path.unlink()
    if rows:
        path.write_text(f"{rows}\n")
    (line,) = find_problems(own_collection, ["yo"]).lines()
    assert expected in line


def test_a_language_that_is_none_is_refused(collection_folder: Path) -> None:
    with pytest.raises(UserError, match="not a language code"):
        find_problems(collection_folder, ["klingon!"])


def test_what_is_no_collection_is_refused(tmp_path: Path, clir: Command) -> None:
    assert "no such collection folder" in clir("collection", "check", tmp_path / "nowhere")
    assert "2 problems" not in clir("collection", "check", tmp_path)
    said = list(find_problems(tmp_path, []).lines())
    assert [words in line for words, line in zip(("no corpus", "no queries", "no judgements"), said, strict=True)] == [
        True
    ] * 3


def test_problems_take_no_memory_for_what_is_not_said() -> None:
    problems = Problems(shown=2)
    for i in range(5):
        problems.add(Path("a"), f"a:{i}")
    problems.add(Path("b"), "b:1")
    problems.add_unsaid(Path("b"), 1)
    assert list(problems.lines()) == ["a:0", "a:1", "a: and 3 more problems", "b:1", "b: and 1 more problem"]
    assert (next(problems.lines()), problems.count) == ("a:0", 7)
    assert json.dumps([*problems._kept.values()]) == '[["a:0", "a:1"], ["b:1"]]'


@pytest.mark.parametrize("name", ["queries.yo.jsonl", "bitext/yo.tsv", "qrels/test.tsv"])
def test_a_file_in_another_encoding_is_one_problem(own_collection: Path, name: str) -> None:
    path = own_collection / name
    path.write_text(path.read_text(), encoding="utf-16")
    said = [line for line in find_problems(own_collection, []).lines() if line.startswith(f"{path}:")]
    assert said == [f"{path}:1: not UTF-8 but UTF-16, by its byte order mark; save the file as UTF-8"]
