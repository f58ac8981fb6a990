"""MediaWiki's collection, from a small tree in a release's layout."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.check import find_problems
from clir_ot.collections.collection import SPLITS
from clir_ot.collections.folding import fold
from clir_ot.collections.leakage import find_leaks
from clir_ot.errors import UserError
from clir_ot.sources.mediawiki import build_mediawiki, split_of
from clir_ot.sources.mediawiki_release import open_release

MESSAGES = 120
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def words(number: int) -> str:
    return " ".join(NUMBERS[int(digit)] for digit in str(number))


def write(folder: Path, code: str, messages: dict[str, object], authors: tuple[str, ...] = ("A. Author",)) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"@metadata": {"authors": list(authors)}} | messages
    (folder / f"{code}.json").write_text(json.dumps(content), encoding="utf-8")


def write_all(
    folder: Path, english: dict[str, str], documentation: dict[str, str], **foreign: dict[str, object]
) -> None:
    for code, messages in {"en": english, "qqq": documentation, **foreign}.items():
        write(folder, code.replace("_", "-"), dict(messages))


def yoruba(text: str) -> str:
    return f"yo {text}".replace("Delete page", "Pa oju-iwe")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Core, an extension and a skin; most messages plain, those under test with a name of their own."""
    root = tmp_path / "mediawiki-1.99.0"
    english = {f"key{n}": f"Delete page {words(n)}" for n in range(MESSAGES)}
    about = {f"key{n}": f"Label of the button for case {words(n)} of {{{{msg-mw|key{n}}}}}" for n in range(MESSAGES)}
    english |= {
        "short": "Next",
        "undocumented": "Nobody says anything",
        "brief-doc": "Something with brief documentation",
        "same-doc-1": "A thing shared",
        "same-doc-2": "Another thing shared",
        "quoted": "Your changes were saved",
        "fixed": "Do not touch this",
        "accesskey-x": "ab",
        "with space": "A key with a space",
        "again": "delete-page: ZERO →",
    }
    about |= {
        "short": "Text of the button that goes to the next page",
        "brief-doc": "Brief documentation",
        "same-doc-1": "Shown above the list of all the files",
        "same-doc-2": "Shown above the list of all the files!",
        "quoted": 'The text "Your changes were saved" is shown after saving a page',
        "fixed": "{{notranslate}} Shown nowhere but in the logs of servers",
        "accesskey-x": "Keyboard shortcut of the button that saves a page",
        "with space": "Shown in the middle of the very first form",
        "again": "Title of the dialog in the place of the old form",
    }
    foreign: dict[str, object] = {key: yoruba(text) for key, text in english.items()}
    foreign |= {"key1": english["key1"], "key2": "{{PLURAL:$1|open", "key3": ["stray"], "obsolete": "Ko si mọ́"}
    write_all(
        root / "languages" / "i18n", english, about, yo=foreign, sr_ec=foreign, simple=english, zz_nonsense=foreign
    )
    write(root / "languages" / "i18n", "nrm", {"undocumented": "Normaund"})
    write(root / "languages" / "i18n", "sh", {"key5": "jedan dva"})
    write(root / "languages" / "i18n", "sr-el", {"key5": "jedan dva", "key6": "dva tri"})
    write_all(
        root / "extensions" / "Cite" / "i18n" / "api",
        {"cite-error": "There is no such footnote"},
        {"cite-error": "Error that is shown instead of a footnote"},
        yo={"cite-error": "Ko si"},
    )
    write_all(
        root / "extensions" / "Cite" / "vendor" / "x" / "i18n", {"v": "Not its own"}, {"v": "Not its own text at all"}
    )
    write_all(root / "skins" / "Vector" / "i18n", {"v": "Main menu here"}, {"v": "Heading of the menu beside the page"})
    write_all(root / "resources" / "i18n", {"r": "Elsewhere it is"}, {"r": "Elsewhere it is said what this is"})
    (root / "includes").mkdir()
    (root / "includes" / "Defines.php").write_text("<?php\ndefine( 'MW_VERSION', '1.99.0' );\n")
    return root


