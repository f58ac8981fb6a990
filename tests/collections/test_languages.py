"""Codes of languages: what is the same, what is meant by another, and what is not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.languages import canonical_language, find_code, same_language
from clir_ot.data.training_batches import TrainingTexts
from clir_ot.errors import UserError


@pytest.mark.parametrize(
    ("wanted", "codes", "expected"),
    [
        ("fr", ["fr-CA", "fr"], "fr"),
        ("fr", ["fr_FR", "fr-CA"], "fr_FR"),
        ("fr-CA", ["fr", "fr-CA"], "fr-CA"),
        ("fr-CA", ["fr"], None),
        ("yo", ["YOR", "en"], "YOR"),
        ("yo", ["yor_Latn"], "yor_Latn"),
        # The main member of a group stands for it, and it for the member; another member does not.
        ("no", ["nn", "nb"], "nb"),
        ("no", ["nn"], None),
        ("nb", ["no", "nn"], "no"),
        ("sw", ["swh"], "swh"),
        ("sw", ["swh", "sw"], "sw"),
        ("zh", ["yue", "cmn_Hans"], "cmn_Hans"),
        ("zh", ["zh-TW", "zh-CN"], "zh-CN"),
        ("zh-Hans", ["zh-TW", "zh-CN"], "zh-CN"),
        ("fa", ["pes_Arab"], "pes_Arab"),
        ("ms", ["id", "zsm"], "zsm"),
        ("ms", ["id"], None),
        ("zsm", ["ms"], "ms"),
        ("ar", ["arz", "arb"], "arb"),
        ("ps", ["pbt_Arab"], "pbt_Arab"),
        ("tw", ["fat"], None),
        ("en", ["en-AU", "en-GB"], "en-AU"),  # any English is English
        ("yo", ["x-none", "", "text", "translation"], None),
    ],
)
def test_the_code_that_is_meant(wanted: str, codes: list[str], expected: str | None) -> None:
    assert find_code(codes, wanted, "file:1") == expected
    assert same_language(expected or codes[0], wanted) == (expected is not None)


@pytest.mark.parametrize(("asked", "code"), [("no", "nb"), ("nb", "no"), ("fr", "fr-CA"), ("swh", "sw")])
def test_a_collection_is_asked_as_bitext_is(
    asked: str, code: str, own_collection: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    words = ["--collection", own_collection, "--language", asked, "--documents", asked]
    as_named = [word if word != asked else "yo" for word in words]
    assert "18 queries" in clir("search", "--bm25", *as_named, "--output", tmp_path / "yo.trec")
    shared = (own_collection / "qrels" / "test.tsv").read_text()
    for path in [*own_collection.glob("*.yo.jsonl"), own_collection / "bitext" / "yo.tsv"]:
        for taken in path.parent.glob(path.name.replace("yo", code)):  # `sw` has files already
            taken.unlink()
        path.rename(path.with_name(path.name.replace("yo", code)))
    (own_collection / "qrels" / f"test.{code}.tsv").write_text(shared)
    run = tmp_path / f"bm25.{asked}.trec"
    assert "18 queries" in clir("search", "--bm25", *words, "--output", run)
    assert run.read_text() == (tmp_path / "yo.trec").read_text()
    table = clir("evaluate", run, "--collection", own_collection, "--documents", asked)
    assert "| bm25   | " in table
    assert "note:" not in table
    collection = Collection(own_collection)
    assert collection.searched_by("test", asked) == "en"
    assert collection.bitext(asked) == collection.bitext(code)
    checked = clir("collection", "check", own_collection, "--languages", asked)
    assert "no problem found" in checked
    assert checked.count(f"{asked!r} is read from its") == (0 if asked == "swh" else 2)
    texts = TrainingTexts.read(collection, ["en", asked], rankings=True, bitext=True)
    assert texts.is_judged(asked, asked)


def test_judgements_of_one_variety_are_not_anothers(own_collection: Path) -> None:
    for name, code in (("yo", "fr"), ("sw", "fr-CA")):
        (own_collection / f"queries.{name}.jsonl").rename(own_collection / f"queries.{code}.jsonl")
    (own_collection / "qrels" / "test.fr-CA.tsv").write_text("d3.0\td3\t1\n")
    collection = Collection(own_collection)
    assert len(collection.qrels("test", "fr")) == 18
    assert len(collection.qrels("test", "fr-CA")) == 1


def test_two_that_may_be_meant_are_named() -> None:
    with pytest.raises(UserError, match=r"file:1: fr-BE and fr-CA are both taken for fr; say which is meant"):
        find_code(["fr-CA", "fr-BE", "en"], "fr", "file:1")


def test_a_group_and_its_main_member_are_one_language(own_collection: Path) -> None:
    codes = {"swh": "sw", "cmn": "zh", "pes": "fa", "arb": "ar", "zsm": "ms", "cmn-Hant": "zh-Hant", "npi": "ne"}
    codes |= {"yue": "yue", "arz": "arz", "tw": "tw", "twi": "tw", "nb": "nb", "nn": "nn", "fil": "fil", "fuv": "fuv"}
    assert {code: canonical_language(code) for code in codes} == codes
    (own_collection / "queries.sw.jsonl").rename(own_collection / "queries.swh.jsonl")
    collection = Collection(own_collection)
    assert collection.queries("sw") == collection.queries("swh")
    assert "sw" in collection.query_languages
