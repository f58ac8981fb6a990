"""Bitext of OPUS, NLLB and NTREX-128 from small copies in the published layouts."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

from clir_ot import Collection
from clir_ot.sources.bitext_builders import nllb_code

NTREX = Path(__file__).parents[3] / "shared" / "data" / "ntrex"

PAIRS = [("Good morning", "Habari ya asubuhi"), ("Thank you", "Asante"), ("Thank you", "Asante")]
LINES = "".join(f"{english}\t{foreign}\n" for english, foreign in PAIRS)


def opus_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README", "GlobalVoices")
        archive.writestr("GlobalVoices.en-sw.en", "".join(f"{english}\n" for english, _ in PAIRS))
        archive.writestr("GlobalVoices.en-sw.sw", "".join(f"{foreign}\n" for _, foreign in PAIRS))
    return path


def test_opus_from_its_zip_into_a_collection_that_keeps_all_it_has(
    own_collection: Path, clir: Callable[..., str]
) -> None:
    before = {path: path.read_bytes() for path in own_collection.rglob("*") if path.is_file()}
    source = opus_zip(own_collection.parent / "en-sw.txt.zip")
    printed = clir("collection", "build", "opus:GlobalVoices:swa", own_collection, "--from", source)
    assert "pairs written" in printed
    assert f"next: clir-ot collection stats {own_collection} --strict" in printed
    assert f"make distill LANG=sw COLLECTION={own_collection}" in printed
    assert list(Collection(own_collection).bitext("sw")) == PAIRS
    after = {path: path.read_bytes() for path in own_collection.rglob("*") if path.is_file()}
    added = {own_collection / "bitext" / name for name in ("sw.tsv", "README.sw.md")}
    assert after.keys() - before.keys() == added
    assert before == {path: after[path] for path in before}
    assert "OPUS corpus GlobalVoices" in (own_collection / "bitext" / "README.sw.md").read_text()
    # A second time it is not touched.
    again = clir("collection", "build", "opus:GlobalVoices:sw", own_collection, "--from", source)
    assert "sw.tsv: is there already; remove it to build it again" in again
    assert clir("collection", "check", own_collection) == f"{own_collection}: no problem found\n"


@pytest.mark.parametrize("pair", ["en-sw", "sw-en"])
@pytest.mark.parametrize("name", ["train-00000-of-00001.parquet", "opus100-train.parquet"])
def test_opus_from_a_copy_of_the_hub_takes_the_training_split(
    tmp_path: Path, clir: Callable[..., str], pair: str, name: str
) -> None:
    rows = datasets.Dataset.from_dict(
        {"translation": [{"en": english, "sw": foreign} for english, foreign in PAIRS]},
        features=datasets.Features({"translation": datasets.Translation(["en", "sw"])}),
    )
    folder = tmp_path / "opus-100" / pair
    folder.mkdir(parents=True)
    rows.to_parquet(folder / name)
    rows.select([0]).to_parquet(folder / name.replace("train", "test"))
    printed = clir("collection", "build", "opus:opus-100:sw", tmp_path / "new", "--from", tmp_path)
    assert f"next: {tmp_path / 'new'} has no corpus file" in printed
    assert (tmp_path / "new" / "bitext" / "sw.tsv").read_text() == LINES


@pytest.mark.parametrize("as_folder", [False, True])
def test_nllb_from_the_published_file_whichever_side_is_first(
    tmp_path: Path, clir: Callable[..., str], as_folder: bool
) -> None:
    rest = "1.2\t0.9\t0.8\tcrawl\thttps://a\tcrawl\thttps://b"
    files = {"eng_Latn-swh_Latn.gz": "{0}\t{1}\t", "ace_Latn-eng_Latn.gz": "{1}\t{0}\t"}
    for (name, form), language in zip(files.items(), ("sw", "ace"), strict=True):
        path = tmp_path / "copy" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress("".join(f"{form.format(*pair)}{rest}\n" for pair in PAIRS).encode()))
        source = path.parent if as_folder else path
        clir("collection", "build", f"nllb:{language}", tmp_path / "new", "--from", source)
        assert (tmp_path / "new" / "bitext" / f"{language}.tsv").read_text() == LINES
        assert "ODC-BY" in (tmp_path / "new" / "bitext" / f"README.{language}.md").read_text()


def test_nllb_from_opus(tmp_path: Path, clir: Callable[..., str]) -> None:
    clir("collection", "build", "nllb:sw", tmp_path / "new", "--from", opus_zip(tmp_path / "en-sw.txt.zip"))
    assert (tmp_path / "new" / "bitext" / "sw.tsv").read_text() == LINES


def test_languages_as_nllb_names_them() -> None:
    names = {"yo": "yor_Latn", "sw": "swh_Latn", "am": "amh_Ethi", "ar": "arb_Arab", "fil": "tgl_Latn"}
    names |= {"zh": "zho_Hans", "zh-Hant": "zho_Hant", "mr": "mar_Deva", "ace": "ace_Latn", "no": "nob_Latn"}
    assert {language: nllb_code(language) for language in names} == names


@pytest.fixture(params=["published", "plain"])
def ntrex(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Two sentences in the two layouts."""
    texts = {"eng": "One.\nTwo.\n", "yor": "Ọ̀kan.\nÈjì.\n", "swa": "Moja.\nMbili.\n", "por-BR": "Um.\nDois.\n"}
    folder = tmp_path / "ntrex" / "NTREX-128"
    if request.param == "published":
        folder.mkdir(parents=True)
        for code, text in texts.items():
            kind = "src" if code == "eng" else "ref"
            (folder / f"newstest2019-{kind}.{code}.txt").write_text(text)
        (folder / "newstest2019-ref.eng-GB.txt").write_text("One!\nTwo!\n")
        (folder / "newstest2019-ref-2.spa.txt").write_text("Uno.\nDos.\n")
    else:
        folder.parent.mkdir()
        names = {"eng": "en", "yor": "yo", "swa": "sw", "por-BR": "pt-BR"}
        for code, text in texts.items():
            (folder.parent / f"{names[code]}.txt").write_text(text)
    return tmp_path / "ntrex"


