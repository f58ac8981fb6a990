"""The order and the files of runs, against trec_eval itself (through pytrec_eval)."""

import gzip
import random
from pathlib import Path

import pytest
import pytrec_eval

from clir_ot.collections.trec import Run, ranking, ranks, read_run, write_run
from clir_ot.errors import UserError


def trec_eval_ranking(scores: dict[str, float]) -> list[str]:
    """trec_eval's order: a document's reciprocal rank when it alone is relevant gives its rank."""
    ranks = {}
    for document in scores:
        evaluator = pytrec_eval.RelevanceEvaluator({"q": {document: 1}}, {"recip_rank"})
        ranks[document] = round(1 / evaluator.evaluate({"q": scores})["q"]["recip_rank"])
    return sorted(scores, key=ranks.__getitem__)


@pytest.mark.parametrize(
    "scores",
    [
        {"a": 1.0, "b": 3.0, "c": 2.0},
        {"a": -1.0, "b": -3.0, "c": 0.0, "d": -0.0},
        {"d9": 1.0, "d10": 1.0, "D9": 1.0, "d": 1.0, "_": 1.0},
        {"a": 1 + 1e-9, "b": 1.0},
        {"a": 1 + 1e-6, "b": 1.0},
        {"a": 1e300, "b": 1e299, "c": -1e300, "d": -1e299, "e": 1e38},
        {"z": 1.0, "é": 1.0, "\uffff": 1.0, "\U0001f600": 1.0, "文": 1.0, "ü": 1.0},
        {"a": 1e-46, "b": 0.0, "c": 1e-44},
    ],
)
def test_ranking_is_that_of_trec_eval(scores: dict[str, float]) -> None:
    assert ranking(scores) == trec_eval_ranking(scores)
    assert ranks(scores, scores) == [ranking(scores).index(name) + 1 for name in scores]


@pytest.mark.parametrize("seed", range(20))
def test_ranking_is_that_of_trec_eval_on_random_scores_with_ties(seed: int) -> None:
    rng = random.Random(seed)
    names = rng.sample(range(10_000), 40)
    scores = {f"d{name}": rng.choice([rng.gauss(0, 1), rng.randint(-2, 2)]) for name in names}
    assert ranking(scores) == trec_eval_ranking(scores)
    assert ranks(scores, scores) == [ranking(scores).index(name) + 1 for name in scores]


def test_ranking_of_nothing_is_empty() -> None:
    assert ranking({}) == []


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_ranking_names_the_document_whose_score_is_not_finite(score: float) -> None:
    with pytest.raises(UserError, match=r"document 'bad' has score"):
        ranking({"a": 1.0, "bad": score, "c": 2.0})


@pytest.mark.parametrize("name", ["run.trec", "run.trec.gz"])
def test_a_run_reads_back_to_the_same_floats(tmp_path: Path, name: str) -> None:
    rng = random.Random(0)
    run = {f"q{q}": {f"d{d}é": rng.gauss(0, 10.0 ** rng.randint(-30, 30)) for d in range(50)} for q in range(5)}
    run["q0"] |= {"one": 0.1 + 0.2, "other": 0.3}
    write_run(run, tmp_path / name, "tag")
    assert read_run(tmp_path / name) == run
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_lines_of_a_written_run(tmp_path: Path) -> None:
    run: Run = {"q2": {"a": -1.5, "b": 2.0, "c": 2.0}, "q1": {"x": 1e-7}}
    write_run(run, tmp_path / "run", "ot")
    assert (tmp_path / "run").read_text() == (
        "q2 Q0 c 1 2.0 ot\nq2 Q0 b 2 2.0 ot\nq2 Q0 a 3 -1.5 ot\nq1 Q0 x 1 1e-07 ot\n"
    )


def test_a_compressed_run_has_the_same_bytes_each_time_and_the_same_text(tmp_path: Path) -> None:
    run = {"q": {"a": 1.0, "b": 2.0}}
    for name in ("1.gz", "2.gz", "plain"):
        write_run(run, tmp_path / name, "t")
    assert (tmp_path / "1.gz").read_bytes()[10:] == (tmp_path / "2.gz").read_bytes()[10:]
    assert (tmp_path / "1.gz").read_bytes()[4:8] == bytes(4)
    assert gzip.decompress((tmp_path / "1.gz").read_bytes()) == (tmp_path / "plain").read_bytes()


def test_tabs_and_the_printed_rank_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("q\tQ0\ta\t1\t-1\tt\r\nq  0  b  1  2e0  t")
    assert read_run(tmp_path / "run") == {"q": {"a": -1.0, "b": 2.0}}


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("q Q0 a 1 1.0 t\nq Q0 b 2 0.5\n", 2, "5 columns, expected 6"),
        ("q Q0 a b 1 1.0 t\n", 1, "7 columns, expected 6"),
        ("q Q0 a 1 high t\n", 1, "'high', expected a finite number"),
        ("q Q0 a 1 1 t\nq Q0 b 2 nan t\n", 2, "'nan', expected a finite number"),
        ("q Q0 a 1 inf t\n", 1, "'inf', expected a finite number"),
        ("q Q0 a 1 1e999 t\n", 1, "'1e999', expected a finite number"),
        ("q Q0 a 1 2 t\nr Q0 a 1 2 t\nq Q0 a 2 1 t\n", 3, "document 'a' is twice in query 'q'"),
        ("", 1, "the run is empty"),
    ],
)
def test_bad_runs_are_named_by_file_and_line(tmp_path: Path, text: str, line: int, expected: str) -> None:
    path = tmp_path / "run"
    path.write_text(text)
    with pytest.raises(UserError) as raised:
        read_run(path)
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert expected in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="absent: cannot be read"):
        read_run(tmp_path / "absent")


@pytest.mark.parametrize(
    ("run", "tag", "expected"),
    [
        ({"q": {"a b": 1.0}}, "t", "'a b'"),
        ({"q": {"": 1.0}}, "t", "document ''"),
        ({"q": {" a": 1.0}}, "t", "document ' a'"),
        ({"q\n": {"a": 1.0}}, "t", r"query 'q\n'"),
        ({"q": {"a": 1.0}}, "my tag", "tag 'my tag'"),
        ({"q": {"a": float("nan")}}, "t", "document 'a' has score nan"),
        ({"q": {}}, "t", "no documents"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(tmp_path: Path, run: Run, tag: str, expected: str) -> None:
    path = tmp_path / "run"
    path.write_text("as it was")
    with pytest.raises(UserError) as raised:
        write_run(run, path, tag)
    assert expected in str(raised.value)
    assert path.read_text() == "as it was"
