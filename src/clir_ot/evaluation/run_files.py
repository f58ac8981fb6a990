"""TREC run files, evaluated: what they rank must be of the collection, and what is missing is said."""

from collections.abc import Sequence
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language, find_code
from clir_ot.collections.trec import Qrels, Run, read_run
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.systems import Measured, compare_all, measure
from clir_ot.evaluation.table import render


def evaluate_run_files(
    paths: Sequence[Path],
    collection: Collection,
    split: str,
    measures: Sequence[str],
    *,
    language: str | None = None,
    documents: str = ENGLISH,
    judging: Judging = USUAL,
) -> str:
    """A table: one row a file, the mean over a system's languages, and each system against the first in its language.

    Args:
        paths: TREC run files; `<system>.<language>....trec` says system and language.
        collection: whose judgements count.
        split: of the queries.
        measures: the first is compared.
        language: of all files' queries; None takes each file's from its name, or else the one that has its queries,
            English where several have.
        documents: language of the documents ranked.
        judging: which documents are relevant, and ties.

    Raises:
        UserError: a file ranks a query or a document that the collection does not have; its language is not known.
    """
    rows: list[Measured] = []
    notes = []
    for path in paths:
        run = read_run(path)
        system, code = _named(path, collection) if language is None else (path.name, canonical_language(language))
        if code is None:
            code, note = _asked(path, run, collection)
            notes += note
        _, qrels = collection.judged(split, code, documents)
        _check(path, run, code, collection)
        notes += _missing(path, run, qrels, judging)
        rows.append(measure(system, code, run, qrels, measures, judging))
    first: dict[str, Measured] = {}
    pairs = [([row], [first[row.language]]) for row in rows if first.setdefault(row.language, row) is not row]
    return "\n".join([render(rows, compare_all(pairs, measures[0]), judging), *dict.fromkeys(notes)])


def evaluate_against(paths: Sequence[Path], qrels: Qrels, measures: Sequence[str], judging: Judging = USUAL) -> str:
    """The same table, for judgements from a file; nothing is known of the texts then.

    Raises:
        UserError: as `evaluate_run`.
    """
    runs = [read_run(path) for path in paths]
    rows = [measure(path.name, "und", run, qrels, measures, judging) for path, run in zip(paths, runs, strict=True)]
    notes = [note for path, run in zip(paths, runs, strict=True) for note in _missing(path, run, qrels, judging)]
    compared = compare_all([([row], rows[:1]) for row in rows[1:]], measures[0])
    return "\n".join([render(rows, compared, judging), *dict.fromkeys(notes)])


def _named(path: Path, collection: Collection) -> tuple[str, str | None]:
    """System and language, as the name says them."""
    system, *rest = path.name.removesuffix(".gz").removesuffix(".trec").split(".")
    # `run` is what such files are called, seldom Rundi.
    if rest and rest[0] != "run" and (code := find_code(collection.query_languages, rest[0], str(path))):
        return system, code
    return path.name, None


def _asked(path: Path, run: Run, collection: Collection) -> tuple[str, list[str]]:
    """The language of a run whose name says none, by its queries; and what is to be said of it."""
    found = [code for code in collection.query_languages if run.keys() <= collection.queries(code).keys()]
    if not found:  # then no language has them all, which is said of English, or of the only one
        return next((code for code in collection.query_languages if code == ENGLISH), collection.query_languages[0]), []
    if found == [ENGLISH]:
        return ENGLISH, []
    if len(found) == 1:
        return found[0], [f"note: {path}: its queries are those in {found[0]!r}"]
    if ENGLISH not in found:
        raise UserError(f"{path}: its queries may be in {', '.join(found)}; say which: --language {found[0]}")
    others = ", ".join(code for code in found if code != ENGLISH)
    return ENGLISH, [
        f"note: {path}: taken for English queries, for its name says no language; if not: --language CODE ({others})"
    ]


def _check(path: Path, run: Run, language: str, collection: Collection) -> None:
    queries, documents = collection.queries(language), {d for scores in run.values() for d in scores}
    if unknown := next((query for query in run if query not in queries), None):
        raise UserError(
            f"{path}: query {unknown!r} is none of the collection's in {language!r}; give the collection, and the "
            "--language, that was searched"
        )
    # English first: the other corpora need not be read where it has all of them.
    for other in sorted(collection.document_languages, key=lambda name: name != ENGLISH):
        documents = documents - collection.documents(other).keys() - {*collection.blank_documents(other)}
        if not documents:
            return
    document = min(documents)
    query = next(query for query, scores in run.items() if document in scores)
    raise UserError(
        f"{path}: document {document!r} of query {query!r} is not in the collection; give the one that was searched"
    )


def _missing(path: Path, run: Run, qrels: Qrels, judging: Judging) -> list[str]:
    """Notes on queries that count as 0 whatever is ranked, or since nothing is."""
    notes = [f"note: {found}" for found in judging.unanswerable(qrels)]
    if absent := [query for query in qrels if query not in run]:
        count = f"{len(absent)} of {len(qrels)} judged queries"
        notes.append(f"note: {path} has no result for {count}, {absent[0]!r} first: they count as 0")
    return notes
