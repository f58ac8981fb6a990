"""Find what is written about a message of MediaWiki's interface, by the message itself, in over a hundred languages.

Documents are the English documentation that translators see with each message; queries are the messages, in English and
as people translated them at translatewiki.net.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import regex

from clir_ot.collections.folder_files import ENGLISH, SPLITS
from clir_ot.collections.folding import fold
from clir_ot.collections.writing import write_bitext, write_qrels, write_texts
from clir_ot.errors import UserError
from clir_ot.files import write_text
from clir_ot.progress import counting
from clir_ot.sources.assembly import require_new, whole_collection
from clir_ot.sources.debian import unpacked_package
from clir_ot.sources.mediawiki_readme import LanguageRow, readme
from clir_ot.sources.mediawiki_release import DOCUMENTATION, Release, open_release
from clir_ot.sources.mediawiki_text import documentation_text, message_text, templates

MIN_DOCUMENT_WORDS = 5
MIN_QUERY_WORDS = 2
MIN_TEST_QUERIES = 200
"""Of a language, for it to be built unasked."""

_SPACES_AND_SYMBOLS = regex.compile(r"[\p{S}\s]+")
# More than half in test, so that Hausa and Somali, with some 400 queries each, have enough there to tell systems apart.
_SHARES = {"test": 0.55, "dev": 0.10}
_UNTRANSLATED = {"notranslate", "ignored"}  # templates by which documentation says that there is nothing to translate

Texts = Mapping[str, str]  # "component:key" -> plain text


@dataclass(frozen=True)
class Task:
    """What is asked, in whatever language.

    Attributes:
        english: messages in English that may be translated.
        documents: documentation by key of its message.
        asked: keys that a query stands for, by query: all messages with the same English text.
        split_of: split of each query.
    """

    english: Texts
    documents: Texts
    asked: dict[str, list[str]]
    split_of: dict[str, str]

    def queries_of(self, *splits: str) -> list[str]:
        """Those of some splits, in the release's order."""
        return [query for query in self.asked if self.split_of[query] in splits]


@dataclass(frozen=True)
class LanguageTexts:
    """What a collection has in a language, its queries by `_id`, its bitext as `(English, foreign)`."""

    queries: dict[str, str]
    bitext: list[tuple[str, str]]


def build_mediawiki(
    tree: Path, folder: Path, languages: list[str] | None = None, at_least: int = MIN_TEST_QUERIES
) -> None:
    """Read an unpacked release and write the collection folder, whole or not at all.

    Args:
        tree: see `open_release`.
        folder: to write; must not exist, or be empty.
        languages: canonical codes, built whatever there is of them; None is all with `at_least` test queries.
        at_least: see `languages`.

    Raises:
        UserError: there is no release; a file is not in its layout; nothing can be asked, or not in a language that is
            wanted; the folder is not empty.
    """
    require_new(folder)
    release = open_release(tree)
    found = release.languages()
    wanted = [language for language in languages or found.codes if language != ENGLISH]
    if unknown := [language for language in wanted if language not in found.codes]:
        raise UserError(f"MediaWiki {release.version} has no messages in {', '.join(unknown)}; leave out --languages")
    task = design_task(release)
    with whole_collection(folder) as temporary:
        rows = [_write_english(task, temporary, len(release.messages(ENGLISH).authors))]
        few, progress = 0, counting("languages read", len(wanted))
        for language in wanted:
            progress(1)
            messages = release.messages(found.codes[language])
            if languages is None and not _may_have(task, messages.texts, at_least):
                few += 1
                continue
            texts = language_texts(task, cleaned(messages.texts))
            row = _row(task, language, texts.queries, len(texts.bitext), len(messages.authors))
            if row.test >= at_least or (languages and row.test):
                write_texts(temporary, "queries", language, texts.queries)
                write_bitext(temporary, language, (f"{here}\t{there}" for here, there in texts.bitext))
                rows.append(row)
            elif languages:
                raise UserError(f"MediaWiki {release.version} has no test query in {language}; leave it out")
            else:
                few += 1
        minimum = {"document": MIN_DOCUMENT_WORDS, "query": MIN_QUERY_WORDS}
        counts = {"documents": len(task.documents), "at_least": at_least, "few": few}
        write_text(temporary / "README.md", readme(release, found, rows, minimum=minimum, shares=_SHARES, **counts))


def fetch_and_build_mediawiki(folder: Path, languages: list[str] | None = None) -> None:
    """`build_mediawiki` from Debian's package, which is fetched and unpacked but not installed.

    Raises:
        UserError: as there; or this is not Debian, or the package cannot be fetched.
    """
    require_new(folder)
    with unpacked_package("mediawiki", "unpack a MediaWiki release and give it with --from FOLDER") as tree:
        build_mediawiki(tree, folder, languages)


