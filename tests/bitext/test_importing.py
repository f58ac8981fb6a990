"""A collection's bitext from other formats: what is cleaned, what each filter drops, and what is never overwritten."""

import gzip
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from clir_ot import Collection
from clir_ot.bitext.filters import Filter, identified, max_length_ratio
from clir_ot.bitext.importing import Counts, write_bitext_pairs
from clir_ot.collections.folding import FoldedTexts, fold
from clir_ot.collections.seen import SeenTexts


def counted(printed: str) -> dict[str, int]:
    """The table that the command prints."""
    rows = (line.rsplit(maxsplit=1) for line in printed.splitlines() if line and line[-1].isdigit())
    return {name.strip("- "): int(number) for name, number in rows}


def write_pairs(path: Path, *pairs: tuple[str, str]) -> Path:
    path.write_text("".join(f"{english}\t{foreign}\n" for english, foreign in pairs), encoding="utf-8")
    return path


def test_sides_are_cleaned_and_empty_ones_counted(tmp_path: Path) -> None:
    pairs = [("a\tb\n c", " \u00a0d\r\ne"), ("cafe\u0301", "o\u0323\u0300"), (" ", "x"), ("y", ""), ("z", "\u2028w")]
    counts = write_bitext_pairs(tmp_path, "yo", pairs)
    assert counts == Counts(5, 3, {"an empty side": 2})
    written = (tmp_path / "bitext" / "yo.tsv").read_bytes().decode()
    assert written == "a b c\td e\ncaf\u00e9\t\u1ecd\u0300\nz\tw\n"


def test_each_filter_drops_what_it_says_and_counts_it(
    own_collection: Path, encoder_folder: Path, clir: Callable[..., str]
) -> None:
    collection = Collection(own_collection)
    ids = {split: next(iter(collection.qrels(split))) for split in ("train", "dev", "test")}
    english, foreign = collection.queries(), collection.queries("yo")
    source = write_pairs(
        own_collection.parent / "found.tsv",
        ("bara desil", "xarab xlised"),  # kept
        ("bara desil", "xarab xlised"),  # a duplicate
        ("bara desil", "xarab"),  # kept: another translation
        ("Bara, desil!", "bara desil"),  # a copy
        ("bara", "xarab xlised xmetif xuvog"),  # 4 and 25 characters
        (f"{english[ids['test']].upper()}.", "xarab xlised xmetif"),  # the English of a test query
        ("bara desil fitem", foreign[ids["dev"]]),  # a dev query
        (english[ids["train"]], foreign[ids["train"]]),  # kept
        ("bara desil fitem govu kuzo", "xarab xlised xmetif xuvog x"),  # five pieces
        ("", "xarab"),
    )
    options = ["--no-duplicates", "--no-copies", "--no-test-overlap", "--max-length-ratio", 3]
    printed = clir(
        "collection", "bitext", source, "--language", "yor", "--output", own_collection, "--replace",
        *options, "--max-pieces", 4, "--encoder", encoder_folder,
    )  # fmt: skip
    assert counted(printed) == {
        "pairs read": 10,
        "an empty side": 1,
        "one side more than 3 times as long (characters)": 1,
        "copies, not translated": 1,
        "duplicates of a pair above": 1,
        "a test or dev query on one side": 2,
        "a side of more than 4 pieces": 1,
        "pairs written": 3,
    }
    assert list(Collection(own_collection).bitext("yo")) == [
        ("bara desil", "xarab xlised"),
        ("bara desil", "xarab"),
        (english[ids["train"]], foreign[ids["train"]]),
    ]
    assert f"bitext: {own_collection / 'bitext' / 'yo.tsv'}" in printed
    assert f"make distill LANG=yo COLLECTION={own_collection}" in printed
    readme = (own_collection / "bitext" / "README.yo.md").read_text()
    assert "found.tsv" in readme
    assert "copies, not translated" in readme
    assert clir("collection", "check", own_collection) == f"{own_collection}: no problem found\n"


