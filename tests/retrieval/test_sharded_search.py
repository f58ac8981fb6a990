"""Search shard by shard, in every precision, against MaxSim of one pair at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from clir_ot.collections.trec import Run, ranking
from clir_ot.errors import UserError
from clir_ot.models.maxsim import maxsim
from clir_ot.retrieval import search as module
from clir_ot.retrieval.codecs import PRECISIONS, Codec, Residual
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex

Make = Callable[..., Any]


def pair_by_pair(queries: TokenIndex, documents: TokenIndex) -> Run:
    def one(index: TokenIndex, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = index.select([name]).vectors[None]
        return vectors, torch.ones(vectors.shape[:2], dtype=torch.bool)

    run: Run = {}
    for query in queries.ids:
        q, q_mask = one(queries, query)
        run[query] = {
            name: maxsim(q, d, q_mask, mask).item() for name in documents.ids for d, mask in [one(documents, name)]
        }
    return run


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> tuple[TokenIndex, TokenIndex]:
    """Queries and documents whose scores are exact in float32 and float16, so that equal ones are equal to the bit."""
    monkeypatch.setattr(module, "_DOCUMENT_TOKENS", 9)
    monkeypatch.setattr(module, "_QUERY_TOKENS", 5)
    monkeypatch.setattr(module, "_SCORES", 3 * 7)  # three queries at a time
    chance = torch.Generator().manual_seed(3)
    found = []
    for prefix, lengths in (("q", [4, 1, 2, 4, 8, 2, 1, 4]), ("d", [(5 * i) % 6 + 1 for i in range(45)])):
        vectors = torch.randint(-2, 3, (sum(lengths), 8), generator=chance) / 4
        names = [f"{prefix}{i:03}" for i in range(len(lengths))]
        found.append(TokenIndex(names, torch.tensor(lengths), vectors))
    return found[0], found[1]


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_shards_are_searched_as_one_pair_at_a_time_with_ties(
    stored: Make, exact: tuple[TokenIndex, TokenIndex], tmp_path: Path, precision: str
) -> None:
    queries, documents = exact
    expected = pair_by_pair(queries, documents)
    assert min(len(set(scores.values())) for scores in expected.values()) < 30, "there are ties"
    index = stored(tmp_path / "index", documents, precision)
    found = search(queries, index)
    assert found == expected
    assert all(ranking(found[query]) == ranking(expected[query]) for query in queries.ids)
    assert list(found) == queries.ids
    for depth in (1, 5, 11):
        # The best ones, and of equal ones in the last place those that come first, whatever the shards.
        best = {q: dict(sorted(s.items(), key=lambda one: (-one[1], one[0]))[:depth]) for q, s in expected.items()}
        for searched in (index, documents):
            run = search(queries, searched, depth)
            assert run == best
            assert [list(s) for s in run.values()] == [list(s) for s in best.values()]


@pytest.fixture(scope="module")
def near(clustered: Make) -> tuple[TokenIndex, TokenIndex]:
    return clustered(5, 60)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_is_searched_as_what_it_decodes_to(
    stored: Make, near: tuple[TokenIndex, TokenIndex], tmp_path: Path, precision: str
) -> None:
    queries, documents = near
    index = stored(tmp_path / "index", documents, precision, shard=25)
    decoded = index.load()
    assert decoded.ids == documents.ids
    expected = pair_by_pair(queries, decoded)
    for query, scores in search(queries, index).items():
        assert scores == pytest.approx(expected[query], abs=1e-5)
    error = (decoded.vectors - documents.vectors).norm(dim=1).mean().item()
    most = {"float32": 0.0, "float16": 1e-3, "int8": 0.02, "4bit": 0.12, "2bit": 0.3, "1bit": 0.6}[precision]
    assert error <= most, error
    bytes_a_vector = sum(
        t.nbytes
        for s in index.shards()
        for name, t in s.stored.items()
        if name not in ("ids", "lengths")  # type: ignore[attr-defined]
    ) / len(documents.vectors)
    assert bytes_a_vector == {"float32": 128, "float16": 64, "int8": 34, "4bit": 20, "2bit": 12, "1bit": 8}[precision]


def test_residuals_are_packed_and_read_as_their_ranges(near: tuple[TokenIndex, TokenIndex]) -> None:
    vectors = near[1].vectors[:40]
    for bits in (1, 2, 4):
        codec: Codec = Residual.learn(bits, near[1].vectors, 600)
        assert isinstance(codec, Residual)
        nearest = ((vectors[:, None] - codec.centroids) ** 2).sum(-1).argmin(1)
        residual = vectors - codec.centroids[nearest]
        ranges = (residual[..., None] > codec.borders).sum(-1)  # one border after the other
        expected = F.normalize(codec.centroids[nearest] + codec.values[ranges], dim=-1)
        stored_ = codec.encode(vectors)
        assert stored_["residuals"].shape == (40, 32 * bits // 8)
        assert torch.allclose(codec.decode(stored_, torch.arange(40)), expected, atol=1e-6)
        assert len(codec.values) == 2**bits == len(codec.borders) + 1


def test_dimensions_that_cannot_be_packed_are_refused() -> None:
    with pytest.raises(UserError, match="vectors of 12 dimensions cannot be packed; choose float16 or int8"):
        Residual.learn(2, torch.eye(12), 12)
