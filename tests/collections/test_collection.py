"""The folder format: what is read, and that every problem names file and line."""

import gzip
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.collections.languages import canonical_language
from clir_ot.collections.statistics import statistics
from clir_ot.errors import UserError


def check(collection: Collection, languages: list[str]) -> None:
    """The first problem, as an error."""
    for problem in find_problems(collection.folder, languages).lines():
        raise UserError(problem)


def test_reads_texts_judgements_and_bitext(collection_folder: Path) -> None:
    collection = Collection(collection_folder)
    assert collection.query_languages == ["en", "sw", "yo"]
    assert collection.bitext_languages == ["yo"]
    assert collection.queries("yo").keys() == collection.queries().keys()
    assert collection.qrels("test")["d3.1"] == {"d3": 1}
    english, foreign = collection.bitext("yo")[0]
    assert foreign == " ".join("x" + word[::-1] for word in english.split())


def test_equivalent_language_codes_mean_the_same(collection_folder: Path) -> None:
    collection = Collection(collection_folder)
    assert collection.queries("yor") == collection.queries("yo")
    assert canonical_language("tl") == canonical_language("fil")
    assert canonical_language("pt_BR") == "pt-BR"


def test_gzip_is_read_like_plain_text(own_collection: Path) -> None:
    plain = Collection(own_collection).documents()
    path = own_collection / "corpus.jsonl"
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes())
    path.unlink()
    assert Collection(own_collection).documents() == plain


def test_a_language_of_its_own_judgements_uses_them(own_collection: Path) -> None:
    (own_collection / "qrels" / "test.yo.tsv").write_text("query-id\tcorpus-id\tscore\nd3.0\td1\t2\n")
    collection = Collection(own_collection)
    queries, qrels = collection.judged("test", "yo")
    assert qrels == {"d3.0": {"d1": 2}}
    assert list(queries) == ["d3.0"]
    assert len(collection.judged("test", "en")[0]) == 18


def own_identifiers(folder: Path) -> Path:
    """English and Yoruba documents that share an id (d0), and that do not; q3 has no answer in English."""
    (folder / "qrels").mkdir()
    texts = {"corpus": ["d0", "en1", "en2"], "corpus.yo": ["d0", "yo1", "yo2"]}
    for name, ids in (texts | {"queries": ["q1", "q2", "q3", "q4"]}).items():
        (folder / f"{name}.jsonl").write_text("".join(f'{{"_id": "{i}", "text": "{i}"}}\n' for i in ids))
    rows = ["q1\ten1\t1", "q1\tyo1\t2", "q2\td0\t1", "q2\tyo2\t0", "q3\tyo2\t1", "q4\ten2\t0"]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")
    return folder


def test_judgements_are_those_of_the_documents_searched(tmp_path: Path) -> None:
    collection = Collection(own_identifiers(tmp_path))
    queries, qrels = collection.judged("test", "en")
    # q4 stays: it is judged on an English document, which is not relevant to it.
    assert qrels == {"q1": {"en1": 1}, "q2": {"d0": 1}, "q4": {"en2": 0}}
    assert list(queries) == ["q1", "q2", "q4"]
    assert collection.judged("test", "en", "yor")[1] == {"q1": {"yo1": 2}, "q2": {"d0": 1, "yo2": 0}, "q3": {"yo2": 1}}
    assert collection.judged("test", "en", None)[1] == collection.qrels("test")
    check(collection, [])


def test_a_judged_document_in_no_corpus_stays_and_is_named_by_the_check(tmp_path: Path) -> None:
    with (own_identifiers(tmp_path) / "qrels" / "test.tsv").open("a") as file:
        file.write("q3\tnowhere\t1\n")
    collection = Collection(tmp_path)
    assert collection.judged("test", "en")[1]["q3"] == {"nowhere": 1}
    with pytest.raises(UserError, match=r"test\.tsv:\d+: document 'nowhere' of query 'q3' is in no corpus file"):
        check(collection, [])


def test_documents_in_a_language_without_any_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no documents in 'sw'; it has documents in: en, yo"):
        Collection(own_identifiers(tmp_path)).judged("test", "en", "sw")


def test_queries_without_any_judgements_are_named_by_the_check(own_collection: Path) -> None:
    for path in (own_collection / "qrels").iterdir():
        path.unlink()
    (own_collection / "qrels").rmdir()
    with pytest.raises(UserError, match="qrels: there are queries, but no judgements; expected train"):
        check(Collection(own_collection), [])