def test_without_filters_every_pair_is_kept(tmp_path: Path, clir: Callable[..., str]) -> None:
    source = write_pairs(tmp_path / "a.tsv", ("a", "a"), ("a", "a"), ("b", "c" * 100))
    printed = clir("collection", "bitext", source, "--language", "sw", "--output", tmp_path / "new")
    assert counted(printed)["pairs written"] == 3
    assert (tmp_path / "new" / "bitext" / "sw.tsv").read_text() == source.read_text()
    assert f"next: {tmp_path / 'new'} has no corpus file" in printed


def test_several_sources_are_one_bitext(tmp_path: Path, clir: Callable[..., str]) -> None:
    first = write_pairs(tmp_path / "a.tsv", ("a", "b"))
    (tmp_path / "x.en").write_text("c\n")
    (tmp_path / "x.sw").write_text("d\n")
    clir("collection", "bitext", first, tmp_path / "x.en", tmp_path / "x.sw", "--language", "sw", "--output", tmp_path)
    assert (tmp_path / "bitext" / "sw.tsv").read_text() == "a\tb\nc\td\n"


def test_a_bitext_is_replaced_only_when_told_so_and_never_half(tmp_path: Path, clir: Callable[..., str]) -> None:
    old = tmp_path / "mine" / "bitext" / "yor.tsv.gz"
    old.parent.mkdir(parents=True)
    old.write_bytes(gzip.compress(b"old\told\nnew\ttitun\n"))
    bad = tmp_path / "bad.tsv"
    bad.write_text("a\tb\n" * 3000 + "no tab\n")
    command = ["collection", "bitext", "--language", "yo", "--output", tmp_path / "mine"]
    assert "yor.tsv.gz: is there already; --replace writes it anew" in clir(*command, bad)
    assert f"{bad}:3001: expected 2 fields" in clir(*command, bad, "--replace")
    assert [path.name for path in old.parent.iterdir()] == ["yor.tsv.gz"]
    # The bitext itself may be the source: filtered in place.
    assert counted(clir(*command, old, "--replace", "--no-copies"))["pairs written"] == 1
    assert sorted(path.name for path in old.parent.iterdir()) == ["README.yo.md", "yo.tsv"]
    assert (old.parent / "yo.tsv").read_text() == "new\ttitun\n"


