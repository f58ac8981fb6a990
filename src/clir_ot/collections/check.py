"""Does a collection have what an experiment needs? Said before anything slow begins."""

from collections.abc import Sequence

from clir_ot.collections.collection import ENGLISH, Collection
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError


def check(collection: Collection, languages: Sequence[str]) -> None:
    """Read every file whole, and what distillation and evaluation in these languages read.

    Raises:
        UserError: a file is malformed; a language lacks queries or bitext; a judgement names an unknown text; there are
            no judgements.
    """
    collection.documents()  # English ones are what distillation and search read
    documents = {name for language in collection.document_languages for name in collection.documents(language)}
    queries = {query for language in collection.query_languages for query in collection.queries(language)}
    judgements = list(collection.all_qrels())
    if not judgements:
        raise UserError(
            f"{collection.folder / 'qrels'}: there are queries, but no judgements; expected train.tsv, dev.tsv or "
            "test.tsv with query-id TAB corpus-id TAB score"
        )
    for path, qrels in judgements:
        for query, judged in qrels.items():
            if query not in queries:
                raise UserError(f"{path}: query {query!r} is in no queries file; add it there or remove its judgement")
            if unknown := next((document for document in judged if document not in documents), None):
                raise UserError(
                    f"{path}: document {unknown!r} of query {query!r} is in no corpus file; add it there or remove its "
                    "judgement"
                )
    for language in map(canonical_language, languages):
        if language == ENGLISH:
            raise UserError("en is the teacher's language; choose a foreign one, such as " + _distillable(collection))
        if language not in collection.query_languages and language not in collection.bitext_languages:
            raise UserError(
                f"{collection.folder} has nothing in {language!r}; languages with queries and bitext: "
                f"{_distillable(collection)}"
            )
        collection.bitext(language)
        collection.judged("test", language)


def _distillable(collection: Collection) -> str:
    both = {*collection.query_languages} & {*collection.bitext_languages}
    return ", ".join(sorted(both - {ENGLISH})) or "none"
