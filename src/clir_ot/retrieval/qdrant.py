"""Encoded documents for Qdrant, a server on one machine or many that scores token vectors by MaxSim itself.

A query's tokens are sent as they are; a point's score is the sum over them, which ranks as their mean does:

    client.query_points("clir-ot", query=vectors.tolist(), limit=10, with_payload=True)

The payload of a point has the document's `_id`, its number is the document's place in the collection.
"""

from collections.abc import Callable, Mapping
from typing import Any

from clir_ot.errors import UserError
from clir_ot.retrieval.index_folder import StoredIndex

_POINTS = 64  # sent at a time


def export_qdrant(
    documents: StoredIndex, place: Mapping[str, Any], name: str, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Send all documents of an index; an export that was stopped goes on where it was.

    Args:
        documents: an index folder.
        place: of the server: `url` and perhaps `api_key`, or `path` of a folder that the client serves itself; as the
            arguments of `qdrant_client.QdrantClient`.
        name: of the collection there; made if it is not there.
        progress: called with the number of documents sent since the last call.

    Returns:
        Documents that the collection has now.

    Raises:
        UserError: the client is not installed; the server does not answer or refuses; the collection holds other
            vectors.
    """
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise UserError("export: Qdrant's client is not installed: pip install 'clir-ot[qdrant]'") from error
    said = place.get("url") or place.get("path")
    # The client's errors have no class in common: those of httpx, grpc, portalocker and its own.
    try:
        client = QdrantClient(**place, check_compatibility=False)
        try:
            _prepare(client, documents, name)
            return _send(client, documents, name, progress)
        finally:
            client.close()
    except UserError:
        raise
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise UserError(f"{said}: Qdrant does not take the documents ({reason.splitlines()[0]})") from error


def _prepare(client: Any, documents: StoredIndex, name: str) -> None:
    """Make the collection, or see that it is one of this index: the first point says of which index it is."""
    from qdrant_client import models

    if client.collection_exists(name):
        first = client.retrieve(name, ids=[0], with_payload=True)
        if first and first[0].payload.get("index") == documents.digest:
            return
        if first or client.count(name).count:
            raise UserError(
                f"Qdrant's collection {name!r} holds other vectors; give another --name, or delete it there"
            )
        client.delete_collection(name)
    client.create_collection(
        name,
        vectors_config=models.VectorParams(
            size=documents.dimensions,
            distance=models.Distance.DOT,
            multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            datatype=models.Datatype.FLOAT16,
            on_disk=True,
        ),
    )


def _send(client: Any, documents: StoredIndex, name: str, progress: Callable[[int], None]) -> int:
    from qdrant_client import models

    # Points are sent in order, so those that are there are the first ones.
    place, there = 0, client.count(name, exact=True).count
    for shard in documents.shards():
        count = len(shard.ids)
        for start in range(max(0, there - place), count, _POINTS):
            end = min(start + _POINTS, count)
            points = [
                models.PointStruct(
                    id=place + position,
                    vector=vectors.tolist(),
                    payload={"_id": shard.ids[position], "index": documents.digest},
                )
                for position, vectors in zip(range(start, end), shard.texts(start, end), strict=True)
            ]
            client.upsert(name, points, wait=True)
            progress(len(points))
        place += count
    found: int = client.count(name, exact=True).count
    return found