@pytest.fixture
def built(tree: Path, tmp_path: Path) -> Collection:
    build_mediawiki(tree, tmp_path / "built", at_least=20)
    return Collection(tmp_path / "built")


def test_documents_are_documentation_that_tells_messages_apart(built: Collection) -> None:
    documents = built.documents()
    plain = {f"core:key{n}/qqq" for n in range(MESSAGES)}
    others = {"core:short/qqq", "core:quoted/qqq", "core:with_space/qqq", "core:again/qqq"}
    assert set(documents) == plain | others | {"Cite:cite-error/qqq", "Vector:v/qqq"}
    assert documents["core:key12/qqq"] == "Label of the button for case one two of"


def test_queries_are_messages_and_each_finds_its_own_documentation(built: Collection) -> None:
    queries = built.queries()
    plain = {f"core:key{n}" for n in range(MESSAGES)}
    assert set(queries) == plain | {"core:with_space", "Cite:cite-error", "Vector:v"}
    judged = {query: set(found) for split in SPLITS for query, found in built.qrels(split).items()}
    assert set(judged) == set(queries)
    same_text = {"core:key0/qqq", "core:again/qqq"}
    assert judged == {query: {f"{query}/qqq"} for query in queries} | {"core:key0": same_text}


def test_translations_share_ids_and_copies_are_none(built: Collection) -> None:
    english, foreign = built.queries(), built.queries("yo")
    assert set(english) - set(foreign) == {"core:key1", "core:key2", "core:key3", "Vector:v"}
    assert foreign["core:key12"] == yoruba(english["core:key12"])
    assert "Ko si mọ́" not in {text for pair in built.bitext("yo") for text in pair}


def test_no_text_of_a_held_out_query_is_trained_on(built: Collection) -> None:
    assert list(find_problems(built.folder, ["yo"]).lines()) == []
    assert find_leaks(built.folder) == []
    held_out = {query for split in ("dev", "test") for query in built.qrels(split)}
    assert len(held_out) > MESSAGES / 3
    forbidden = {
        fold(built.queries(code)[query]) for code in ("en", "yo") for query in held_out & {*built.queries(code)}
    }
    pairs = built.bitext("yo")
    assert not forbidden & {fold(text) for pair in pairs for text in pair}
    # All else is there: training queries, and messages that nobody asks.
    trained = {query for query in built.qrels("train") if query in built.queries("yo")}
    assert {(built.queries()[query], built.queries("yo")[query]) for query in trained} <= {*pairs}
    assert ("Nobody says anything", "yo Nobody says anything") in pairs
    assert ("Your changes were saved", "yo Your changes were saved") in pairs
    assert not {"Do not touch this", "ab"} & {english for english, _ in pairs}


def test_a_translation_that_is_a_test_querys_too_is_not_trained_on(tree: Path, tmp_path: Path) -> None:
    in_split = {
        split: [n for n in range(MESSAGES) if split_of(f"Delete page {words(n)}") == split]
        for split in ("train", "test")
    }
    train, test = (f"key{in_split[split][5]}" for split in ("train", "test"))
    path = tree / "languages" / "i18n" / "yo.json"
    messages = json.loads(path.read_text()) | {
        train: "Ọ̀rọ̀ kan náà",
        test: "ọ̀rọ̀ kan: náà",
        "undocumented": "Ọ̀rọ̀kan náà →",
    }
    path.write_text(json.dumps(messages))
    build_mediawiki(tree, tmp_path / "built", at_least=20)
    built = Collection(tmp_path / "built")
    assert built.queries("yo").get(f"core:{test}") == "ọ̀rọ̀ kan: náà"
    assert f"core:{train}" not in built.queries("yo")
    assert not any("kan" in foreign for _, foreign in built.bitext("yo"))


