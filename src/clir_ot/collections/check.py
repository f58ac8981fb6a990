"""Does a collection have what an experiment needs? Said before anything slow begins."""

from collections.abc import Sequence

from clir_ot.collections.collection import ENGLISH, SPLITS, Collection
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError


def check(collection: Collection, languages: Sequence[str]) -> None:
    """Read everything that training and evaluation in these languages read.

    Raises:
        UserError: a file is malformed; a language lacks queries or bitext; a judgement names an unknown text.
    """
    documents, english = collection.documents(), collection.queries()
    for split in SPLITS:
        for query, judged in collection.qrels(split).items():
            if query not in english:
                raise UserError(f"{collection.folder}/qrels/{split}.tsv: query {query!r} is not in queries.jsonl")
            if unknown := next((d for d in judged if d not in documents), None):
                raise UserError(f"{collection.folder}/qrels/{split}.tsv: document {unknown!r} is not in corpus.jsonl")
    for code in languages:
        language = canonical_language(code)
        if language == ENGLISH:
            raise UserError("en is the teacher's language; choose a foreign one, such as " + _some(collection))
        if language not in collection.query_languages and language not in collection.bitext_languages:
            raise UserError(
                f"{collection.folder} has nothing in {language!r}; languages with queries and bitext: "
                f"{_some(collection)}"
            )
        collection.bitext(language)
        for split in ("dev", "test"):
            collection.judged(split, language)


def _some(collection: Collection) -> str:
    return ", ".join(sorted({*collection.query_languages} & {*collection.bitext_languages}))
