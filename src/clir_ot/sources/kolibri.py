"""The starter's collection: find the screen of an application that shows a message, from its human translations.

Kolibri (Learning Equality; MIT) is an offline learning platform for schools without internet. Its wheel carries the
interface text, translated by people, in some 30 languages: `kolibri/locale/LANG/LC_MESSAGES/*-messages.json`, one
`"Screen.message": "text"` an entry. Documents are screens, queries are messages, both parallel across languages.
"""

import json
import random
import re
import unicodedata
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.collections.writing import write_bitext, write_qrels, write_texts
from clir_ot.sources.assembly import whole_collection
from clir_ot.sources.interface_text import plain_text
from clir_ot.sources.wheels import PinnedWheel, fetched

KOLIBRI = PinnedWheel(
    project="kolibri",
    version="0.19.5",
    sha256="dc4c187d29a80037594c2dadd1cbc862cb4b8b76166bfd4084314f8ab2bc6221",
    megabytes=104,
)
STUDY_LANGUAGES = ("yo", "sw", "ha", "mr", "de", "fr", "es")

# Locale folders whose region says nothing more than the language; es_419 and pt_MZ stay apart from es and pt-BR.
_LOCALES = {"es_ES": "es", "fr_FR": "fr", "sw_TZ": "sw", "hi_IN": "hi", "bn_BD": "bn", "bg_BG": "bg"}
_LOCALES |= {"gu_IN": "gu", "ur_PK": "ur", "ff_CM": "ff"}
_NOT_A_LANGUAGE = "ach_UG"  # the translators' in-context preview, not Acholi

_MIN_QUERY_WORDS = 3
_SHARES = {"test": 0.25, "dev": 0.10}  # of the judged messages
_MAX_TEST_SCREEN_WORDS = 250

Messages = dict[str, str]  # "Screen.message" -> plain text

_README = """# Kolibri interface text

Find the screen of an application that shows a message. Documents: the {documents} screens of Kolibri {version}
(Learning Equality; MIT licence), each with all its messages. Queries: its messages. Both are human-translated and
parallel across {languages} languages: translations share their `_id`. Source: the PyPI wheel `kolibri` {version}.

- Relevant to a message: every screen that holds it, by its English text.
- ICU placeholders and markup are removed; plurals keep their `other` form; a message whose translation is empty, equals
  the English or cannot be parsed is dropped in that language.
- Split by screen. A message shown on screens of two splits counts to neither dev nor test. Screens of more than
  {long} words are in train: they do not fit an encoder's window, and a test query about text behind the window would
  measure truncation. All screens are in the corpus.
- Judged are messages of {words} or more English words, each English text once: "Next" is no information need.
- `bitext/` holds the messages of train screens. No dev or test query occurs there or among the training queries,
  neither by its English nor by its translated text (compared without case and punctuation).
- Limits: short interface text of one application; a query is part of its relevant document, so English retrieval is
  easier than with real questions.
"""


@dataclass(frozen=True)
class KolibriSplit:
    """Which messages are judged in which split, and which may be bitext; ids are `Screen.message`."""

    qrels: dict[str, dict[str, list[str]]]  # split -> query -> screens
    training_messages: list[str]


def build_kolibri(folder: Path) -> None:
    """Fetch the pinned wheel and write the collection folder, whole or not at all.

    Raises:
        UserError: the wheel cannot be fetched or is not the pinned one; the disk is full.
    """
    with whole_collection(folder) as temporary, fetched(KOLIBRI, temporary.parent) as archive:
        write_collection(read_messages(archive), temporary)


def read_messages(archive: zipfile.ZipFile) -> dict[str, Messages]:
    """Plain text of every message in every language: `{language: {"Screen.message": text}}`, English first."""
    raw: dict[str, dict[str, str]] = defaultdict(dict)
    pattern = re.compile(r"kolibri/locale/([^/]+)/LC_MESSAGES/[^/]+-messages\.json")
    for name in sorted(archive.namelist()):
        match = pattern.fullmatch(name)
        if match and match[1] != _NOT_A_LANGUAGE:
            language = canonical_language(_LOCALES.get(match[1], match[1]))
            raw[language] |= json.loads(archive.read(name))
    english = _clean(raw.pop(ENGLISH))
    messages = {ENGLISH: english}
    for language, texts in sorted(raw.items()):
        cleaned = _clean(texts)
        messages[language] = {
            key: cleaned[key] for key in english if cleaned.get(key) and _same(cleaned[key]) != _same(english[key])
        }
    return messages


