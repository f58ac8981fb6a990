"""What Qdrant's own engine finds in an exported index, in the client's local mode."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clir_ot.errors import UserError
from clir_ot.retrieval import qdrant as module
from clir_ot.retrieval.qdrant import export_qdrant
from clir_ot.retrieval.search import search

qdrant_client = pytest.importorskip("qdrant_client")
Make = Callable[..., Any]


def test_qdrant_ranks_an_exported_index_as_exact_search_does(
    clustered: Make,
    stored: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clir: Callable[..., str],
) -> None:
    queries, documents = clustered(6, 50)
    index, server = stored(tmp_path / "index", documents, "float16", shard=20), tmp_path / "server"
    monkeypatch.setattr(module, "_POINTS", 8)

    def stop(done: int) -> None:
        sent.append(done)
        if len(sent) == 4:
            raise KeyboardInterrupt

    sent: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        export_qdrant(index, {"path": str(server)}, "mine", stop)
    assert sent == [8, 8, 4, 8]
    sent = []
    said = clir("export", "qdrant", "--index", index.folder, "--path", server, "--name", "mine")
    assert said == f"50 documents: collection mine at {server}\n"
    assert export_qdrant(index, {"path": str(server)}, "mine", sent.append) == 50
    assert sent == [], "what is there was sent again"

    client = qdrant_client.QdrantClient(path=str(server))
    exact = search(queries, index, depth=10)
    for query in queries.ids:
        vectors = queries.select([query]).vectors
        points = client.query_points("mine", query=vectors.tolist(), limit=10, with_payload=True).points
        assert [point.payload["_id"] for point in points] == list(exact[query])
        assert [point.score / len(vectors) for point in points] == pytest.approx(list(exact[query].values()), abs=1e-4)
    client.close()

    other = stored(tmp_path / "other", documents, "int8", shard=20)
    with pytest.raises(UserError, match="collection 'mine' holds other vectors; give another --name"):
        export_qdrant(other, {"path": str(server)}, "mine")


def test_a_server_that_does_not_answer_and_a_folder_without_index_are_one_line(
    clustered: Make, stored: Make, tmp_path: Path, clir: Callable[..., str]
) -> None:
    index = stored(tmp_path / "index", clustered(1, 5)[1])
    for said, expected in (
        (clir("export", "qdrant", "--index", tmp_path / "index", "--url", "http://127.0.0.1:9"), "127.0.0.1:9: Qdrant"),
        (clir("export", "qdrant", "--index", tmp_path, "--path", tmp_path / "s"), "is no index (it lacks index.json)"),
        (clir("export", "qdrant", "--index", tmp_path / "index"), "give either --url, of a server, or --path"),
    ):
        assert said.startswith("FAILED: clir-ot: ")
        assert expected in said
        assert "\n" not in said
    index.paths()[0].unlink()
    assert "1 of 1 shards are missing" in clir("export", "qdrant", "--index", index.folder, "--path", tmp_path / "s")