def test_a_query_keeps_its_split_whatever_else_a_release_has(tree: Path, tmp_path: Path, built: Collection) -> None:
    for code in ("en", "qqq"):
        path = tree / "languages" / "i18n" / f"{code}.json"
        messages = json.loads(path.read_text())
        path.write_text(json.dumps({key: text for key, text in messages.items() if not key.startswith("key1")}))
    build_mediawiki(tree, tmp_path / "other", at_least=20)
    other = Collection(tmp_path / "other")
    for split in ("train", "dev", "test"):
        here = {query for query in built.qrels(split) if not query.startswith("core:key1")}
        assert here
        assert set(other.qrels(split)) == here
    assert split_of("Delete page") == split_of("deletepage →")


def test_codes_are_those_of_bcp_47(tree: Path, built: Collection) -> None:
    found = open_release(tree).languages()
    assert found.codes == {"nrf": "nrm", "sr-Cyrl": "sr-ec", "sr-Latn": "sr-el", "yo": "yo"}
    assert (found.unknown, found.english, found.second) == (["zz-nonsense"], ["simple"], ["sh"])
    assert built.query_languages == ["en", "sr-Cyrl", "yo"]  # the others have too few test queries


def test_languages_asked_for_are_built_however_few(tree: Path, tmp_path: Path) -> None:
    number = next(n for n in range(MESSAGES) if split_of(f"Delete page {words(n)}") == "test")
    write(tree / "languages" / "i18n", "ha", {f"key{number}": "Share shafi", "undocumented": "Babu wanda ya ce"})
    build_mediawiki(tree, tmp_path / "built", ["ha"])
    built = Collection(tmp_path / "built")
    assert built.query_languages == ["en", "ha"]
    assert built.bitext("ha") == [("Nobody says anything", "Babu wanda ya ce")]


def test_the_readme_says_what_was_counted(built: Collection) -> None:
    text = (built.folder / "README.md").read_text()
    for said in (
        "MediaWiki 1.99.0",
        "core, Cite, Vector",
        "GPL-2.0-or-later",
        "`zz-nonsense`",
        "`simple`",
        "Left out: 2",
    ):
        assert said in text
    row = next(line for line in text.splitlines() if line.startswith("| yo |"))
    queries = [sum(query in built.queries("yo") for query in built.qrels(split)) for split in ("train", "dev", "test")]
    assert row == f"| yo | Yoruba | {' | '.join(map(str, queries))} | {len(built.bitext('yo'))} | 1 |"


def test_the_folder_around_it_will_do(tree: Path, tmp_path: Path) -> None:
    assert open_release(tmp_path).version == "1.99.0"  # as a tarball unpacks
    package = tmp_path / "package" / "usr" / "share"
    package.mkdir(parents=True)
    tree.rename(package / "mediawiki")
    assert open_release(tmp_path / "package").version == "1.99.0"


def test_the_command_builds_and_says_what_comes_next(tree: Path, tmp_path: Path, clir: Callable[..., str]) -> None:
    folder = tmp_path / "built"
    printed = clir("collection", "build", "mediawiki", folder, "--from", tree, "--languages", "yo")
    assert f"next: make teacher COLLECTION={folder}" in printed
    assert "already and not empty" in clir("collection", "build", "mediawiki", folder, "--from", tree)


def test_what_is_wrong_is_said_in_a_line(tree: Path, tmp_path: Path) -> None:
    def problem(source: Path, languages: list[str] | None = None) -> str:
        with pytest.raises(UserError) as caught:
            build_mediawiki(source, tmp_path / "built", languages)
        assert not (tmp_path / "built").exists()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no such folder" in problem(tmp_path / "nowhere")
    assert "languages/i18n with en.json and qqq.json" in problem(tree / "skins")
    assert "has no messages in fi" in problem(tree, ["yo", "fi"])
    assert "no test query in nrf" in problem(tree, ["nrf"])
    broken = tree / "languages" / "i18n" / "yo.json"
    for content in ("{", "[]", '{"key1": 7}', '{"@metadata": 7}'):
        broken.write_text(content)
        assert f"{broken}: is not in the layout" in problem(tree, ["yo"])
    (tree / "includes" / "Defines.php").unlink()
    assert "MW_VERSION" in problem(tree)
