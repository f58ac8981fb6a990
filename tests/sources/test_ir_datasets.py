"""ir_datasets' ids as collections: its own classes over small files; its catalogue stands, its downloads do not."""

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from clir_ot import Collection
from clir_ot.collections.check import find_problems

pytest.importorskip("ir_datasets", reason="the extra ir-datasets is not installed")


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Takes the place of what `ir_datasets.load` finds."""
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    import ir_datasets

    found: dict[str, Any] = {}
    monkeypatch.setattr(ir_datasets, "load", found.__getitem__)
    return found


def local(path: Path, content: str) -> Any:
    from ir_datasets.util.download import LocalDownload

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return LocalDownload(path)


def table(rows: Mapping[str, str]) -> str:
    return "".join(f"{name}\t{text}\n" for name, text in rows.items())


def dataset(folder: Path, lang: str | None = "de", *, qrels: str = "", pairs: str = "", name: str = "toy") -> Any:
    from ir_datasets.datasets.base import Dataset
    from ir_datasets.formats import TrecQrels, TsvDocPairs, TsvDocs, TsvQueries

    docs = local(folder / "docs.tsv", table({"d1": f"{lang} eins", "d2": f"{lang} zwei"}))
    queries = local(folder / "queries.tsv", table({"q1": f"{lang} erste?", "q2": f"{lang} zweite?"}))
    parts = [TsvDocs(docs, namespace=name, lang=lang), TsvQueries(queries, lang=lang)]
    if qrels:
        parts.append(TrecQrels(local(folder / "qrels", qrels), {}))
    if pairs:
        parts.append(TsvDocPairs(local(folder / "pairs", pairs)))
    return Dataset(*parts)


def test_an_id_gives_language_split_grades_and_negatives(
    catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]
) -> None:
    catalogue["toy/train"] = dataset(tmp_path / "a", qrels="q1 0 d1 2\nq1 0 d2 0\n", pairs="q1\td1\td2\n")
    clir("collection", "build", "ir_datasets:toy/train", tmp_path / "built", "--quiet")
    built = Collection(tmp_path / "built")
    assert dict(built.documents("de")) == {"d1": "de eins", "d2": "de zwei"}
    assert dict(built.queries("de")) == {"q1": "de erste?"}
    assert built.qrels("train") == {"q1": {"d1": 2, "d2": 0}}
    assert built.negatives("de") == {"q1": ["d2"]}
    assert "https://ir-datasets.com/toy#toy/train" in (tmp_path / "built" / "README.md").read_text()


def test_several_ids_are_one_collection(catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]) -> None:
    catalogue["toy/en/train"] = dataset(tmp_path / "a", "en", qrels="q1 0 d1 1\n")
    catalogue["toy/en/dev/small"] = dataset(tmp_path / "b", "en", qrels="q2 0 d2 1\n")
    catalogue["toy/de"] = dataset(tmp_path / "c", "de", qrels="q2 0 d1 1\n")
    argument = "ir_datasets:toy/en/train+toy/en/dev/small+toy/de"
    clir("collection", "build", argument, tmp_path / "built", "--quiet")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert built.document_languages == ["de", "en"]
    assert [len(built.qrels(split)) for split in ("train", "dev", "test")] == [1, 1, 1]
    assert dict(built.queries("de")) == {"q1": "de erste?", "q2": "de zweite?"}


def test_problems_are_one_line(catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]) -> None:
    def build(argument: str, *more: object) -> str:
        said = clir("collection", "build", f"ir_datasets:{argument}", tmp_path / "built", *more)
        assert "\n" not in said
        assert not (tmp_path / "built").exists()
        return said

    assert "ir_datasets has no 'vaswanni'; near it: vaswani; see https://ir-datasets.com" in build("vaswanni")
    catalogue["unknown"] = dataset(tmp_path / "a", None, qrels="q1 0 d1 1\n")
    assert "does not say the language of unknown's documents; add --languages DOCUMENTS,QUERIES" in build("unknown")
    catalogue["one"] = dataset(tmp_path / "b", qrels="q1 0 d1 1\n")
    catalogue["other"] = dataset(tmp_path / "c", qrels="q1 0 d1 1\n", name="others")
    assert "ir_datasets:other has other documents in 'de' than one; build it apart" in build("one+other")
    assert "IR_DATASETS_HOME (~/.ir_datasets): put them there, without --from" in build("one", "--from", tmp_path)
    catalogue["one"].docs_handler().docs_path().unlink()
    assert "ir_datasets:one: could not be fetched or read" in build("one")
    assert "expected ir_datasets:ID" in clir("collection", "build", "ir_datasets", tmp_path / "built")


def test_languages_stand_in_where_the_catalogue_does_not_know(
    catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]
) -> None:
    catalogue["unknown"] = dataset(tmp_path / "a", None, qrels="q1 0 d1 1\n")
    clir("collection", "build", "ir_datasets:unknown", tmp_path / "built", "--languages", "en,yo", "--quiet")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert (built.document_languages, built.query_languages) == (["en"], ["yo"])
    assert built.judged("test", "yo")[1] == {"q1": {"d1": 1}}


def test_wikiclir_has_one_set_of_queries_for_all_languages(
    catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]
) -> None:
    from ir_datasets.datasets.base import Dataset
    from ir_datasets.datasets.wikiclir import WikiClirDoc, WikiClirQuery
    from ir_datasets.formats import TrecQrels, TsvDocs, TsvQueries

    for code in ("sw", "tl"):
        queries = local(tmp_path / code / "queries", "12\tAnarchism\tis a philosophy\n39\tAlbedo\t\n")
        catalogue[f"wikiclir/{code}"] = Dataset(
            TsvDocs(
                local(tmp_path / code / "docs", f"7\tT\t{code} text\n8\tU\tmore\n"), doc_cls=WikiClirDoc, lang=code
            ),
            TsvQueries(queries, query_cls=WikiClirQuery, lang="en"),
            TrecQrels(local(tmp_path / code / "rel", "12 7 2\n12 8 1\n39 8 2\n"), {}, format_3col=True),
        )
    clir("collection", "build", "wikiclir", tmp_path / "built", "--languages", "sw,tl", "--quiet")
    built = Collection(tmp_path / "built")
    assert find_problems(tmp_path / "built", []).count == 0
    assert dict(built.queries()) == {"12": "is a philosophy", "39": "Albedo"}
    assert dict(built.documents("sw")) == {"sw-7": "T\nsw text", "sw-8": "U\nmore"}
    assert built.qrels("train")["12"] == {"sw-7": 2, "sw-8": 1, "fil-7": 2, "fil-8": 1}
    said = clir("collection", "build", "wikiclir", tmp_path / "other", "--languages", "yo")
    assert "wikiclir has no language 'yo'; it has ar, ca, cs" in said


def test_clirmatrix_has_queries_of_a_language_over_english(
    catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str]
) -> None:
    from ir_datasets.datasets.base import Dataset
    from ir_datasets.formats import CLIRMatrixQrels, CLIRMatrixQueries, TsvDocs

    docs = TsvDocs(local(tmp_path / "docs", "1\tA bank.\n2\tA town.\n"), lang="en")
    catalogue["clirmatrix/en"] = Dataset(docs)
    for code in ("yo", "tl"):
        for number, split in enumerate(("train", "dev", "test1")):
            line = json.dumps(
                {"src_id": f"{number}", "src_query": f"{code} {split}", "tgt_results": [["1", 6], ["2", 0]]}
            )
            file = local(tmp_path / code / split, f"{line}\n")
            parts = (docs, CLIRMatrixQueries(file, code), CLIRMatrixQrels(file, {}))
            catalogue[f"clirmatrix/en/bi139-base/{code}/{split}"] = Dataset(*parts)
    command = ("collection", "build", "clirmatrix", tmp_path / "built", "--quiet")
    assert "queries in 138 languages; name those that you want, such as --languages yo,sw" in clir(*command)
    assert "ir_datasets has no 'clirmatrix/en/bi139-base/de/train'" in clir(*command, "--languages", "de")
    clir(*command, "--languages", "yo,fil")
    built = Collection(tmp_path / "built")
    assert list(find_problems(built.folder, []).lines()) == []
    assert dict(built.documents()) == {"1": "A bank.", "2": "A town."}
    assert dict(built.queries("fil")) == {"fil-0": "tl train", "fil-1": "tl dev", "fil-2": "tl test1"}
    assert built.qrels("test", "yo") == {"yo-2": {"1": 6, "2": 0}}
    assert built.judged("train", "yo")[1] == {"yo-0": {"1": 6, "2": 0}}


@pytest.mark.parametrize("layout", ["parquet", "jsonl.gz"])
def test_neuclir_joins_the_hubs_documents_to_trecs_topics(
    catalogue: dict[str, Any], tmp_path: Path, clir: Callable[..., str], layout: str
) -> None:
    from ir_datasets.datasets.base import Dataset
    from ir_datasets.formats import ExctractedCCNoReportNoHtNarQuery, ExctractedCCQueries, TrecQrels

    (tmp_path / "neuclir1" / "data").mkdir(parents=True)
    for code, three in (("fa", "fas"), ("zh", "zho")):
        rows = [
            {"id": f"{three}-{n}", "cc_file": "c", "time": "2019-01-01", "title": f"T{n}", "text": code, "url": "u"}
            for n in (1, 2)
        ]
        target = tmp_path / "neuclir1" / "data" / f"{three}-00000-of-00001.{layout}"
        if layout == "parquet":
            parquet.write_table(pyarrow.Table.from_pylist(rows), target)
            (target.parent / f"{three}_mt_eng-00000-of-00001.parquet").write_bytes(b"is another split")
        else:
            target.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
        for year, number in (("2022", "101"), ("2023", "201")):
            name = {"topic_title": "Title", "topic_description": "description?", "topic_narrative": "n"}
            forms = [("eng", "original", ""), (three, "human translation", "ht "), (three, "google translation", "mt ")]
            topics = [
                {"lang": lang, "source": source, **{key: mark + text for key, text in name.items()}}
                for lang, source, mark in forms
            ]
            line = json.dumps({"topic_id": number, "languages_with_qrels": [three], "topics": topics})
            queries = ExctractedCCQueries(
                local(tmp_path / code / year / "topics", f"{line}\n"),
                subset_lang=code, filter_lwq=False, cls=ExctractedCCNoReportNoHtNarQuery,
            )  # fmt: skip
            qrels = local(
                tmp_path / code / year / "qrels", f"{number} {three} {three}-1 3\n{number} {three} {three}-2 0\n"
            )
            catalogue[f"neuclir/1/{code}/trec-{year}"] = Dataset(queries, TrecQrels(qrels, {}))
    command = ("collection", "build", "neuclir", tmp_path / "built", "--from", tmp_path, "--languages")
    clir(*command, "fa,zh", "--quiet")
    built = Collection(tmp_path / "built")
    assert find_problems(tmp_path / "built", []).count == 0
    assert dict(built.documents("fa")) == {"fas-1": "T1\nfa", "fas-2": "T2\nfa"}
    assert dict(built.queries()) == {"101": "Title description?", "201": "Title description?"}
    assert dict(built.queries("zh")) == {"101": "ht Title ht description?", "201": "ht Title ht description?"}
    assert built.qrels("test") == {"201": {"fas-1": 3, "fas-2": 0, "zho-1": 3, "zho-2": 0}}
    assert built.judged("dev", "en", "fa")[1] == {"101": {"fas-1": 3, "fas-2": 0}}
    assert "neuclir has no language 'yo'; it has fa, ru, zh" in clir(*command, "yo")
