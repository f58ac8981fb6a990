"""The order and the files of runs, against trec_eval itself (through pytrec_eval)."""

import gzip
import random
from pathlib import Path

import pytest
import pytrec_eval

from clir_ot.collections.reading import read_judgements
from clir_ot.collections.trec import Run, ranking, ranks, read_qrels, read_run, write_run
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


def test_comments_and_tags_of_several_words_are_read_as_trec_eval_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.write_text("# own system\nq Q0 a 9 2.0 t more words\n\n \t\nq\tQ0\tb\t1\t-1.5\tt\n#\nr Q0 a 1 1 # 7\n")
    assert read_run(path) == {"q": {"a": 2.0, "b": -1.5}, "r": {"a": 1.0}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# judged\nq1 0 d1 1\nq1\tQ0\td2\t0\n", {"q1": {"d1": 1, "d2": 0}}),
        ("query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t-1\n", {"q1": {"d1": 2, "d2": -1}}),
        ("q1 d1 1\nq1 0 d2 +1\n", {"q1": {"d1": 1, "d2": 1}}),
        ("q1 0 d1 1.0\nq1 0 d2 -2.\n\nq1 0 d1 1\n", {"q1": {"d1": 1, "d2": -2}}),
    ],
)
def test_judgements_in_every_form_they_are_published_in(
    tmp_path: Path, text: str, expected: dict[str, dict[str, int]]
) -> None:
    (tmp_path / "qrels").write_text(text)
    assert read_qrels(tmp_path / "qrels") == expected


@pytest.mark.parametrize("grade", ["--1", "1.5", "1e0", "1_0", "\u0661", "nan", "inf", "-", "+-1", "1-", ".5", "0x1"])
def test_what_is_no_grade_is_named(tmp_path: Path, grade: str) -> None:
    (tmp_path / "qrels.txt").write_text(f"q1 0 d1 1\nq1 0 d2 {grade}\n")
    with pytest.raises(UserError, match=r"qrels\.txt:2: expected 4 columns.* the grade a whole number"):
        read_qrels(tmp_path / "qrels.txt")
    (tmp_path / "test.tsv").write_text(f"q1\td1\t1\nq1\td2\t{grade}\n")
    with pytest.raises(UserError, match=r"test\.tsv:2: expected query-id TAB corpus-id TAB whole number"):
        list(read_judgements(tmp_path / "test.tsv"))


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("q Q0 a 1 1_0 t\n", 1, "'1_0', expected a finite number"),
        ("# one\n# two\n", 1, "the run is empty"),
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
        ({"#1": {"a": 1.0}}, "t", "begins with #"),
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
