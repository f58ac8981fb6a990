"""Anything that ir_datasets knows, by id: `ir_datasets:msmarco-passage/dev/small`; see https://ir-datasets.com.

Several ids joined by `+` make one collection of several splits or languages:
`ir_datasets:mmarco/v2/de/train+mmarco/v2/de/dev/small`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from clir_ot.collections.collection import SPLITS
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.sources import catalogue
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub_files import Judgement
from clir_ot.sources.triples import read_triples

_Row = TypeVar("_Row")
_SPELLINGS = {"valid": "dev", "validation": "dev", "test1": "test"}


def build_ir_dataset(
    argument: str, folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        argument: an id, or several with `+` between them.
        folder: to write; must not exist, or be empty.
        source: must be None; ir_datasets keeps copies itself.
        languages: of documents and queries, or of both, where ir_datasets does not know; None asks it.
        progress: see `assemble`.

    Raises:
        UserError: there is no such id; its language is not known; its files cannot be fetched; two ids have different
            documents in one language.
    """
    catalogue.refuse_source(f"ir_datasets:{argument}", source)
    require_new(folder)
    names = argument.split("+")
    sets = {name: catalogue.load(name) for name in names}
    documents: dict[str, Callable[[], Iterable[Document]]] = {}
    bodies: dict[str, Any] = {}
    queries: dict[str, list[Callable[[], Iterable[tuple[str, str]]]]] = {}
    judged: dict[str, list[Callable[[], Iterable[Judgement]]]] = {}
    pairs: list[Iterator[tuple[str, str, str]]] = []
    for name, dataset in sets.items():
        if not dataset.has_docs() or not dataset.has_queries():
            raise UserError(f"ir_datasets:{name} has no {'queries' if dataset.has_docs() else 'documents'}")
        language = _language(name, "documents", dataset.docs_lang(), languages)
        body = (dataset.docs_namespace(), dataset.docs_cls())
        if bodies.setdefault(language, body) != body:
            raise UserError(f"ir_datasets:{name} has other documents in {language!r} than {names[0]}; build it apart")
        documents.setdefault(language, partial(catalogue.documents, name, dataset))
        asked = queries.setdefault(_language(name, "queries", dataset.queries_lang(), languages), [])
        asked.append(partial(catalogue.queries, name, dataset))
        if dataset.has_qrels():
            rows = judged.setdefault(_split(name), [])
            rows.append(partial(catalogue.judgements, name, dataset))
        if dataset.has_docpairs():
            pairs.append(catalogue.triples(name, dataset))
    _, negatives = read_triples(chain.from_iterable(pairs))
    contents = Contents(
        documents,
        {language: partial(_joined, parts) for language, parts in queries.items()},
        {split: partial(_joined, parts) for split, parts in judged.items()},
        negatives,
    )
    about = About(
        argument,
        "A dataset of ir_datasets' catalogue.",
        " and ".join(f"https://ir-datasets.com/{name.split('/')[0]}#{name}" for name in names),
        f"ir_datasets {_version()}, which pins the files by their MD5",
        "that of the data set; see its page",
        ("The split is the last part of the id that names one, else `test`; documents and queries keep their ids",),
    )
    assemble(folder, contents, about, progress)


def _language(name: str, what: str, known: str | None, given: Sequence[str] | None) -> str:
    if given:
        return given[0] if what == "documents" else given[-1]
    if not known:
        raise UserError(f"ir_datasets does not say the language of {name}'s {what}; add --languages DOCUMENTS,QUERIES")
    return canonical_language(known)


def _split(name: str) -> str:
    parts = [_SPELLINGS.get(part, part) for part in name.split("/")]
    return next((part for part in reversed(parts) if part in SPLITS), "test")


def _joined(parts: Sequence[Callable[[], Iterable[_Row]]]) -> Iterator[_Row]:
    return chain.from_iterable(part() for part in parts)


def _version() -> str:
    from importlib.metadata import version

    return version("ir_datasets")
