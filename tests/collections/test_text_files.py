"""The formats of texts and pairs: the same content in each reads the same, and what is wrong is named where it is."""

import gzip
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from clir_ot import Collection
from clir_ot.collections.loading import load_judgements, load_pairs, load_texts
from clir_ot.collections.reading import read_pairs, read_texts
from clir_ot.errors import UserError

# Yoruba and Igbo with dots below and tones, some of which have no composed form, and Vietnamese with two marks a vowel.
TEXTS = {"d1": "Ọ̀rọ̀ àwọn ọmọ ẹ̀kọ́", "d2": "Kedụ ka ị mere? Ọ dị mma, ńnọ̀ọ", "d3": "Tiếng Việt: những người phụ nữ"}
PAIRS = [("good morning", "ẹ káàárọ̀"), ("children", "àwọn ọmọ"), ("a \u2028 b \x85 c", "d\x0be\x1cf")]


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def as_jsonl(texts: dict[str, str], ascii_only: bool = False) -> bytes:
    lines = (json.dumps({"_id": name, "text": text}, ensure_ascii=ascii_only) for name, text in texts.items())
    return "".join(f"{line}\n" for line in lines).encode()


def write_parquet(path: Path, columns: dict[str, list[str]]) -> Path:
    parquet.write_table(pa.table(columns), path, row_group_size=2)
    return path


WRITERS: dict[str, Callable[[dict[str, str]], bytes]] = {
    ".jsonl": as_jsonl,
    ".jsonl escaped": lambda texts: as_jsonl(texts, ascii_only=True),
    ".jsonl CRLF": lambda texts: as_jsonl(texts).replace(b"\n", b"\r\n"),
    ".jsonl BOM and blank lines": lambda texts: b"\xef\xbb\xbf\n" + as_jsonl(texts).replace(b"\n", b"\n \n"),
    ".jsonl.gz": lambda texts: gzip.compress(as_jsonl(texts)),
    ".jsonl.zst": lambda texts: zstandard.compress(as_jsonl(texts)),
    ".jsonl.zst of two frames": lambda texts: b"".join(
        zstandard.compress(line) for line in as_jsonl(texts).splitlines(keepends=True)
    ),
    ".tsv": lambda texts: "".join(f"{name}\t{text}\n" for name, text in texts.items()).encode(),
    ".tsv CRLF and BOM": lambda texts: (
        b"\xef\xbb\xbf" + "".join(f"{name}\t{text}\r\n" for name, text in texts.items()).encode()
    ),
    ".tsv with names": lambda texts: (
        "text\ttitle\t_id\n" + "".join(f"{text}\t\t{name}\n" for name, text in texts.items())
    ).encode(),
    ".tsv.gz": lambda texts: gzip.compress("".join(f"{name}\t{text}\n" for name, text in texts.items()).encode()),
}