def write_collection(messages: dict[str, Messages], folder: Path) -> None:
    """Write the folder format: corpora, queries, qrels, bitext, README."""
    split = split_by_screen(messages[ENGLISH])
    judged = [query for queries in split.qrels.values() for query in queries]
    held_out = [query for name in _SHARES for query in split.qrels[name]]
    for language, texts in messages.items():
        write_texts(folder, "corpus", language, _screens(texts))
        write_texts(folder, "queries", language, {query: texts[query] for query in judged if query in texts})
    for name, queries in split.qrels.items():
        write_qrels(folder, name, ((query, screen) for query, screens in queries.items() for screen in screens))
    for language in messages.keys() - {ENGLISH}:
        write_bitext(folder, language, bitext(messages[ENGLISH], messages[language], split.training_messages, held_out))
    facts = {
        "documents": len(_screens(messages[ENGLISH])),
        "languages": len(messages),
        "version": KOLIBRI.version,
    }
    facts |= {"long": _MAX_TEST_SCREEN_WORDS, "words": _MIN_QUERY_WORDS}
    (folder / "README.md").write_text(_README.format(**facts), encoding="utf-8")


def split_by_screen(english: Messages) -> KolibriSplit:
    """Assign screens to train, dev and test, and messages after them.

    A message goes to the split of its screens when these agree, else to train, so that no text of a dev or
    test query is on a screen of another split.
    """
    holders: dict[str, list[str]] = defaultdict(list)  # text -> screens that hold it
    for key, text in english.items():
        if (screen := _screen(key)) not in holders[_same(text)]:
            holders[_same(text)].append(screen)
    split_of = _assign_screens(english)
    qrels: dict[str, dict[str, list[str]]] = {name: {} for name in ("train", "dev", "test")}
    training, seen = [], set()
    for key, text in english.items():
        splits = {split_of[screen] for screen in holders[_same(text)]}
        split = splits.pop() if len(splits) == 1 else "train"
        if split == "train":
            training.append(key)
        if _same(text) not in seen and len(text.split()) >= _MIN_QUERY_WORDS:
            seen.add(_same(text))
            qrels[split][key] = holders[_same(text)]
    return KolibriSplit(qrels, training)


def bitext(english: Messages, foreign: Messages, training: list[str], held_out: list[str]) -> list[str]:
    """`English TAB foreign` lines of the training messages, without doubles and without any held-out query's text."""
    forbidden = {_same(texts[key]) for texts in (english, foreign) for key in held_out if key in texts}
    pairs: dict[tuple[str, str], str] = {}
    for key in training:
        if key in foreign:
            names = (_same(english[key]), _same(foreign[key]))
            if not forbidden.intersection(names):
                pairs.setdefault(names, f"{english[key]}\t{foreign[key]}")
    return list(pairs.values())


def _assign_screens(english: Messages) -> dict[str, str]:
    screens = _screens(english)
    sizes: dict[str, int] = defaultdict(int)
    for key, text in english.items():
        sizes[_screen(key)] += len(text.split()) >= _MIN_QUERY_WORDS
    short = [screen for screen in sorted(screens) if len(screens[screen].split()) <= _MAX_TEST_SCREEN_WORDS]
    random.Random(0).shuffle(short)
    split_of = dict.fromkeys(screens, "train")
    remaining = iter(short)
    for split, share in _SHARES.items():
        wanted = share * sum(sizes.values())
        for screen in remaining:
            split_of[screen] = split
            wanted -= sizes[screen]
            if wanted <= 0:
                break
    return split_of


def _clean(texts: dict[str, str]) -> Messages:
    cleaned = {}
    for key, text in texts.items():
        try:
            plain = plain_text(text)
        except ValueError:
            continue  # a translator's open brace; the README says that such messages are dropped
        if plain:
            cleaned[re.sub(r"\s", "_", key)] = plain  # TREC files separate ids by spaces
    return cleaned


def _screens(messages: Messages) -> dict[str, str]:
    screens: dict[str, list[str]] = defaultdict(list)
    for key, text in messages.items():
        screens[_screen(key)].append(text)
    return {screen: "\n".join(texts) for screen, texts in screens.items()}


def _screen(key: str) -> str:
    return key.partition(".")[0]


def _same(text: str) -> str:
    """What two messages share when they differ only in case, punctuation, spacing and marks that are characters of
    their own in NFC: vowel signs of Indic scripts, Arabic harakat.

    Stricter than `fold`: it also takes for doubles a few pairs that differ by a mark. RESULTS.md is measured with it.
    """
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(character for character in folded if not re.match(r"[\W_]", character)) or text
