"""Inputs that failed, as they lie in ../shared/cases/data; what each is about is tested where it belongs, too."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "shared" / "cases" / "data"


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the case that a test is named after."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    if not (CASES / name).is_dir():
        pytest.skip(f"there is no {CASES / name}")
    return Path(shutil.copytree(CASES / name, tmp_path / name))


def test_afriqa_nan(case: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "build", "afriqa", case / "built", "--from", case / "copy", "--languages", "twi")
    assert "left out: 1 rows without a question\n" in printed
    assert "- Left out: 1 rows without a question." in (case / "built" / "README.md").read_text()
    assert "no problem found" in clir("collection", "check", case / "built", "--languages", "tw")


def test_empty_document(case: Path, clir: Callable[..., str]) -> None:
    search = ("search", "--bm25", "--collection", case / "mine", "--language", "en", "--output", case / "b.trec")
    assert "1 document has no text, and no search finds it: 'd3'" in clir(*search)
    assert "| 1.000 [1.000, 1.000]" in clir("evaluate", case / "b.trec", "--collection", case / "mine")


def test_id_with_space(case: Path, clir: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    assert clir("collection", "check", case / "mine") == f"FAILED: clir-ot: {case}/mine: 1 problem found"
    assert "corpus.jsonl:2: _id 'Ibadan (city)' holds white space" in capsys.readouterr().out
    search = ("search", "--bm25", "--collection", case / "mine", "--language", "en", "--output", case / "b.trec")
    assert "corpus.jsonl:2: _id 'Ibadan (city)' holds white space" in clir(*search)


def test_miracl_dup_docid(case: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "build", "miracl", case / "built", "--from", case / "copy", "--languages", "yo")
    assert "left out: 1 documents that are there a second time as they are" in printed
    assert "no problem found" in clir("collection", "check", case / "built")


def test_nan_title(case: Path, clir: Callable[..., str]) -> None:
    assert clir("collection", "check", case / "mine") == f"{case}/mine: no problem found\n"


def test_qrels_double_minus(case: Path, clir: Callable[..., str]) -> None:
    said = clir("evaluate", case / "run.trec", "--qrels", case / "qrels.txt")
    assert said.startswith(f"FAILED: clir-ot: {case}/qrels.txt:1: expected 4 columns")


def test_trec_comments(case: Path, clir: Callable[..., str]) -> None:
    for run in ("run.trec", "junk.trec"):
        for qrels in ("qrels.txt", "plain-qrels.txt"):
            assert "| 1.000 [0.000, 1.000]" in clir("evaluate", case / run, "--qrels", case / qrels)


@pytest.mark.parametrize(
    ("name", "file", "options", "expected"),
    [
        ("tmx-no-seg", "tm.tmx", "sw", "none of its units with en and sw can be read, the first at line 3, which has"),
        ("tmx-unknown-encoding", "unicode.tmx", "sw", ":1: is declared to be in the encoding 'unicode', in which"),
        ("tmx-unknown-encoding", "windows-874.tmx", "sw", ":1: is declared to be in the encoding 'windows-874', in"),
        ("tsv-csv-quoted", "dev.tsv", "zu --columns en,zu",
         [('She said "go" to them.', 'Wathi "hambani" kubo.'), ("One line.", "Umugqa owodwa.")]),
        ("tsv-csv-quoted", "multiline.tsv", "zu",
         [("One line.", "Umugqa owodwa."), ("Two lines.", "Imigqa emibili.")]),
        ("tsv-header-row", "train.tsv", "yo", [("Good morning.", "E kaaro."), ("Thank you.", "E se.")]),
        ("zip-of-tmx", "all.en-sw.tmx.zip", "sw", [("one", "moja")]),
    ],
)  # fmt: skip
def test_bitext(
    name: str, file: str, options: str, expected: str | list[tuple[str, str]], tmp_path: Path, clir: Callable[..., str]
) -> None:
    path, built = CASES / name / file, tmp_path / "built"
    if not path.is_file():
        pytest.skip(f"there is no {path}")
    printed = clir("collection", "bitext", path, "--output", built, "--language", *options.split())
    if isinstance(expected, str):
        assert printed.startswith(f"FAILED: clir-ot: {path}")
        assert expected in printed
        assert not built.exists()
    else:
        (written,) = (built / "bitext").glob("*.tsv")
        assert [tuple(line.split("\t")) for line in written.read_text().splitlines()] == expected
