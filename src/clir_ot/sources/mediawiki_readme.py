"""The data statement of the collection of MediaWiki's messages."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clir_ot.collections.languages import language_name
from clir_ot.sources.mediawiki_release import Languages, Release

_WIDTH = 120


@dataclass(frozen=True)
class LanguageRow:
    """Counts of a language: judged queries by split, pairs of bitext, and names among its messages' authors."""

    language: str
    train: int
    dev: int
    test: int
    bitext: int
    authors: int


_README = """# MediaWiki's interface messages

Find what is written about a message of the interface, by the message itself. Documents: {documents} pieces of English
documentation. Queries: {queries} messages in English, and their translations in {languages} languages; translations
share their `_id`. Nearly every query has one relevant document, the documentation of that message: a known-item search.

## Where it is from

- Source: MediaWiki {version} (https://www.mediawiki.org), its files `i18n/*.json`, of: {components}.
- Licence: the text is MediaWiki's, GPL-2.0-or-later; some extensions have licences of their own, which stand in their
  folders. It is built on your machine from a release that you have; this project redistributes none of it. Who passes
  the folder on has to keep to these licences.
- Who wrote it: MediaWiki's developers wrote the English messages and, with translators, the documentation. Volunteers
  at translatewiki.net translated. The files name them; the table counts the names. Their wiki offers machine
  translations to edit; which of the text began as one is not recorded.
- Kind of text: labels, questions, warnings and errors of a wiki, on editing, search, files, users and their rights.

## How it is made

- Markup is removed (with mwparserfromhell): links keep what is shown, a plural keeps its general form, a gender its
  first; parameters, other templates and what is filled in at display are left out. A message with markup left open is
  dropped, and so are keyboard shortcuts, and messages that are said not to be for translation.
- Searched is documentation of {document_words} or more words that no other message shares (compared, here and below,
  without case, punctuation, symbols and spaces). What says nothing in words of its own, only by templates, is left out.
- Asked are messages of {query_words} or more English words. Those with the same English text are one query, to which
  the documentation of each is relevant. A message that its documentation quotes in full is no query; the documentation
  stays in the corpus.
- {test:.0%} of the queries are in test, {dev:.0%} in dev, by a hash of their English text: a query keeps its split in
  another release. A language has those of them that are translated: compare languages on the ones that both have.
- `bitext/` holds all other translated messages, documented or not, without doubles. No text of a test or dev query is
  in it on either side, nor is a foreign one among the training queries of its language. Where a translation equals the
  English, it is left out everywhere.

## Limits

- Short text of one kind of software, written for people who edit wikis: no news, no health, no questions. Low-resource
  languages have the interface's most used messages, others all of it.
- One document counts as relevant where others may describe the message nearly as well: compare systems with one
  another; figures are lower than with full judgements.
- Messages have been public for up to twenty years: pretrained encoders may have seen them, and the translations.
- Translations are as good as their volunteers' work; nobody has reviewed them for this collection.

## Languages

Those with {at_least} or more test queries, or those asked for. Left out: {few} languages with fewer (ask for them with
`--languages`){left_out}.

| code | language | train | dev | test | bitext | authors |
|---|---|---:|---:|---:|---:|---:|
{rows}
"""


def readme(
    release: Release,
    found: Languages,
    rows: Sequence[LanguageRow],
    *,
    documents: int,
    at_least: int,
    few: int,
    minimum: Mapping[str, int],
    shares: Mapping[str, float],
) -> str:
    """The text of README.md.

    Args:
        rows: of the languages built, English first.
        documents: how many are searched.
        at_least: test queries of a language that is built unasked.
        few: languages that have fewer.
        minimum: words of a `document` and a `query`.
        shares: of the queries that are in `test` and `dev`.
    """
    english, *others = rows
    left_out = {
        "codes that are no language's": found.unknown,
        "variants of English": found.english,
        "codes of a language that another code has more of": found.second,
    }
    said = [f"; {len(codes)} {what} (`{'`, `'.join(codes)}`)" for what, codes in left_out.items() if codes]
    text = _README.format(
        version=release.version,
        components=", ".join(release.components),
        documents=documents,
        queries=english.train + english.dev + english.test,
        languages=len(others),
        document_words=minimum["document"],
        query_words=minimum["query"],
        at_least=at_least,
        few=few,
        **shares,
        left_out="".join(said),
        rows="\n".join(_line(row) for row in rows),
    )
    return "".join(f"{_wrapped(line)}\n" for line in text.splitlines())


def _wrapped(line: str) -> str:
    """Lists of names are longer than a line; a table's row is one line."""
    if len(line) <= _WIDTH or line.startswith("|"):
        return line
    indent = "  " if line.startswith(("-", " ")) else ""
    return textwrap.fill(line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _line(row: LanguageRow) -> str:
    counts = (row.train, row.dev, row.test, row.bitext, row.authors)
    return f"| {row.language} | {language_name(row.language)} | {' | '.join(map(str, counts))} |"
