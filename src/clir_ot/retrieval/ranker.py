"""The documents of a collection ranked by an encoder: searched, or a first stage's ranking re-ranked."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.trec import Run
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.progress import counting
from clir_ot.retrieval.approximate import approximate_search
from clir_ot.retrieval.rerank import candidates, rerank
from clir_ot.retrieval.search import search
from clir_ot.retrieval.stored_index import open_index
from clir_ot.retrieval.token_index import encode


def load_encoder(name: str | Path) -> TokenEncoder:
    """An encoder on this process's GPU, where there is one.

    Raises:
        UserError: see `TokenEncoder.from_pretrained`.
    """
    device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    return TokenEncoder.from_pretrained(name).to(device)


def rank(
    queries: Mapping[str, str],
    collection: Collection,
    encoder: str | Path,
    document_encoder: str | Path | None = None,
    *,
    documents: str = ENGLISH,
    index: Path | None = None,
    first_stage: Run | None = None,
    approximate: bool = False,
    depth: int = 1000,
) -> Run:
    """The `depth` best documents of every query.

    Args:
        queries: `{_id: text}`.
        collection: whose documents are ranked.
        encoder: folder or name of the query encoder.
        document_encoder: likewise; None for the same.
        documents: their language.
        index: folder of the encoded documents, which is made if it is not there; None to encode them now, of a first
            stage's documents those that are scored.
        first_stage: of its `depth` best documents those are ranked; None for all documents.
        approximate: score only documents that seem to be good, see `approximate_search`; needs an index.
        depth: documents a query.

    Raises:
        UserError: see `open_index`, `search`, `approximate_search` and `rerank`.
    """
    of_queries = load_encoder(encoder)
    of_documents = load_encoder(document_encoder) if document_encoder else of_queries
    progress = counting("queries encoded", len(queries))
    encoded = encode(of_queries, of_queries.tokenizer.queries, dict(queries), progress)
    if index:
        made_by = fingerprint(document_encoder or encoder)
        stored = open_index(index, of_documents, made_by, collection, documents, counting)
        if first_stage is None and approximate:
            return approximate_search(encoded, stored, depth)
        if first_stage is None:
            return search(encoded, stored, depth, counting("documents searched", len(stored)))
        return rerank(first_stage, encoded, stored.select(candidates(first_stage, depth)), depth)
    texts = collection.documents(documents)
    if first_stage is not None:
        texts = {name: texts[name] for name in candidates(first_stage, depth) if name in texts}
    progress = counting("documents encoded", len(texts))
    of_texts = encode(of_documents, of_documents.tokenizer.documents, texts, progress)
    return search(encoded, of_texts, depth) if first_stage is None else rerank(first_stage, encoded, of_texts, depth)
