"""MS MARCO in BeIR's two layouts on the hub, and mMARCO in its own: both from a few passages known by hand."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.sources.mmarco import NAMES

PASSAGES = {"0": "A reservation.", "10": "A bank.", "7187158": "A town."}
QUERIES = {"1185869": "what is a bank", "1048585": "what is a town", "19335": "what is a reservation", "9": "unjudged"}
TRIPLES = "1185869\t10\t0\n1185869\t10\t7187158\n1185869\t10\t0\n"
QRELS = {
    "train": "1185869\t10\t1\n",
    "dev": "1048585\t7187158\t1\n",
    "test": "19335\t0\t3\n19335\t10\t0\n19335\t7187158\t1\n",
}


@pytest.fixture(params=["jsonl.gz", "parquet"])
def beir(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The hub's repositories side by side."""
    texts, qrels = tmp_path / "from" / "BeIR" / "msmarco", tmp_path / "from" / "BeIR" / "msmarco-qrels"
    for folder in (texts, qrels, tmp_path / "from" / "unicamp-dl" / "mmarco" / "data"):
        folder.mkdir(parents=True)
    for kind, content in (("corpus", PASSAGES), ("queries", QUERIES)):
        rows = [{"_id": name, "title": "", "text": text, "metadata": {}} for name, text in content.items()]
        if request.param == "parquet":
            (texts / kind).mkdir()
            table = pyarrow.Table.from_pylist([{**row, "metadata": None} for row in rows])
            parquet.write_table(table, texts / kind / f"{kind}-00000-of-00001.parquet")
        else:
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (texts / f"{kind}.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for split, rows_of in QRELS.items():
        (qrels / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows_of}")
    (tmp_path / "from" / "unicamp-dl" / "mmarco" / "data" / "triples.train.ids.small.tsv").write_text(TRIPLES)
    return tmp_path / "from"


def test_msmarco_has_three_splits_grades_and_negatives(beir: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "build", "msmarco", tmp_path / "built", "--from", beir, "--accept-licence")
    assert f"next: make teacher COLLECTION={tmp_path / 'built'}" in printed
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert dict(built.documents()) == PASSAGES
    assert dict(built.queries()) == {name: text for name, text in QUERIES.items() if name != "9"}
    assert built.qrels("train") == {"1185869": {"10": 1}}
    assert built.qrels("dev") == {"1048585": {"7187158": 1}}
    assert built.qrels("test") == {"19335": {"0": 3, "10": 0, "7187158": 1}}
    assert built.negatives() == {"1185869": ["0", "7187158"]}
    readme = (tmp_path / "built" / "README.md").read_text()
    assert "non-commercial research only" in readme
    assert "BeIR/msmarco" in readme


def test_msmarco_without_the_triples_has_no_negatives(beir: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    next(beir.rglob("triples*")).unlink()
    clir("collection", "build", "msmarco", tmp_path / "built", "--from", beir, "--accept-licence", "--quiet")
    built = Collection(tmp_path / "built")
    assert built.negatives() == {}
    assert built.qrels("train") == {"1185869": {"10": 1}}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "msmarco: MS MARCO is for non-commercial research only"),
        (["--accept-licence", "--languages", "de"], "msmarco has no language 'de'; it has en"),
        (["--accept-licence", "--from", "missing"], "missing: no such folder; expected a copy of https://huggingface"),
    ],
)
def test_what_msmarco_needs_is_said(
    tmp_path: Path, clir: Callable[..., str], arguments: list[str], expected: str
) -> None:
    printed = clir("collection", "build", "msmarco", tmp_path / "built", *arguments)
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert not (tmp_path / "built").exists()


def test_a_missing_file_and_a_folder_in_use_are_named(beir: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    (beir / "BeIR" / "msmarco-qrels" / "dev.tsv").unlink()
    command = ("collection", "build", "msmarco", tmp_path / "built", "--from", beir, "--accept-licence")
    assert "no file dev.tsv or validation.tsv, as BeIR/msmarco-qrels has; there is test.tsv, train.tsv" in clir(
        *command
    )
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "mine").touch()
    assert "is there already and not empty" in clir(*command)


@pytest.fixture
def mmarco(tmp_path: Path) -> Path:
    root = tmp_path / "mmarco"
    for folder in ("collections", "queries/train", "queries/dev"):
        (root / "data" / "google" / folder).mkdir(parents=True)
    for code in ("en", "de", "vi"):
        for kind, content in (("collection", PASSAGES), ("queries.train", QUERIES), ("queries.dev", QUERIES)):
            folder = f"queries/{kind.partition('.')[2]}" if "." in kind else "collections"
            lines = "".join(f"{name}\t{code} {text}\n" for name, text in content.items())
            (root / "data" / "google" / folder / f"{NAMES[code]}_{kind}.tsv").write_text(lines)
    (root / "data" / "qrels.dev.small.tsv").write_text("1048585\t0\t7187158\t1\n")
    (root / "data" / "triples.train.ids.small.tsv").write_text(TRIPLES)
    return root


def test_mmarco_shares_ids_over_its_languages(mmarco: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    options = ("--languages", "de,vi", "--accept-licence")
    clir("collection", "build", "mmarco", tmp_path / "built", "--from", mmarco, *options)
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert built.document_languages == built.query_languages == ["de", "en", "vi"]
    for code in ("en", "de", "vi"):
        assert dict(built.documents(code)) == {name: f"{code} {text}" for name, text in PASSAGES.items()}
        assert dict(built.queries(code)) == {name: f"{code} {QUERIES[name]}" for name in ("1185869", "1048585")}
        assert built.negatives(code) == {"1185869": ["0", "7187158"]}
    assert built.qrels("train", "vi") == {"1185869": {"10": 1}}
    assert built.qrels("dev", "vi") == {"1048585": {"7187158": 1}}


def test_mmarcos_problems_are_one_line(mmarco: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    command = ("collection", "build", "mmarco", tmp_path / "built", "--from", mmarco, "--languages")
    assert "MS MARCO is for non-commercial research only" in clir(*command, "de")
    assert "mmarco has no language 'yo'; it has ar, de, en" in clir(*command, "yo", "--accept-licence")
    assert "no file data/google/collections/italian_collection.tsv*" in clir(*command, "it", "--accept-licence")
    path = mmarco / "data" / "google" / "collections" / "german_collection.tsv"
    path.write_text("0\ta\n1\tb\tc\n")
    assert f"{path}:2: expected 2 fields divided by tabs, found 3" in clir(*command, "de", "--accept-licence")
    assert not (tmp_path / "built").exists()