def test_what_fails_leaves_no_folder_behind(tmp_path: Path, clir: Callable[..., str]) -> None:
    source = write_pairs(tmp_path / "a.tsv", ("same", "Same"))
    printed = clir("collection", "bitext", source, "--language", "yo", "--output", tmp_path / "new", "--no-copies")
    assert "not written, for no pair of 1 is left (copies, not translated: 1)" in printed
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--language", "en"], "English is always one"),
        (["--max-pieces", "4"], "--max-pieces N and --encoder DIR go together"),
        (["--encoder", "DIR"], "--max-pieces N and --encoder DIR go together"),
        (["--max-pieces", "0", "--encoder", "ENCODER"], "--max-pieces 0: expected at least 1"),
        (["--max-pieces", "4", "--encoder", "DIR"], "tokenizer.json: no such file"),
        (["--max-length-ratio", "0.5"], "--max-length-ratio 0.5: "),
        (["--max-length-ratio", "nan"], "--max-length-ratio nan: "),
        (["--columns", "1"], "--columns 1: expected two"),
        (["--columns", "1,3"], "a.tsv:1: expected a tab between en and foreign, in columns 1 and 3"),
        (["--columns", "en,yo"], "a.tsv:1: has no column 'en'; the first line has a, b"),
        (["--no-test-overlap"], "has no test or dev queries in en or sw; leave --no-test-overlap out"),
    ],
)
def test_options_that_cannot_do_anything_are_refused(
    tmp_path: Path, encoder_folder: Path, clir: Callable[..., str], options: list[str], expected: str
) -> None:
    source = write_pairs(tmp_path / "a.tsv", ("a", "b"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "corpus.jsonl").write_text('{"_id": "d", "text": "t"}\n')
    (tmp_path / "mine" / "queries.jsonl").write_text('{"_id": "q", "text": "t"}\n')
    places = {"DIR": tmp_path, "ENCODER": encoder_folder}
    given = ["--language", "sw", *(places.get(option, option) for option in options)]
    printed = clir("collection", "bitext", source, "--output", tmp_path / "mine", *given)
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert not (tmp_path / "mine" / "bitext").exists()


@pytest.mark.parametrize("language", ["de", "de-AT"])
def test_languages_are_identified_on_both_sides(language: str) -> None:
    rule, note = identified(language)
    english, german = "The weather will be fine in the whole country.", "Das Wetter wird im ganzen Land schön sein."
    assert note is None
    assert rule.keeps([(english, german), (german, german), (english, english), (german, english)]) == [
        True, False, False, False,
    ]  # fmt: skip


def test_a_language_that_py3langid_does_not_know_is_said_and_left_unfiltered(
    tmp_path: Path, clir: Callable[..., str]
) -> None:
    source = write_pairs(
        tmp_path / "a.tsv",
        ("The weather will be fine in the whole country.", "Asamaan si dina neex ci réew mi yépp."),
        ("Das Wetter wird im ganzen Land schön sein.", "Asamaan si dina neex ci réew mi yépp."),
    )
    printed = clir("collection", "bitext", source, "--language", "wo", "--output", tmp_path, "--identify-language")
    assert printed.startswith("py3langid does not know wo: only the English sides are identified\n")
    assert counted(printed)["another language (py3langid)"] == 1
    assert counted(printed)["pairs written"] == 1


def test_the_length_ratio_counts_characters_whichever_side_is_longer() -> None:
    rule = max_length_ratio(2)
    pairs = [("ab", "ọ̀ọ̀"), ("ab", "abcde"), ("abcde", "ab"), ("abcd", "ab")]
    assert len(pairs[0][1]) == 4
    assert rule.keeps(pairs) == [True, False, False, True]


def test_a_pair_counts_for_the_first_filter_that_drops_it(tmp_path: Path) -> None:
    rules = [
        Filter("short", lambda pairs: [len(english) > 1 for english, _ in pairs]),
        Filter("begins with b", lambda pairs: [not english.startswith("b") for english, _ in pairs]),
    ]
    counts = write_bitext_pairs(tmp_path, "yo", [("b", "x"), ("bb", "x"), ("aa", "x")], rules)
    assert counts == Counts(3, 1, {"an empty side": 0, "short": 1, "begins with b": 1})


def test_a_text_is_found_by_all_that_count_as_the_same() -> None:
    texts = FoldedTexts()
    for place, text in enumerate(["Ọmọ ilé.", "ọmọ, ILÉ", "!?", "ìwé"]):
        texts.add(text, f"file:{place}")
    assert len(texts) == 2
    assert texts.place("ỌMỌ   ilé!") == "file:0"
    assert "Ìwé" in texts
    assert "iwe" not in texts
    assert "..." not in texts
    assert texts.place("ọmọ") is None


def test_folding_keeps_what_tells_words_apart() -> None:
    assert fold("  «Ọ̀RỌ̀», kan! ") == "ọ̀rọ̀ kan"
    assert fold("ọrọ") != fold("oro")
    assert fold("C++") != fold("C")
    assert fold("...") == ""


def test_seen_texts_are_those_of_a_set() -> None:
    chance = random.Random(1)
    seen, known = SeenTexts(recent=100), set[str]()
    for _ in range(60):
        batch = [f"text {chance.randrange(1500)}" for _ in range(chance.randrange(1, 80))]
        expected = []
        for text in batch:
            expected.append(text not in known)
            known.add(text)
        assert seen.add(batch) == expected
    assert len(seen) == len(known) > 500


def test_seen_texts_take_a_few_bytes_each() -> None:
    count = 200_000
    tracemalloc.start()
    try:
        seen = SeenTexts(recent=5000)
        for start in range(0, count, 1000):
            assert all(seen.add([str(n) for n in range(start, start + 1000)]))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    eight = count * np.dtype(np.uint64).itemsize
    assert held < 1.3 * eight + 1e6
    assert peak < 3 * eight + 2e6