def design_task(release: Release) -> Task:
    """Which documentation is searched, which messages are asked, and in which split.

    Documentation is searched if it has enough words and no other message has the same: neither of two could be told to
    be the relevant one. Messages with the same English text are one query, to which the documentation of each is
    relevant. A text that one of these quotes is no query. Splits go by the English text alone, so that a query keeps
    its split in another release.

    Raises:
        UserError: there is none.
    """
    about = release.messages(DOCUMENTATION).texts
    english = {
        key: text
        for key, text in cleaned(release.messages(ENGLISH).texts).items()
        if not _UNTRANSLATED & templates(about.get(key, ""))
    }
    documents = {key: documentation_text(about[key]) for key in english if key in about}
    often = Counter(_same(text) for text in documents.values())
    documents = {
        key: text
        for key, text in documents.items()
        if len(text.split()) >= MIN_DOCUMENT_WORDS and often[_same(text)] == 1
    }
    same: dict[str, list[str]] = defaultdict(list)
    for key in documents:
        if len(english[key].split()) >= MIN_QUERY_WORDS:
            same[_same(english[key])].append(key)
    asked = {
        keys[0]: keys for keys in same.values() if not any(_quotes(documents[key], english[keys[0]]) for key in keys)
    }
    if not asked:
        raise UserError(
            f"MediaWiki {release.version}: none of its messages is documented in {MIN_DOCUMENT_WORDS} words"
        )
    return Task(english, documents, asked, {query: split_of(english[query]) for query in asked})


def _same(text: str) -> str:
    """What texts share that differ in case, punctuation, symbols and spaces only: `Log in`, `Login →`."""
    folded = fold(text)
    return _SPACES_AND_SYMBOLS.sub("", folded) or folded


def _quotes(document: str, text: str) -> bool:
    return f" {fold(text)} " in f" {fold(document)} "


def split_of(english: str) -> str:
    """The split of a query with this English text, by its SHA-256."""
    point = int(hashlib.sha256(_same(english).encode()).hexdigest()[:8], 16) / 16**8
    for split, share in _SHARES.items():
        if point < share:
            return split
        point -= share
    return "train"


def cleaned(messages: Texts) -> dict[str, str]:
    """Plain text of the messages that have any: two letters, not the one of a keyboard shortcut."""
    plain = {key: message_text(text) for key, text in messages.items() if ":accesskey-" not in key}
    return {key: text for key, text in plain.items() if len(_same(text)) > 1}


def language_texts(task: Task, foreign: Texts) -> LanguageTexts:
    """Queries and bitext of a language, without copies of the English.

    A text of a test query, English or foreign, is nowhere in its dev and training queries and bitext, one of a dev
    query neither in its training queries nor in bitext, whatever message it is of.

    Args:
        foreign: plain text of its messages by key.
    """
    translated = {
        key: text for key, text in foreign.items() if key in task.english and _same(text) != _same(task.english[key])
    }
    queries: dict[str, str] = {}
    held_out: set[str] = set()
    for split in reversed(SPLITS):
        here = {query: _translation(task, query, translated) for query in task.queries_of(split)}
        queries |= {query: text for query, text in here.items() if text and _same(text) not in held_out}
        if split != "train":
            held_out |= {_same(text) for query in here for text in _texts_of(task, query, translated)}
    pairs: dict[tuple[str, str], tuple[str, str]] = {}
    for key, text in translated.items():
        names = (_same(task.english[key]), _same(text))
        if not held_out.intersection(names):
            pairs.setdefault(names, (task.english[key], text))
    return LanguageTexts({query: queries[query] for query in task.asked if query in queries}, list(pairs.values()))


def _translation(task: Task, query: str, translated: Texts) -> str:
    return next((translated[key] for key in task.asked[query] if key in translated), "")


def _texts_of(task: Task, query: str, translated: Texts) -> Iterator[str]:
    yield task.english[query]
    yield from (translated[key] for key in task.asked[query] if key in translated)


def _may_have(task: Task, messages: Texts, at_least: int) -> bool:
    """Whether there can be so many test queries: seen before the text is cleaned, which takes most of the time."""
    return sum(any(key in messages for key in task.asked[query]) for query in task.queries_of("test")) >= at_least


def _write_english(task: Task, folder: Path, authors: int) -> LanguageRow:
    queries = {query: task.english[query] for query in task.asked}
    # Not the query's own name: BEIR's evaluation leaves out documents that are named like the query.
    write_texts(folder, "corpus", ENGLISH, {_document(key): text for key, text in task.documents.items()})
    write_texts(folder, "queries", ENGLISH, queries)
    for split in SPLITS:
        rows = [(query, _document(key)) for query in task.queries_of(split) for key in task.asked[query]]
        if rows:
            write_qrels(folder, split, rows)
    return _row(task, ENGLISH, queries, 0, authors)


def _document(key: str) -> str:
    return f"{key}/{DOCUMENTATION}"  # as its page is called at translatewiki.net


def _row(task: Task, language: str, queries: Texts, bitext: int, authors: int) -> LanguageRow:
    splits = Counter(task.split_of[query] for query in queries)
    return LanguageRow(language, splits["train"], splits["dev"], splits["test"], bitext, authors)
