"""Approximate search against exact search, where it can be wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from clir_ot.errors import UserError
from clir_ot.retrieval import approximate as module
from clir_ot.retrieval.approximate import approximate_search
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex

pytest.importorskip("faiss")
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def near(clustered: Make) -> tuple[TokenIndex, TokenIndex]:
    return clustered(30, 400)


def test_scores_are_exact_and_nearly_all_of_the_best_are_found(
    stored: Make,
    near: tuple[TokenIndex, TokenIndex],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries, documents = near
    monkeypatch.setattr(module, "_QUERIES", 7)
    index = stored(tmp_path / "index", documents, "float16", shard=150)
    exact, found = search(queries, index), approximate_search(queries, index, depth=60)
    assert list(found) == queries.ids
    recall = []
    for query, scores in found.items():
        assert len(scores) == 60
        assert list(scores.values()) == sorted(scores.values(), reverse=True)
        assert scores == pytest.approx({name: exact[query][name] for name in scores}, abs=1e-5)
        best = list(exact[query])[:10]
        assert next(iter(scores)) == best[0]
        recall.append(sum(name in scores for name in best) / 10)
    assert sum(recall) / len(recall) > 0.8  # behind the first one all is noise

    monkeypatch.setattr(module, "_build", lambda *_: pytest.fail("sorted a second time"))
    assert approximate_search(queries, index, depth=60) == found


@pytest.mark.parametrize("many", [2**13, 1], ids=["all centres compared", "centres in a graph"])
def test_quantised_tokens_lose_candidates_and_no_scores(
    near: tuple[TokenIndex, TokenIndex], stored: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    queries, documents = near
    monkeypatch.setattr(module, "_FEW", 0)
    monkeypatch.setattr(module, "_MANY", many)
    index = stored(tmp_path / "index", documents, shard=150)
    exact, found = search(queries, index), approximate_search(queries, index, depth=60)
    for query, scores in found.items():
        assert scores == pytest.approx({name: exact[query][name] for name in scores}, abs=1e-5)
    assert sum(next(iter(found[query])) == next(iter(exact[query])) for query in queries.ids) > 24
    assert found != approximate_search(queries, index, depth=60, probes=1)


def test_all_lists_and_all_tokens_give_exact_search(
    clustered: Make, stored: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few texts, of which every token is looked at and held as it is: no order is lost."""
    queries, documents = clustered(4, 6)
    index = stored(tmp_path / "index", documents, shard=4)
    expected = search(queries, index, depth=3)
    for query, scores in approximate_search(queries, index, depth=3, probes=99).items():
        assert list(scores) == list(expected[query])
        assert scores == pytest.approx(expected[query], abs=1e-6)


def test_texts_of_one_vector_are_found(stored: Make, tmp_path: Path) -> None:
    chance = torch.Generator().manual_seed(2)
    documents = TokenIndex(
        [f"d{i}" for i in range(90)],
        torch.ones(90, dtype=torch.int64),
        torch.nn.functional.normalize(torch.randn(90, 8, generator=chance), dim=1),
    )
    index = stored(tmp_path / "index", documents, shard=40)
    found = approximate_search(documents, index, depth=5)
    assert [next(iter(scores)) for scores in found.values()] == documents.ids


def test_vectors_of_other_dimensions_are_refused(
    stored: Make, near: tuple[TokenIndex, TokenIndex], tmp_path: Path
) -> None:
    other = TokenIndex(["q"], torch.tensor([1]), torch.ones(1, 8))
    with pytest.raises(UserError, match="has 8 dimensions and the documents were encoded with 32"):
        approximate_search(other, stored(tmp_path / "index", near[1], shard=400))
