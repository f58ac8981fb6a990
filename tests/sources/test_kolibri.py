"""The starter's collection, from a small archive in the wheel's layout."""

import json
import zipfile
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.collections.cache import starter_folder
from clir_ot.collections.check import find_problems
from clir_ot.sources.interface_text import plain_text
from clir_ot.sources.kolibri import read_messages, split_by_screen, write_collection


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{count, number} {count, plural, one {learner} other {learners}}", "learners"),
        ("Delete '{name}' from your device?", "Delete from your device?"),
        (
            "Selected: {n, number, integer} {n, plural, one {resource} other {resources}} ({size})",
            "Selected: resources",
        ),
        ("{who, select, you {You left} other {They left}}", "They left"),
        ("answer like <code>12\\\\ \\\\text[pi]</code>", "answer like 12 text[pi]"),
        ("Welcome to the “{name}” facility.", "Welcome to the facility."),
        ("{a} - {b}", ""),
        ("Bẹ̀rẹ̀ {name}", "Bẹ̀rẹ̀"),
    ],
)
def test_placeholders_and_markup_go_and_text_stays(message: str, expected: str) -> None:
    assert plain_text(message) == expected


def test_an_open_brace_is_refused() -> None:
    with pytest.raises(ValueError, match="not ICU MessageFormat"):
        plain_text("hello {name")


SCREENS = 40


@pytest.fixture
def messages(tmp_path: Path) -> dict[str, dict[str, str]]:
    english = {f"Screen{s}.m{m}": f"message number {s} of kind {m} shown" for s in range(SCREENS) for m in range(3)}
    english |= {f"Screen{s}.next": "Next" for s in range(0, SCREENS, 2)}
    english |= {"Screen1.shared": "The same text here", "Screen2.shared": "the same text here!"}
    english |= {"Screen3.gone": "{name}", "Screen4.broken": "open {brace"}
    yoruba = {key: f"yo {text}" for key, text in english.items()}
    yoruba |= {"Screen5.m0": english["Screen5.m0"], "Screen5.m1": ""}
    path = tmp_path / "wheel.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for locale, texts in (("en", english), ("yo", yoruba), ("sw_TZ", yoruba), ("ach_UG", english)):
            archive.writestr(f"kolibri/locale/{locale}/LC_MESSAGES/app-messages.json", json.dumps(texts))
        archive.writestr("kolibri/locale/en/LC_MESSAGES/django.mo", b"other")
    with zipfile.ZipFile(path) as archive:
        return read_messages(archive)


def test_messages_are_cleaned_and_untranslated_ones_dropped(messages: dict[str, dict[str, str]]) -> None:
    assert sorted(messages) == ["en", "sw", "yo"]
    assert "Screen3.gone" not in messages["en"]
    assert "Screen4.broken" not in messages["en"]
    assert "Screen5.m0" not in messages["yo"]
    assert "Screen5.m1" not in messages["yo"]
    assert "Screen5.m2" in messages["yo"]


def test_every_screen_that_holds_a_message_is_relevant(messages: dict[str, dict[str, str]]) -> None:
    split = split_by_screen(messages["en"])
    judged = {query: screens for queries in split.qrels.values() for query, screens in queries.items()}
    assert judged["Screen1.shared"] == ["Screen1", "Screen2"]
    assert "Screen2.shared" not in judged
    assert not any(query.endswith(".next") for query in judged)  # one word is no information need


def test_no_held_out_text_is_in_training_queries_or_bitext(messages: dict[str, dict[str, str]], tmp_path: Path) -> None:
    # Two different English messages with one translation: the one in training must not give the other away.
    test_query = next(iter(split_by_screen(messages["en"]).qrels["test"]))
    train_query = next(iter(split_by_screen(messages["en"]).qrels["train"]))
    messages["yo"][train_query] = messages["yo"][test_query].upper() + "!"
    folder = tmp_path / "collection"
    folder.mkdir()
    write_collection(messages, folder)
    collection = Collection(folder)
    assert list(find_problems(collection.folder, ["yo", "sw"]).lines()) == []
    assert_no_leak(collection)
    assert len(collection.qrels("test")) > 5
    assert len(collection.qrels("dev")) > 2
    assert len(collection.bitext("yo")) > 30


def assert_no_leak(collection: Collection) -> None:
    def bare(text: str) -> str:
        return "".join(c for c in text.casefold() if c.isalnum())

    held_out = {query for split in ("dev", "test") for query in collection.qrels(split)}
    assert held_out.isdisjoint(collection.qrels("train"))
    for language in collection.query_languages:
        queries = collection.queries(language)
        texts = {bare(queries[q]) for q in held_out if q in queries}
        if language == "en":
            assert texts.isdisjoint(bare(queries[q]) for q in collection.qrels("train"))
    english = collection.queries()
    held_english = {bare(english[q]) for q in held_out}
    for language in collection.bitext_languages:
        queries = collection.queries(language)
        held_foreign = {bare(queries[q]) for q in held_out if q in queries}
        for source, target in collection.bitext(language):
            assert bare(source) not in held_english
            assert bare(target) not in held_foreign


def test_the_built_starter_does_not_leak() -> None:
    folder = starter_folder() / "collection"
    if not folder.is_dir():
        pytest.skip(f"the starter is not built: {folder} is absent (make starter)")
    assert_no_leak(Collection(folder))
