"""TREC files of runs and judgements: read back by pytrec_eval, and what does not belong to the collection is named."""

from collections.abc import Callable
from pathlib import Path

import pytest
import pytrec_eval

from clir_ot import Collection
from clir_ot.collections.trec import read_qrels, write_qrels
from clir_ot.errors import UserError


@pytest.fixture
def runs(collection_folder: Path, tmp_path: Path) -> dict[str, Path]:
    """Two systems: one finds the right document second, the other's rankings are empty for some queries."""
    collection = Collection(collection_folder)
    written = {}
    for system, skipped in (("good", 0), ("poor", 5)):
        for language in ("yo", "sw"):
            queries, qrels = collection.judged("test", language)
            lines = []
            for query in list(queries)[skipped:]:
                (right,) = qrels[query]
                wrong = [name for name in collection.documents() if name != right][: 1 if system == "good" else 3]
                lines += [f"{query} Q0 {d} 1 {-i} x\n" for i, d in enumerate([*wrong, right])]
            written[f"{system}.{language}"] = path = tmp_path / f"{system}.{language}.test.trec"
            path.write_text("".join(lines))
    return written


def test_languages_are_in_the_names_and_averaged(
    runs: dict[str, Path], collection_folder: Path, clir: Callable[..., str]
) -> None:
    table = clir("evaluate", *runs.values(), "--collection", collection_folder, "--measures", "MRR@10,P@1")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    assert [row[:3] for row in rows[1:]] == [
        ["good", "Yoruba", "18"], ["good", "Swahili", "18"], ["poor", "Yoruba", "18"], ["poor", "Swahili", "18"],
        ["good", "mean of 2 languages", "18"], ["poor", "mean of 2 languages", "18"],
    ]  # fmt: skip
    assert [row[3].split()[0] for row in rows[1:]] == ["0.500", "0.500", "0.181", "0.181", "0.500", "0.181"]
    assert "poor against good, Yoruba queries: MRR@10 -0.319" in table
    assert "has no result for 5 of 18 judged queries" in table


def test_a_name_without_a_language_is_said(
    runs: dict[str, Path], collection_folder: Path, own_collection: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    (plain := tmp_path / "run.trec").write_bytes(runs["good.yo"].read_bytes())
    table = clir("evaluate", plain, "--collection", collection_folder)
    assert "| run.trec | English | 18 |" in table
    assert (
        f"note: {plain}: taken for English queries, for its name says no language; if not: --language CODE (sw, yo)"
        in table
    )
    assert "note: " not in clir("evaluate", plain, "--collection", collection_folder, "--language", "en")
    (own_collection / "queries.jsonl").unlink()
    said = clir("evaluate", plain, "--collection", own_collection)
    assert said == f"FAILED: clir-ot: {plain}: its queries may be in sw, yo; say which: --language sw"
    (own_collection / "queries.sw.jsonl").unlink()
    table = clir("evaluate", plain, "--collection", own_collection)
    assert "| run.trec | Yoruba  | 18 |" in table
    assert f"note: {plain}: its queries are those in 'yo'" in table


def test_judgements_are_written_as_trec_eval_reads_them(
    runs: dict[str, Path], collection_folder: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    judgements = tmp_path / "yo.qrels"
    clir("collection", "qrels", collection_folder, "--language", "yo", "--output", judgements)
    with judgements.open() as file:
        theirs = pytrec_eval.parse_qrel(file)
    with runs["poor.yo"].open() as file:
        run = pytrec_eval.parse_run(file)
    assert theirs == read_qrels(judgements) == Collection(collection_folder).judged("test", "yo")[1]
    found = pytrec_eval.RelevanceEvaluator(theirs, {"recip_rank"}).evaluate(run)
    expected = sum(values["recip_rank"] for values in found.values()) / len(theirs)
    table = clir("evaluate", runs["poor.yo"], "--qrels", judgements, "--measures", "RR")
    assert f"| {expected:.3f} [" in table


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("d2.0 Q0 d99 1 1 x", "document 'd99' of query 'd2.0' is not in the collection"),
        ("z9 Q0 d1 1 1 x", "query 'z9' is none of the collection's"),
        ("d2.0 Q0 d1 1 nan x", "expected a finite number"),
        ("d2.0 Q0 d1 1 2 x\nd2.0 Q0 d1 2 1 x", ":2: document 'd1' is twice in query 'd2.0'"),
        ("", ":1: the run is empty"),
    ],
)
def test_bad_runs_are_named_in_one_line(
    collection_folder: Path, tmp_path: Path, clir: Callable[..., str], line: str, said: str
) -> None:
    path = tmp_path / "x.yo.trec"
    path.write_text(line)
    printed = clir("evaluate", path, "--collection", collection_folder)
    assert printed.startswith(f"FAILED: clir-ot: {path}")
    assert said in printed
    assert "\n" not in printed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("q1 0 d1 1\nq1 0 d1 0\n", ":2: document 'd1' is judged twice"),
        ("q1 0 d1\n", ":1: expected 4 columns"),
        ("q1 0 d1 yes\n", ":1: expected 4 columns"),
        ("", ":1: there are no judgements"),
    ],
)
def test_bad_judgements_are_named_in_one_line(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "q").write_text(content)
    with pytest.raises(UserError, match=said):
        read_qrels(tmp_path / "q")


def test_names_with_white_space_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="white space"):
        write_qrels({"q": {"a b": 1}}, tmp_path / "q")
    assert not (tmp_path / "q").exists()


def test_options_that_do_not_apply_are_refused(
    runs: dict[str, Path], collection_folder: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    assert "--noise is for run folders" in clir(
        "evaluate", runs["good.yo"], "--collection", collection_folder, "--noise", "diacritics"
    )
    assert "one of them" in clir("evaluate", runs["good.yo"])
    assert "--documents is for TREC run files" in clir(
        "evaluate", tmp_path, "--collection", collection_folder, "--documents", "de"
    )
