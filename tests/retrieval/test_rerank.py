"""Re-ranking gives the scores of exact search, for the run's best documents alone."""

import random
from pathlib import Path

import pytest

from clir_ot import Collection, TokenEncoder
from clir_ot.collections.trec import Run, ranking
from clir_ot.errors import UserError
from clir_ot.retrieval.rerank import candidates, rerank
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode


@pytest.fixture(scope="module")
def indexes(encoder_folder: Path, collection_folder: Path) -> tuple[TokenIndex, TokenIndex]:
    encoder, collection = TokenEncoder.from_pretrained(encoder_folder, dimensions=8), Collection(collection_folder)
    queries = dict(list(collection.queries("yo").items())[:9])
    queries["long"] = " ".join(queries.values())
    return (
        encode(encoder, encoder.tokenizer.queries, queries),
        encode(encoder, encoder.tokenizer.documents, collection.documents()),
    )


@pytest.fixture
def first_stage(indexes: tuple[TokenIndex, TokenIndex]) -> Run:
    """Random scores of some documents, more for some queries, with ties."""
    chance = random.Random(5)
    queries, documents = indexes
    return {
        query: {name: float(chance.randint(1, 8)) for name in chance.sample(documents.ids, 4 + position)}
        for position, query in enumerate(queries.ids)
    }


def test_scores_are_those_of_exact_search_for_the_best_of_the_run(
    indexes: tuple[TokenIndex, TokenIndex], first_stage: Run
) -> None:
    queries, documents = indexes
    exact = search(queries, documents)
    for depth in (1, 6, 1000):
        found = rerank(first_stage, queries, documents, depth)
        assert found.keys() == first_stage.keys()
        for query, scores in found.items():
            assert scores.keys() == set(ranking(first_stage[query])[:depth])
            assert scores == pytest.approx({name: exact[query][name] for name in scores}, abs=1e-6)
            assert list(scores.values()) == sorted(scores.values(), reverse=True)


def test_re_ranking_everything_is_exact_search(indexes: tuple[TokenIndex, TokenIndex]) -> None:
    queries, documents = indexes
    everything = {query: dict.fromkeys(documents.ids, 1.0) for query in queries.ids}
    found, exact = rerank(everything, queries, documents), search(queries, documents)
    assert {query: list(scores) for query, scores in found.items()} == {q: list(scores) for q, scores in exact.items()}


def test_only_the_candidates_need_be_encoded(indexes: tuple[TokenIndex, TokenIndex], first_stage: Run) -> None:
    queries, documents = indexes
    needed = candidates(first_stage, depth=2)
    assert 2 < len(needed) < len(documents.ids)
    assert rerank(first_stage, queries, documents.select(needed), 2) == rerank(first_stage, queries, documents, 2)


def test_a_query_for_which_nothing_was_found_stays_without(indexes: tuple[TokenIndex, TokenIndex]) -> None:
    queries, documents = indexes
    assert rerank({queries.ids[0]: {}}, queries, documents) == {queries.ids[0]: {}}


def test_unknown_ids_are_named(indexes: tuple[TokenIndex, TokenIndex]) -> None:
    queries, documents = indexes
    with pytest.raises(UserError, match=r"query 'nobody'.*same language and split"):
        rerank({"nobody": {"d0": 1.0}}, queries, documents)
    with pytest.raises(UserError, match=r"document 'nowhere' for query 'd0\.0'.*same collection"):
        rerank({"d0.0": {"d0": 2.0, "nowhere": 1.0}}, queries, documents)
    assert rerank({"d0.0": {"d0": 2.0, "nowhere": 1.0}}, queries, documents, depth=1)["d0.0"].keys() == {"d0"}