@pytest.mark.parametrize(
    ("file", "line", "content", "expected"),
    [
        ("corpus.jsonl", 2, '{"_id": "d0", "text": "a"}\n{"_id": 3}', "expected"),
        ("corpus.jsonl", 1, "not json", "expected"),
        ("corpus.jsonl", 2, '{"_id": "a", "text": "b"}\n{"_id": "a", "text": "c"}', "second time"),
        ("queries.yo.jsonl", 1, '{"_id": "a", "text": ""}', "non-empty"),
        ("qrels/test.tsv", 2, "query-id\tcorpus-id\tscore\nq1 d1 1", "TAB"),
        ("bitext/yo.tsv", 1, "only English", "English TAB foreign"),
        ("bitext/yo.tsv", 3, "a\tb\n\na\tb\tc", "found 3"),
    ],
)
def test_a_malformed_line_is_named(own_collection: Path, file: str, line: int, content: str, expected: str) -> None:
    (own_collection / file).write_text(content + "\n")
    with pytest.raises(UserError) as caught:
        check(Collection(own_collection), ["yo"])
    assert f"{own_collection / file}:{line}:" in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_utf8_are_named(own_collection: Path) -> None:
    (own_collection / "corpus.jsonl").write_bytes(b'{"_id": "a", "text": "b"}\n{"_id": "c", "text": "\xff"}\n')
    with pytest.raises(UserError, match=r"corpus\.jsonl:\d+: not UTF-8"):
        Collection(own_collection).documents()


def test_a_damaged_gzip_is_named(own_collection: Path) -> None:
    path = own_collection / "corpus.jsonl"
    compressed = gzip.compress(path.read_bytes())
    path.unlink()
    Path(f"{path}.gz").write_bytes(compressed[: len(compressed) // 2])
    with pytest.raises(UserError, match=r"corpus\.jsonl\.gz: cannot be read"):
        Collection(own_collection).documents()


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["ig"], "languages with queries and bitext: yo"),
        (["sw"], "has no bitext in 'sw'; it has bitext in: yo"),
        (["en"], "teacher's language"),
        (["klingon!"], "not a language code"),
    ],
)
def test_what_a_language_lacks_is_said(collection_folder: Path, languages: list[str], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        check(Collection(collection_folder), languages)


def test_judgements_of_unknown_texts_are_refused(own_collection: Path) -> None:
    with (own_collection / "qrels" / "dev.tsv").open("a") as file:
        file.write("d2.0\tnowhere\t1\n")
    with pytest.raises(UserError, match="nowhere"):
        check(Collection(own_collection), [])


def test_a_folder_that_is_no_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such collection folder"):
        Collection(tmp_path / "missing")
    with pytest.raises(UserError, match=r"holds no corpus\.jsonl"):
        Collection(tmp_path)


def test_two_files_of_one_language_are_refused(own_collection: Path) -> None:
    (own_collection / "queries.yor.jsonl").write_text('{"_id": "a", "text": "b"}\n')
    with pytest.raises(UserError, match="already the 'yo' file"):
        Collection(own_collection)


def test_fingerprint_follows_content_not_place(own_collection: Path, collection_folder: Path) -> None:
    assert Collection(own_collection).fingerprint() == Collection(collection_folder).fingerprint()
    (own_collection / "bitext" / "yo.tsv").write_text("a\tb\n")
    assert Collection(own_collection).fingerprint() != Collection(collection_folder).fingerprint()
    assert Collection(own_collection).fingerprint("corpus") == Collection(collection_folder).fingerprint("corpus")


def test_statistics_count_what_is_there(collection_folder: Path) -> None:
    rows = {row.language: row for row in statistics(Collection(collection_folder), lambda texts: 8 * len(texts))}
    assert (rows["yo"].documents, rows["yo"].queries, rows["yo"].bitext) == (24, 72, 36)
    assert rows["yo"].judged == (36, 18, 18)
    assert rows["sw"].bitext == 0
    assert rows["en"].pieces_per_word == 2.0  # four words a query


def test_translated_queries_are_no_language_and_no_part_of_the_fingerprint(own_collection: Path) -> None:
    before = Collection(own_collection)
    assert not before.has_translated_queries("yo")
    with pytest.raises(UserError, match=f"clir-ot translate --model NAME --collection {own_collection} --language yo"):
        before.translated_queries("yor")
    (own_collection / "queries.yo-en.jsonl").write_text('{"_id": "d0.0", "text": "bara", "model": "someone"}\n')
    (own_collection / "queries.pt-BR-en.jsonl.gz").write_bytes(gzip.compress(b'{"_id": "d0.0", "text": "desil"}\n'))
    after = Collection(own_collection)
    assert after.query_languages == before.query_languages == ["en", "sw", "yo"]
    assert after.fingerprint() == before.fingerprint()
    assert after.queries("yo") == before.queries("yo")
    for collection in (before, after):
        assert collection.has_translated_queries("yor")
        assert not collection.has_translated_queries("sw")
        assert collection.translated_queries("yo") == {"d0.0": "bara"}
        assert collection.translated_queries("pt_BR") == {"d0.0": "desil"}


@pytest.mark.parametrize("name", ["queries-en.jsonl", "queries.klingon!-en.jsonl", "corpus.yo-en.jsonl"])
def test_a_name_that_only_looks_like_translated_queries_is_refused(own_collection: Path, name: str) -> None:
    (own_collection / name).write_text('{"_id": "a", "text": "b"}\n')
    with pytest.raises(UserError, match="not a language code") as caught:
        Collection(own_collection)
    assert name in str(caught.value)
