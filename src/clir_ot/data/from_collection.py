"""What an experiment leaves to the collection, as `auto`: the languages of training, and whether passages are cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from clir_ot.collections import Collection
from clir_ot.collections.cache import starter_folder
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import parse_languages
from clir_ot.errors import UserError
from clir_ot.sources.kolibri import STUDY_LANGUAGES

AUTO: Literal["auto"] = "auto"

_CLOZE_SHARE = 0.9  # Lee, Chang & Toutanova 2019
_MOST = 0.5  # of the queries: where fewer are a part of their document, those that are do not make the task
_QUERIES = 1000  # of a language, looked at


def training_languages(collection: Collection, languages: str | list[str]) -> list[str]:
    """Canonical codes; of `auto`, the study's of the starter, and of another collection all that it can be trained in.

    Raises:
        UserError: something is no language code; `auto` finds none.
    """
    if languages != AUTO:
        return parse_languages(languages)
    if collection.folder.resolve() == (starter_folder() / "collection").resolve():
        return [ENGLISH, *STUDY_LANGUAGES]
    order = sorted(collection.query_languages, key=lambda language: (language != ENGLISH, language))
    found = [
        language for language in order if next(_relevant(collection, language, collection.document_languages), None)
    ]
    if not found:
        raise UserError(
            f"{collection.folder}: has no training queries (qrels/train.tsv) with a relevant document, in any language"
        )
    return found


@dataclass(frozen=True)
class Passages:
    """What training reads of a document.

    Attributes:
        cloze_share: see `CLIRDataModule`; None is the whole document.
        says: why, in a line.
    """

    cloze_share: float | None
    says: str


def passages(collection: Collection, languages: Sequence[str], passage_words: int) -> Passages:
    """Whole documents, unless the training queries are part of theirs: then passages, most without their query.

    Real questions are not: cut to the first 32 words of their passage, they make a worse teacher (.760 against .770
    MRR@10 on AfriQA's). Of the starter's messages nearly all are on their screen, and matching them word by word would
    be all there is to learn.

    Args:
        collection: whose first thousand training queries of each language are looked at.
        languages: of the training; only a document in the query's own language can hold it.
        passage_words: see `CLIRDataModule`; for what is said.
    """
    looked_at = held = 0
    for language in languages:
        rows = _relevant(collection, language, [language] if collection.has("documents", language) else [])
        for query, document in islice(rows, _QUERIES):
            looked_at += 1
            held += query in document
    share = held / looked_at if looked_at else 0.0
    counted = f"{collection.folder}: {held} of {looked_at} training queries looked at are part of their document"
    if share > _MOST:
        return Passages(
            _CLOZE_SHARE,
            f"{counted}: training reads {passage_words} words around them, {_CLOZE_SHARE:.0%} of the time without them "
            "(data.cloze_share, data.passage_words)",
        )
    return Passages(None, f"{counted}: training reads whole documents (data.cloze_share null)")


def _relevant(collection: Collection, language: str, documents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(query, relevant document) in the training split, texts, as far as they are there in these languages."""
    if not documents or not collection.is_judged("train", language):
        return
    queries, corpora = collection.queries(language), [collection.documents(name) for name in documents]
    for query, grades in collection.qrels("train", language).items():
        texts = (texts[name] for name, grade in grades.items() if grade > 0 for texts in corpora if name in texts)
        if query in queries and (text := next(texts, None)):
            yield queries[query], text