@pytest.mark.parametrize("form", WRITERS)
def test_texts_read_the_same_in_every_format_and_come_out_composed(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"corpus{form.partition(' ')[0]}"
    path.write_bytes(WRITERS[form]({name: decomposed(text) for name, text in TEXTS.items()}))
    assert all(decomposed(text) != unicodedata.normalize("NFC", text) for text in TEXTS.values())
    assert load_texts(path) == {name: unicodedata.normalize("NFC", text) for name, text in TEXTS.items()}
    assert list(load_texts(path)) == ["d1", "d2", "d3"]
    # Written out: what has a composed form is composed, what has none keeps its mark behind the letter.
    assert load_texts(path)["d1"].startswith("\u1ecc\u0300r\u1ecd\u0300 \u00e0w")


def test_parquet_reads_like_json_lines(tmp_path: Path) -> None:
    columns = {"text": [decomposed(text) for text in TEXTS.values()], "_id": list(TEXTS), "other": ["x"] * 3}
    path = write_parquet(tmp_path / "corpus.parquet", columns)
    assert load_texts(path) == {name: unicodedata.normalize("NFC", text) for name, text in TEXTS.items()}
    assert [text.place for text in read_texts(path)] == [f"{path}:row {row}" for row in (1, 2, 3)]


def test_a_title_goes_before_the_text_in_every_format(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"_id": "d", "title": "T", "text": "x"}\n')
    (tmp_path / "b.tsv").write_text("_id\ttitle\ttext\nd\tT\tx\n")
    write_parquet(tmp_path / "c.parquet", {"_id": ["d"], "title": ["T"], "text": ["x"]})
    assert [load_texts(path) for path in sorted(tmp_path.iterdir())] == [{"d": "T\nx"}] * 3


@pytest.mark.parametrize("ending", [".tsv", ".tsv.zst", ".jsonl", ".parquet"])
def test_pairs_read_the_same_in_every_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"yo{ending}"
    pairs = [(english, decomposed(foreign)) for english, foreign in PAIRS]
    tsv = "".join(f"{english} \t {foreign}\n" for english, foreign in pairs).encode()
    content = {
        ".tsv": tsv,
        ".tsv.zst": zstandard.compress(tsv),
        ".jsonl": "".join(
            json.dumps({"english": english, "foreign": foreign}, ensure_ascii=False) + "\n"
            for english, foreign in pairs
        ).encode(),
    }
    if ending == ".parquet":
        write_parquet(path, {"english": [pair[0] for pair in pairs], "foreign": [pair[1] for pair in pairs]})
    else:
        path.write_bytes(content[ending])
    assert load_pairs(path) == [(english, unicodedata.normalize("NFC", foreign)) for english, foreign in PAIRS]


def test_a_tab_is_kept_where_the_format_can_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "yo.jsonl"
    path.write_text('{"english": "a\\tb", "foreign": "c\\nd"}\n')
    assert load_pairs(path) == [("a\tb", "c\nd")]


def test_a_collection_mixes_formats(own_collection: Path) -> None:
    plain = Collection(own_collection)
    expected = plain.documents(), plain.queries("yo"), plain.bitext("yo"), plain.qrels("test")
    for name in ("corpus.jsonl", "queries.yo.jsonl", "bitext/yo.tsv", "qrels/test.tsv"):
        content = (own_collection / name).read_bytes()
        (own_collection / name).unlink()
        if name == "corpus.jsonl":
            records = [json.loads(line) for line in content.splitlines()]
            write_parquet(own_collection / "corpus.parquet", {k: [r[k] for r in records] for k in ("_id", "text")})
        else:
            (own_collection / f"{name}.zst").write_bytes(zstandard.compress(content))
    other = Collection(own_collection)
    assert (other.documents(), other.queries("yo"), other.bitext("yo"), other.qrels("test")) == expected
    assert other.is_judged("test", "yo")


@pytest.mark.parametrize(
    ("name", "content", "line", "expected"),
    [
        ("a.jsonl", b'{"_id": "a", "text": "b"}\n\n[1]\n', 3, "an object"),
        ("a.jsonl", b'{"_id": "a", "text": "b"}\n{"_id": "c"}\n', 2, 'it has no "text"'),
        ("a.jsonl", b'{"_id": "a", "text": "b"}\n{"_id": "c", "text": "\xff"}\n', 2, "not UTF-8"),
        ("a.jsonl", b'{"_id": "a", "text": "\\ud83d"}\n', 1, "half a character"),
        ("a.jsonl", b'{"_id": "", "text": "b"}\n', 1, "non-empty"),
        ("a.jsonl", b'{"_id": 3, "text": "b"}\n', 1, "strings"),
        ("a.jsonl", b'{"_id": "a", "text": null}\n', 1, "strings"),
        ("a.jsonl", b'{"_id": "a", "text": "b"}\n{"_id": "b", "text": "b"}\r\n{"_id": "a", "text": "c"}', 3, "second"),
        ("a.tsv", b"d1\tone\nd2\tone\ttwo\n", 2, "expected _id TAB text, none of them empty; found 3 field(s)"),
        ("a.tsv", b"d1\tone\nd2\t\n", 2, "non-empty"),
        ("a.tsv", b"d1\tone\n\ttwo\n", 2, "non-empty"),
        ("a.tsv", b"_id\tcontents\nd1\tone\n", 1, "expected _id, text"),
        ("a.tsv", b"_id\ttext\ttext\nd1\tone\tone\n", 1, "each once"),
        ("a.tsv", b"_id\ttitle\ttext\nd1\tone\n", 2, "expected _id TAB title TAB text"),
        ("a.tsv", b"d1\tone\nd1\ttwo\n", 2, "second time"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, name: str, content: bytes, line: int, expected: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_texts(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("content", "line", "expected"),
    [
        (b"a\tb\na\t\n", 2, "the foreign side is empty"),
        (b"a\tb\n \tb\n", 2, "the English side is empty"),
        (b"a\tb\n\na\tb\tc\n", 3, "found 3 field(s); a tab inside a text must become a space"),
        (b"a\tb\nonly\n", 2, "English TAB foreign"),
        (b"a\tb\r\nc\td\n\xe9\tf\n", 3, "not UTF-8"),
        (b"a\tb\n\xff\xfe\n", 2, "not UTF-8"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path: Path, content: bytes, line: int, expected: str) -> None:
    path = tmp_path / "yo.tsv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_pairs(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"_id": ["a"], "contents": ["b"]}, "has no column 'text'; it has _id, contents"),
        ({"_id": [1], "text": ["b"]}, "column '_id' is of type int64; expected string"),
        ({"_id": ["a", "b"], "text": ["b", None]}, ":row 2: the text of 'b' is null; "),
        ({"_id": ["a", "b", "a"], "text": ["b", "c", "d"]}, ":row 3: _id 'a' occurs a second time"),
        ({"_id": [], "text": []}, "column '_id' is of type null|is empty"),
    ],
)
def test_what_is_wrong_in_parquet_is_named(tmp_path: Path, columns: dict[str, list[str]], expected: str) -> None:
    path = write_parquet(tmp_path / "corpus.parquet", columns)
    with pytest.raises(UserError) as caught:
        load_texts(path)
    assert any(part in str(caught.value) for part in expected.split("|"))
    assert str(caught.value).startswith(str(path))


def test_bytes_in_parquet_that_are_no_utf8_are_named_and_only_they(tmp_path: Path) -> None:
    binary = pa.array([b"good", b"\xff", b"fine"])
    texts = pa.Array.from_buffers(pa.string(), 3, binary.buffers())  # as a writer that does not look
    path = tmp_path / "corpus.parquet"
    parquet.write_table(pa.table({"_id": ["a", "b", "c"], "text": texts}), path)
    problems: list[str] = []
    assert [text.name for text in read_texts(path, lambda where, problem: problems.append(problem))] == ["a", "c"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:row 2: not UTF-8")


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_a_compressed_file_cut_short_is_no_shorter_file(
    tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]
) -> None:
    whole = compress(b"".join(b"english %d\tforeign %d\n" % (i, i * i) for i in range(50_000)))
    path = tmp_path / f"yo.tsv{ending}"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot be read"):
        list(read_pairs(path))


def test_a_damaged_parquet_is_named_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "corpus.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match="cannot be read as Parquet") as caught:
        load_texts(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.jsonl", "a.tsv"])
@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_says_what_was_expected(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match="is empty; expected"):
        load_texts(tmp_path / name)


def test_a_second_score_for_a_document_is_no_silent_choice(tmp_path: Path) -> None:
    path = tmp_path / "test.tsv"
    path.write_text("query-id\tcorpus-id\tscore\nq\td\t1\nq\td\t1\nq\te\t0\n")
    assert load_judgements(path) == {"q": {"d": 1, "e": 0}}
    path.write_text("query-id\tcorpus-id\tscore\nq\td\t1\nq\td\t0\n")
    with pytest.raises(UserError, match=r"test\.tsv:3: document 'd' is judged a second time for query 'q'"):
        load_judgements(path)


def test_negatives_are_read_from_parquet_too(tmp_path: Path) -> None:
    for name in ("corpus", "queries"):
        parquet.write_table(
            pa.table({"_id": ["a", "b"], "text": ["x", "y"], "negatives": [["b", "c"], None]}),
            tmp_path / f"{name}.parquet",
        )
    assert Collection(tmp_path).negatives() == {"a": ["b", "c"]}
