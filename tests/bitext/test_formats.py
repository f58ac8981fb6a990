"""Every format in a tiny file as it is published, read to the same pairs; and what is wrong in one, said in a line."""

import gzip
import html
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from clir_ot.bitext.formats import find_sources
from clir_ot.errors import UserError

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "samples" / "tico19.en-ha.head30.tmx"

# The second side holds a Unicode line separator, which is text, and quotes, which quote nothing.
PAIRS = [("Good morning", "Ẹ káàárọ̀"), ('He said "no"', "Ó sọ pé\u2028“rárá”"), ("One & two", "Ọ̀kan < èjì")]
TRANSLATIONS = [{"en": english, "yo": foreign} for english, foreign in PAIRS]

TMX = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header creationtool="x" segtype="sentence" srclang="en-US" adminlang="en" datatype="text"/><body>
{units}
</body></tmx>
"""


def tmx(*units: str, encoding: str = "UTF-8") -> bytes:
    return TMX.format(units="\n".join(units), encoding=encoding).encode(encoding)


def unit(**sides: str) -> str:
    variants = (f'<tuv xml:lang="{code.replace("_", "-")}"><seg>{text}</seg></tuv>' for code, text in sides.items())
    return f'<tu tuid="1"><prop type="note">n</prop>{"".join(variants)}</tu>'


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


UNITS = [unit(fr="Oui", en_US=escaped(english), yor=escaped(foreign)) for english, foreign in PAIRS]


def read(*paths: Path, language: str = "yo", **options: object) -> list[tuple[str, str]]:
    return [pair for source in find_sources(paths, language, **options) for pair in source.read()]  # type: ignore[arg-type]


def lines(rows: list[str]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "-").replace("_", "."), content)
    return path


ENGLISH, FOREIGN = (lines([pair[side] for pair in PAIRS]) for side in (0, 1))
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content, ".gz": gzip.compress, ".zst": zstandard.compress,
}  # fmt: skip
FILES = {
    "pairs.tsv": lines([f"{english}\t{foreign}" for english, foreign in PAIRS]),
    "windows.tsv": b"\xef\xbb\xbf" + lines([f"{english}\t{foreign}\r" for english, foreign in PAIRS]),
    "pairs.jsonl": lines([json.dumps({"id": 1, "translation": row}) for row in TRANSLATIONS]),
    "pairs.tmx": tmx(*UNITS),
    "utf16.tmx": tmx(*UNITS, encoding="UTF-16"),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", FILES)
def test_text_formats_plain_and_compressed(tmp_path: Path, name: str, packing: str) -> None:
    path = tmp_path / f"{name}{packing}"
    path.write_bytes(PACKED[packing](FILES[name]))
    assert read(path) == PAIRS
    # By hand where the name does not say it.
    other = path.rename(tmp_path / f"data{packing}")
    assert read(other, form=path.name.split(".")[1]) == PAIRS


def test_columns_of_a_table_in_either_order_by_number_and_by_name(tmp_path: Path) -> None:
    reverse, wide, named = (tmp_path / f"{name}.tsv" for name in ("reverse", "wide", "named"))
    reverse.write_bytes(lines([f"{foreign}\t{english}" for english, foreign in PAIRS]))
    wide.write_bytes(lines([f"17\t{english}\t18\t{foreign}" for english, foreign in PAIRS]))
    named.write_bytes(lines(["id\tyoruba\tenglish", *(f"1\t{foreign}\t{english}" for english, foreign in PAIRS)]))
    assert read(reverse, columns=("2", "1")) == PAIRS
    assert read(wide, columns=("2", "4")) == PAIRS
    assert read(named, columns=("english", "yoruba")) == PAIRS


def test_columns_of_what_has_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tmx").write_bytes(tmx(*UNITS))
    with pytest.raises(UserError, match=r"--columns 2,1: none of the sources is a table"):
        read(tmp_path / "x.tmx", columns=("2", "1"))


@pytest.mark.parametrize("packing", PACKED)
def test_a_moses_pair_by_both_halves_or_one(tmp_path: Path, packing: str) -> None:
    english, foreign = tmp_path / f"news.en{packing}", tmp_path / f"news.yor{packing}"
    english.write_bytes(PACKED[packing](ENGLISH + b"\nlast\n"))  # a blank line is a line
    foreign.write_bytes(PACKED[packing](FOREIGN + b"\nopin\n"))
    expected = [*PAIRS, ("", ""), ("last", "opin")]
    assert read(english, foreign) == read(foreign, english) == read(english) == read(foreign) == expected


def test_moses_pairs_of_the_same_name_in_two_folders_are_not_mixed(tmp_path: Path) -> None:
    paths = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for code in ("en", "yo"):
            paths.append(tmp_path / folder / f"x.{code}")
            paths[-1].write_text(f"{folder} {code}\n")
    assert read(*paths) == [("a en", "a yo"), ("b en", "b yo")]


def test_a_zip_as_opus_publishes_it(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "en-yo.txt.zip",
        README=b"GlobalVoices", LICENSE=b"CC", GlobalVoices_en__yo_en=ENGLISH, GlobalVoices_en__yo_yo=FOREIGN,
        GlobalVoices_en__yo_xml=b"<x/>",
    )  # fmt: skip
    assert read(path) == PAIRS
    with pytest.raises(UserError, match=r"en-yo\.txt\.zip: holds no pair NAME\.en and NAME\.sw, .*only Global"):
        read(path, language="sw")


def test_a_memory_with_markup_regions_and_units_that_lack_a_language(tmp_path: Path) -> None:
    path = tmp_path / "m.tmx"
    path.write_bytes(
        tmx(
            unit(en="only English"),
            unit(
                en_GB='Press <bpt i="1">&lt;b&gt;</bpt><hi>OK</hi><ept i="1">&lt;/b&gt;</ept> now<ph/>.', yo_NG="Tẹ OK"
            ),
            '<tu><tuv lang="YO"><seg>àtijọ́</seg></tuv><tuv lang="EN"><seg>old</seg></tuv></tu>',
            unit(en="first", yo="àkọ́kọ́", en_US="second"),
        )
    )
    assert read(path) == [("Press OK now.", "Tẹ OK"), ("old", "àtijọ́"), ("first", "àkọ́kọ́")]
    with pytest.raises(UserError, match=r"m\.tmx: no <tu> has both en and ha; the languages in it are: EN, YO, en"):
        read(path, language="ha")


def test_a_memory_reads_nothing_outside_it(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    path = tmp_path / "evil.tmx"
    doctype = f'<!DOCTYPE tmx [<!ENTITY e SYSTEM "file://{tmp_path}/secret.txt">]>'
    path.write_bytes(tmx(unit(en="&e;", yo="b")).replace(b'<!DOCTYPE tmx SYSTEM "tmx14.dtd">', doctype.encode()))
    with pytest.raises(UserError, match=r"evil\.tmx:2: declares the entity e"):
        read(path)


def test_a_memory_is_forgotten_while_it_is_read(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "big.tmx"
    path.write_bytes(tmx(*(unit(en=f"sentence {n} " + "x" * 500, yo=f"gbolohun {n}") for n in range(4000))))
    tracemalloc.start()
    try:
        assert sum(1 for source in find_sources([path], "yo") for _ in source.read()) == 4000
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 4
    finally:
        tracemalloc.stop()


def test_translation_features_as_files_saved_sets_and_folders(tmp_path: Path) -> None:
    feature = datasets.Features({"translation": datasets.Translation(["en", "yo"])})
    rows = datasets.Dataset.from_dict({"translation": TRANSLATIONS}, features=feature)
    (tmp_path / "en-yo").mkdir()
    rows.to_parquet(tmp_path / "en-yo" / "train-00000-of-00001.parquet")
    rows.select([0]).to_parquet(tmp_path / "en-yo" / "test-00000-of-00001.parquet")
    rows.save_to_disk(tmp_path / "saved")
    datasets.DatasetDict({"train": rows, "test": rows.select([0])}).save_to_disk(tmp_path / "splits")
    variable = datasets.Features({"translation": datasets.TranslationVariableLanguages(["en", "fr", "yo"])})
    encoded = [variable["translation"].encode_example({**row, "fr": ["un", "une"]}) for row in TRANSLATIONS]
    parquet.write_table(pa.table({"translation": encoded}), tmp_path / "variable.parquet")
    parallel = {"english": [pair[0] for pair in PAIRS], "non_english": [pair[1] for pair in PAIRS]}
    parquet.write_table(pa.table(parallel), tmp_path / "parallel.parquet")
    for name in (
        "en-yo/train-00000-of-00001.parquet",
        "en-yo",
        "saved",
        "splits",
        "variable.parquet",
        "parallel.parquet",
    ):
        assert read(tmp_path / name) == PAIRS, name
    with pytest.raises(UserError, match=r"parquet:row 1: no text in 'sw'; it has en, yo"):
        read(tmp_path / "en-yo" / "train-00000-of-00001.parquet", language="sw")


def test_language_codes_of_every_fashion(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines([json.dumps({"translation": {"swh_Latn": "habari", "eng_Latn": "news"}})]))
    assert read(path, language="sw") == [("news", "habari")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.tsv", b"one\ttwo\none\ttwo\tthree\n", "a.tsv:2: expected 2 fields, as the first line has, found 3"),
        ("a.tsv", b"\none two\n", "a.tsv:2: expected a tab between en and foreign, in columns 1 and 2; found 1 field"),
        ("a.tsv", b"one\ttwo\n\xff\ttwo\n", "a.tsv:2: not UTF-8"),
        (
            "a.jsonl",
            b'{"translation": {"en": "a", "yo": "b"}}\n{"en": "a"}\n',
            'a.jsonl:2: expected {"translation": {"en"',
        ),
        ("a.jsonl", b'{"translation": {"en": "a", "sw": "b"}}\n', "a.jsonl:1: no text in 'yo'; it has en, sw"),
        ("a.jsonl", b'{"translation": {"en": "a", "yo": 3}}\n', "a.jsonl:1: the text in 'yo' is no string"),
        ("a.jsonl", b'{"translation": {"en": "a", "yo": "\\ud800"}}\n', "a.jsonl:1: holds half a character"),
        ("a.jsonl", b'["a"]\n{\n', "a.jsonl:2: expected a list of {"),
        ("a.jsonl", b'{"translation"\n', "a.jsonl:1: expected"),
        ("a.tmx", tmx(UNITS[0], "<tu>"), "a.tmx:6: no well-formed TMX (mismatched tag, column 2)"),
        ("a.tmx", b"", "a.tmx:1: no well-formed TMX (no element found"),
        ("a.tmx.gz", gzip.compress(tmx(*UNITS), mtime=0)[:-20], "a.tmx.gz: cannot be read"),
        ("a.tsv.zst", b"no zstandard", "a.tsv.zst: cannot be read"),
        ("a.zip", b"PK no zip", "a.zip: cannot be read as a zip"),
        ("a.parquet", b"no parquet", "a.parquet: cannot be read as Parquet"),
        ("a.en", b"one\n", "a.en: is half of a Moses pair; its other half a.yo is not given, nor beside it"),
        ("a.docx", b"", "a.docx: its name says no format, nor does it end in .en or .yo; expected one of .tsv"),
    ],
)
def test_bad_input_is_one_line_that_names_file_and_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(tmp_path / name)
    assert str(tmp_path / expected[:1]) in str(caught.value)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_halves_of_unequal_length_and_bad_bytes_name_file_and_line(tmp_path: Path) -> None:
    english, foreign = tmp_path / "x.en", tmp_path / "x.yo"
    english.write_bytes(b"a\nb\nc\n")
    foreign.write_bytes(b"a\nb\n")
    with pytest.raises(UserError, match=r"x\.yo: ends after line 2, but .*x\.en goes on"):
        read(english)
    foreign.write_bytes(b"a\nb\n\xe9\n")
    with pytest.raises(UserError, match=r"x\.yo:3: not UTF-8"):
        read(english)
    packed = zipped(tmp_path / "x.zip", C_en__yo_en=b"a\n\xe9\n", C_en__yo_yo=b"a\nb\n")
    with pytest.raises(UserError, match=r"x\.zip/C\.en-yo\.en:2: not UTF-8"):
        read(packed)


def test_what_is_not_there_and_what_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.tsv: no such file"):
        read(tmp_path / "none.tsv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty: cannot be loaded: ") as caught:
        read(tmp_path / "empty")
    assert "\n" not in str(caught.value)


def test_a_published_memory() -> None:
    if not SAMPLE.is_file():
        pytest.skip("the TICO-19 sample is not at ../shared/data/samples")
    pairs = read(SAMPLE, language="ha")
    content = html.unescape(SAMPLE.read_text(encoding="utf-8"))
    assert len(pairs) == content.count("<tu ") == 30
    assert pairs[0] == (
        "about how long have these symptoms been going on?",
        "kusan tsawon lokacin ne waɗannan alamun ke gudana?",
    )
    assert all(f">{english}<" in content and f">{foreign}<" in content for english, foreign in pairs)
