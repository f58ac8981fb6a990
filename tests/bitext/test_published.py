"""Files as publishers and their users' systems leave them: names, zips, tables, JSON, and bytes that are no text."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from clir_ot.bitext.formats import find_sources
from clir_ot.errors import UserError

PAIRS = [("Good morning", "Ẹ káàárọ̀"), ('He said "no", twice', "Ó sọ pé\u2028“rárá”"), ("One", "Ọ̀kan")]
ENGLISH, FOREIGN = ("".join(f"{pair[side]}\n" for pair in PAIRS).encode() for side in (0, 1))
TSV = "".join(f"{english}\t{foreign}\n" for english, foreign in PAIRS).encode()
UNITS = "".join(
    f'<tu><tuv xml:lang="en"><seg>{english}</seg></tuv><tuv xml:lang="yo"><seg>{foreign}</seg></tuv></tu>\n'
    for english, foreign in PAIRS
)
TMX = f'<tmx version="1.4"><body>{UNITS}</body></tmx>'.encode()

Read = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def read(said: list[str]) -> Read:
    def from_paths(*paths: Path, language: str = "yo", **options: object) -> list[tuple[str, str]]:
        sources = find_sources(paths, language, say=said.append, **options)  # type: ignore[arg-type]
        return [pair for source in sources for pair in source.read()]

    return from_paths


def packed(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("english", "foreign"),
    [
        ("x.en", "x.yo"),
        ("x.en-yo.en", "x.en-yo.yo"),
        ("x_en.txt", "x_yo.txt"),
        ("en.txt", "yor.txt"),
        ("eng_Latn.dev", "yor_Latn.dev"),
        ("news.en.txt.gz", "news.yo.txt.gz"),
        ("WMT-en", "WMT-yo"),
    ],
)
def test_halves_differ_in_the_code_wherever_it_stands(tmp_path: Path, read: Read, english: str, foreign: str) -> None:
    for name, content in ((english, ENGLISH), (foreign, FOREIGN), (f"other_{english}", b"no\n"), ("README.txt", b"")):
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert read(tmp_path / english) == read(tmp_path / foreign) == PAIRS
    assert read(tmp_path / foreign, tmp_path / english) == PAIRS
    assert read(packed(tmp_path / "a.zip", {f"data/{english}".removesuffix(".gz"): ENGLISH,
                                            f"data/{foreign}".removesuffix(".gz"): FOREIGN})) == PAIRS  # fmt: skip


def test_a_text_without_another_half_is_a_table(tmp_path: Path, read: Read) -> None:
    (tmp_path / "news.en.txt").write_bytes(TSV)
    assert read(tmp_path / "news.en.txt") == PAIRS


def test_the_code_itself_comes_before_its_varieties(tmp_path: Path, read: Read) -> None:
    """In every format, whichever stands first."""
    texts = {"fr-CA": "le magasinage", "fr": "les courses", "en-GB": "the shopping"}
    variants = "".join(f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in texts.items())
    (tmp_path / "a.tmx").write_text(f'<tmx version="1.4"><body><tu>{variants}</tu></body></tmx>')
    (tmp_path / "b.jsonl").write_text(json.dumps({"translation": texts}))
    parquet.write_table(pa.table({code: [text] for code, text in texts.items()}), tmp_path / "c.parquet")
    (tmp_path / "d.tsv").write_text("\t".join(texts) + "\n" + "\t".join(texts.values()) + "\n")
    for code, text in texts.items():
        (tmp_path / f"e.{code}").write_text(text)
    packed(tmp_path / "f.zip", {f"x.en-fr.{code}": text.encode() for code, text in texts.items()})
    for name in ("a.tmx", "b.jsonl", "c.parquet", "d.tsv", "e.en-GB", "f.zip"):
        assert read(tmp_path / name, language="fr") == [("the shopping", "les courses")], name
        assert read(tmp_path / name, language="fr-CA") == [("the shopping", "le magasinage")], name
    (tmp_path / "two.jsonl").write_text(json.dumps({"translation": {"en": "a", "fr-CA": "b", "fr-BE": "c"}}))
    with pytest.raises(UserError, match=r"two\.jsonl:1: fr-BE and fr-CA are both taken for fr; say which"):
        read(tmp_path / "two.jsonl", language="fr")


def test_a_zip_of_one_file_of_any_format(tmp_path: Path, read: Read) -> None:
    rows = [{"translation": {"en": english, "yo": foreign}} for english, foreign in PAIRS]
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"translation": [row["translation"] for row in rows]}), buffer)
    files = {
        "all.en-yo.tmx": TMX, "a/pairs.tsv": TSV, "pairs.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "pairs.parquet": buffer.getvalue(), "pairs.tsv.gz": gzip.compress(TSV),
    }  # fmt: skip
    beside = {"__MACOSX/._all.en-yo.tmx": b"\0", ".DS_Store": b"\0", "a/": b"", "README.txt": b"x", "LICENSE": b"x"}
    for name, content in files.items():
        assert read(packed(tmp_path / "x.zip", {**beside, name: content})) == PAIRS, name
    assert read(packed(tmp_path / "pairs.tsv.zip", {"pairs.tsv": TSV})) == PAIRS
    assert read(packed(tmp_path / "data.bin", {"pairs.tsv": TSV}), form="zip") == PAIRS


def test_what_a_zip_has_not_is_said(tmp_path: Path, read: Read) -> None:
    several = packed(tmp_path / "x.zip", {"train.tsv": TSV, "test.tsv": TSV})
    with pytest.raises(UserError, match=r"x\.zip: holds several files, unpack it .*: train\.tsv, test\.tsv"):
        read(several)
    with pytest.raises(UserError, match=r"y\.zip: holds no pair NAME\.en and NAME\.yo, .*only a README, or nothing"):
        read(packed(tmp_path / "y.zip", {"README": b"x"}))
    memory = packed(tmp_path / "z.zip", {"all.tmx": TMX})
    with pytest.raises(UserError, match=r"--columns 2,1: .*z\.zip holds no table"):
        read(memory, columns=("2", "1"))


def test_a_zip_with_a_password_is_one_line(tmp_path: Path, read: Read) -> None:
    path = packed(tmp_path / "x.zip", {"pairs.tsv": TSV})
    content = bytearray(path.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of the file and of its entry
        content[content.index(signature) + place] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"x\.zip: pairs\.tsv in it is protected by a password"):
        read(path)


def test_a_damaged_member_of_a_zip_is_one_line(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("pairs.tsv", TSV)
    path.write_bytes(path.read_bytes().replace(b"Good morning", b"Good evening"))
    with pytest.raises(UserError, match=r"pairs\.tsv: cannot be read \(Bad CRC"):
        read(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, read: Read, delimiter: str) -> None:
    path = tmp_path / "pairs.csv"
    pairs = [*PAIRS, ("two\nlines", "x;y,z")]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows([("id", "Yoruba", "English"), *((1, f, e) for e, f in pairs)])
    assert read(path) == read(path, columns=("English", "Yoruba")) == read(path, columns=("3", "2")) == pairs
    with pytest.raises(UserError, match=r"pairs\.csv:1: names column 2 as English|expected --columns 3,2"):
        read(path, columns=("2", "3"))


def test_csv_of_one_column_and_with_an_open_quote(tmp_path: Path, read: Read) -> None:
    (tmp_path / "one.csv").write_text("a\nb\n")
    with pytest.raises(UserError, match=r"one\.csv: expected two columns"):
        read(tmp_path / "one.csv")
    (tmp_path / "open.csv").write_text('a,b\nc,"d\ne,f\n')
    with pytest.raises(UserError, match=r"open\.csv:2: cannot be read as quoted fields"):
        read(tmp_path / "open.csv")


def test_quoted_and_headed_tables_say_so(tmp_path: Path, read: Read, said: list[str]) -> None:
    path = tmp_path / "dev.tsv"
    path.write_text('en\tzu\n"She said ""go""."\t"Wathi ""hamba""."\n"Two\nlines."\t"Imigqa\nemibili."\n')
    expected = [('She said "go".', 'Wathi "hamba".'), ("Two\nlines.", "Imigqa\nemibili.")]
    assert read(path, language="zu") == expected
    assert said == [
        f"{path}: 4 field(s) are quoted as in CSV and read without the quotes",
        f"{path}:1: names the columns, and is no pair; English 'en', zu 'zu'",
    ]
    assert read(path, language="zu", columns=("en", "zu")) == expected


def test_the_command_says_it_and_writes_it_down(tmp_path: Path, clir: Callable[..., str]) -> None:
    path = tmp_path / "train.tsv"
    path.write_text("English\tYoruba\nGood morning.\tẸ káàárọ̀.\n\u200b\tx\n")
    printed = clir("collection", "bitext", path, "--language", "yo", "--output", tmp_path / "new")
    line = f"{path}:1: names the columns, and is no pair; English 'English', yo 'Yoruba'"
    assert printed.splitlines()[0] == line
    assert (tmp_path / "new" / "bitext" / "yo.tsv").read_text() == "Good morning.\tẸ káàárọ̀.\n"
    assert line in (tmp_path / "new" / "bitext" / "README.yo.md").read_text()


def test_json_lines_a_list_and_other_rows(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "pairs.json"
    rows: list[list[dict[str, object]]] = [
        [{"translation": {"en": english, "yo": foreign}} for english, foreign in PAIRS],
        [{"english": english, "foreign": foreign} for english, foreign in PAIRS],
        [{"n": n, "eng_Latn": english, "yor_Latn": foreign} for n, (english, foreign) in enumerate(PAIRS)],
    ]
    for some in rows:
        for text in ("\n".join(map(json.dumps, some)), json.dumps(some), json.dumps(some, indent=1)):
            path.write_text(text)
            assert read(path) == PAIRS
    path.write_text(json.dumps([rows[0][0], {"en": "a"}]))
    with pytest.raises(UserError, match=r'pairs\.json: item 2: expected \{"translation"'):
        read(path)
    path.write_text('[\n{"en": "a", "yo": "b"},\n{"en"}]')
    with pytest.raises(UserError, match=r"pairs\.json:3: expected a list of"):
        read(path)


def test_a_spreadsheet_is_refused_in_a_line(tmp_path: Path, read: Read) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"x\.xlsx: is a spreadsheet, which is not read; save its sheet as \.csv"):
        read(tmp_path / "x.xlsx")


BOM16 = "a\tb\n".encode("utf-16")
BROKEN: dict[str, tuple[bytes, str]] = {
    "utf-16.tsv": (BOM16, ":1: not UTF-8 but UTF-16"),
    "utf-16.jsonl": ('{"en": "a"}'.encode("utf-16"), ":1: not UTF-8 but UTF-16"),
    "utf-16.en": (BOM16, ":1: not UTF-8 but UTF-16"),
    "unmarked.tsv": ("a\tb\n".encode("utf-16-le"), ":1: holds a NUL character"),
    "nul.en": (b"a\nb\0\n", ":2: holds a NUL character"),
    "latin.tsv": (b"a\tb\ncaf\xe9\tb\n", ":2: not UTF-8"),
    "latin.csv": (b"a,b\ncaf\xe9,b\n", ":2: not UTF-8"),
    "latin.json": (b'[{"en": "a",\n"yo": "\xe9"}]', ":2: not UTF-8"),
    "mac.tsv": (b"a\tb\rc\td\r", ":1: holds carriage returns"),
    "mac.en": (b"a\rb\r", ":1: holds carriage returns"),
    "cut.tsv.gz": (gzip.compress(TSV * 99)[:-30], "cut.tsv.gz: cannot be read (Compressed file ended"),
    "no.tsv.gz": (TSV, "no.tsv.gz: cannot be read (Not a gzipped file"),
    "cut.tsv.zst": (zstandard.compress(TSV * 99)[:-9], "cut.tsv.zst: cannot be read ("),
    "cut.json.gz": (gzip.compress(b"[" * 99)[:-5], "cut.json.gz: cannot be read ("),
    "empty.tmx": (b"", "empty.tmx:1: no well-formed TMX"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_bytes_that_are_no_text_are_named_and_nothing_is_written(
    tmp_path: Path, clir: Callable[..., str], name: str
) -> None:
    content, expected = BROKEN[name]
    (tmp_path / name).write_bytes(content)
    if name.endswith(".en"):
        (tmp_path / name.replace(".en", ".yo")).write_bytes(content)
    printed = clir("collection", "bitext", tmp_path / name, "--language", "yo", "--output", tmp_path / "new")
    assert printed.startswith(f"FAILED: clir-ot: {tmp_path / name}")
    assert expected in printed
    assert "\n" not in printed
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["none.tsv", "names.tsv", "none.jsonl", "none.csv", "none.en"])
def test_a_file_without_a_pair_writes_nothing(tmp_path: Path, clir: Callable[..., str], name: str) -> None:
    (tmp_path / name).write_text("english\tyoruba\n" if name == "names.tsv" else "")
    (tmp_path / "none.yo").touch()
    printed = clir("collection", "bitext", tmp_path / name, "--language", "yo", "--output", tmp_path / "new")
    assert "no pair of 0 is left" in printed or "expected two columns" in printed
    assert not (tmp_path / "new").exists()


def test_line_ends_marks_and_long_lines(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(b"\xef\xbb\xbfa\tb\r\n\r\n\xef\xbb\xbfc\td\xe2\x80\xa8e\r\nf\tg")  # two files put together
    assert read(path) == [("a", "b"), ("c", "d\u2028e"), ("f", "g")]
    long = "word " * 2_000_000
    path.write_text(f"{long}\tb\n")
    assert read(path) == [(long, "b")]
