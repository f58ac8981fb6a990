"""Encoding and exact search against scoring one pair at a time."""

from pathlib import Path

import pytest
import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.models.maxsim import maxsim
from clir_ot.retrieval import search as module
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import encode


@pytest.fixture
def encoder(encoder_folder: Path) -> TokenEncoder:
    return TokenEncoder.from_pretrained(encoder_folder, dimensions=8).train()


def test_search_equals_scoring_pair_by_pair(
    encoder: TokenEncoder, collection_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 5)  # several uneven blocks
    collection = Collection(collection_folder)
    documents, queries = collection.documents(), dict(list(collection.queries("yo").items())[:7])
    queries["long"] = " ".join(queries.values())
    index = encode(encoder, encoder.tokenizer.documents, documents)
    run = search(encode(encoder, encoder.tokenizer.queries, queries), index, depth=10)
    assert encoder.training, "encoding left the encoder in another mode"
    encoder.eval()
    for query, text in queries.items():
        tokens = encoder.tokenizer.queries([text])
        expected = {}
        for name, content in documents.items():
            other = encoder.tokenizer.documents([content])
            with torch.no_grad():
                score = maxsim(encoder(tokens), encoder(other), tokens.mask, other.mask)
            expected[name] = score.item()
        best = sorted(expected.values(), reverse=True)[:10]
        assert list(run[query].values()) == pytest.approx(best, abs=1e-5)
        assert all(score == pytest.approx(expected[name], abs=1e-5) for name, score in run[query].items())


def test_depth_beyond_the_collection_gives_all(encoder: TokenEncoder) -> None:
    index = encode(encoder, encoder.tokenizer.documents, {"a": "bara desil", "b": "fitem"})
    run = search(encode(encoder, encoder.tokenizer.queries, {"q": "bara"}), index)
    assert run["q"].keys() == {"a", "b"}