def test_ntrex_in_both_layouts(ntrex: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    printed = clir("collection", "build", "ntrex", tmp_path / "all", "--from", ntrex)
    assert {path.name for path in (tmp_path / "all" / "bitext").glob("*.tsv")} == {"yo.tsv", "sw.tsv", "pt-BR.tsv"}
    assert (tmp_path / "all" / "bitext" / "yo.tsv").read_text() == "One.\tỌ̀kan.\nTwo.\tÈjì.\n"
    assert printed.count("pairs written") == 3
    assert "CC BY-SA 4.0" in (tmp_path / "all" / "bitext" / "README.yo.md").read_text()
    # One file that is of the language asked for will do; but not any.
    clir("collection", "build", "ntrex", tmp_path / "some", "--from", ntrex, "--languages", "yor,pt")
    assert {path.name for path in (tmp_path / "some" / "bitext").glob("*.tsv")} == {"yo.tsv", "pt.tsv"}
    printed = clir("collection", "build", "ntrex", tmp_path / "none", "--from", ntrex, "--languages", "yo,ha")
    assert "has no file in 'ha'; it has" in printed
    assert not (tmp_path / "none").exists()


def test_of_several_bitexts_the_next_step_takes_one_with_test_queries(
    own_collection: Path, clir: Callable[..., str]
) -> None:
    source = own_collection.parent / "ntrex"
    source.mkdir()
    for code in ("en", "ha", "sw"):
        (source / f"{code}.txt").write_text(f"one in {code}\n")
    printed = clir("collection", "build", "ntrex", own_collection, "--from", source)
    assert "make distill LANG=sw" in printed
    assert "LANG=ha" not in printed


def test_ntrex_is_added_for_all_languages_or_for_none(ntrex: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    broken = next(path for path in ntrex.rglob("*.txt") if path.stem.endswith(("yo", "yor")))
    broken.write_text("Ọ̀kan.\n")
    (tmp_path / "mine" / "bitext").mkdir(parents=True)
    (tmp_path / "mine" / "bitext" / "ha.tsv").write_text("a\tb\n")
    printed = clir("collection", "build", "ntrex", tmp_path / "mine", "--from", ntrex)
    assert f"{broken}: ends after line 1, but" in printed
    assert [path.name for path in (tmp_path / "mine" / "bitext").iterdir()] == ["ha.tsv"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["opus:GlobalVoices"], "expected opus:CORPUS:LANGUAGE"),
        (["opus:Wikimedia:yo"], "download its Moses zip of en and yo at https://opus.nlpl.eu, and give it with --from"),
        (["opus:opus-100:yo"], "Helsinki-NLP/opus-100"),  # no network in tests
        (["opus:opus-100:yo", "--from", "EMPTY"], "Helsinki-NLP/opus-100"),
        (["opus:X:yo", "--from", "MISSING"], "no such file"),
        (["opus:X:xx1"], "'xx1' is not a language code"),
        (["opus:X:en"], "en is English"),
        (["opus:X:yo", "--languages", "yo"], "the language stands in the name"),
        (["nllb:yo", "--from", "EMPTY"], "eng_Latn-yor_Latn.gz: no such file"),
        (["nllb"], "nllb: expected nllb:LANGUAGE"),
        (["ntrex"], "ntrex is not fetched by itself"),
        (["ntrex", "--from", "EMPTY"], "has neither newstest2019-src.eng.txt nor en.txt"),
    ],
)
def test_what_is_missing_is_said_in_a_line(
    tmp_path: Path, clir: Callable[..., str], arguments: list[str], expected: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"EMPTY": tmp_path / "empty", "MISSING": tmp_path / "missing"}
    name, *options = (places.get(argument, argument) for argument in arguments)
    printed = clir("collection", "build", name, tmp_path / "new", *options)
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert not (tmp_path / "new").exists()


def test_the_published_ntrex(tmp_path: Path, clir: Callable[..., str]) -> None:
    if not NTREX.is_dir():
        pytest.skip("NTREX-128 is not at ../shared/data/ntrex")
    clir("collection", "build", "ntrex", tmp_path / "new", "--from", NTREX, "--languages", "yo,th")
    for language in ("yo", "th"):
        lines = (tmp_path / "new" / "bitext" / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
        assert len(lines) == 1997
        assert all(line.count("\t") == 1 for line in lines)
