"""ir_datasets' catalogue: texts and judgements of anything that it knows by id, as a collection's contents.

Source: MacAvaney et al., SIGIR 2021 (arXiv 2103.02280); https://ir-datasets.com.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.sources.assembly import Document
from clir_ot.sources.hub import reason
from clir_ot.sources.hub_files import Judgement


def load(name: str) -> Any:
    """The dataset of an id.

    Raises:
        UserError: ir_datasets is not installed, or has no such id; names those that are near.
    """
    try:
        import ir_datasets
    except ImportError as error:
        raise UserError("ir_datasets is not installed; run: pip install 'clir-ot[ir-datasets]'") from error
    try:
        return ir_datasets.load(name)
    except KeyError as error:
        near = difflib.get_close_matches(name, list(ir_datasets.registry), n=4, cutoff=0.5)
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise UserError(f"ir_datasets has no {name!r}{hint}; see https://ir-datasets.com") from error
    except (OSError, RuntimeError) as error:  # some ids are looked up in a file that is fetched first
        raise UserError(_not_fetched(name, error)) from error


def refuse_source(name: str, source: Path | None) -> None:
    """ir_datasets finds copies by itself.

    Raises:
        UserError: there is a source.
    """
    if source is not None:
        raise UserError(
            f"{name}: ir_datasets looks for copies in IR_DATASETS_HOME (~/.ir_datasets): put them there, without --from"
        )


def documents(name: str, dataset: Any, prefix: str = "") -> Iterator[Document]:
    """Title and text where a document has both, else its default text."""
    fields = dataset.docs_cls()._fields
    for doc in _guarded(name, dataset.docs_iter):
        if {"title", "text"} <= {*fields}:
            yield f"{prefix}{doc.doc_id}", doc.title or "", doc.text or ""
        else:
            yield f"{prefix}{doc.doc_id}", "", doc.default_text() or ""


def queries(
    name: str, dataset: Any, prefix: str = "", text: Callable[[Any], str] = lambda query: query.default_text()
) -> Iterator[tuple[str, str]]:
    """The text of each query, on one line."""
    for query in _guarded(name, dataset.queries_iter):
        yield f"{prefix}{query.query_id}", " ".join((text(query) or "").split())


def judgements(name: str, dataset: Any, query_prefix: str = "", document_prefix: str = "") -> Iterator[Judgement]:
    """With their grades."""
    for row in _guarded(name, dataset.qrels_iter):
        yield f"{query_prefix}{row.query_id}", f"{document_prefix}{row.doc_id}", int(row.relevance)


def triples(name: str, dataset: Any) -> Iterator[tuple[str, str, str]]:
    """(query, relevant document, other document)."""
    for row in _guarded(name, dataset.docpairs_iter):
        yield row.query_id, row.doc_id_a, row.doc_id_b


def _guarded(name: str, iterate: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    try:
        yield from iterate()
    except (OSError, RuntimeError, EOFError) as error:  # its own errors, and those of requests, are of these
        raise UserError(_not_fetched(name, error)) from error


def _not_fetched(name: str, error: Exception) -> str:
    return (
        f"ir_datasets:{name}: could not be fetched or read ({reason(error)}); check the network, and whether "
        f"https://ir-datasets.com/{name.split('/')[0]} asks for a copy that you must get yourself"
    )
