"""Encoding and exact search against scoring one pair at a time."""

from pathlib import Path

import pytest
import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.errors import UserError
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
    monkeypatch.setattr(module, "_DOCUMENT_TOKENS", 30)  # several uneven blocks
    monkeypatch.setattr(module, "_QUERY_TOKENS", 7)
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


def test_dense_encoders_are_searched_exactly(encoder_folder: Path, collection_folder: Path) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring="dense").eval()
    collection = Collection(collection_folder)
    documents, queries = collection.documents(), collection.queries("yo")
    run = search(
        encode(encoder, encoder.tokenizer.queries, queries), encode(encoder, encoder.tokenizer.documents, documents)
    )

    def matrix(texts: list[str], *, as_queries: bool) -> torch.Tensor:
        """One text at a time, so that nothing is padded; the mean is taken here, not by the encoder."""
        rows = []
        for text in texts:
            tokens = encoder.tokenizer.queries([text]) if as_queries else encoder.tokenizer.documents([text])
            states = encoder.transformer(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)[0][0]
            row = encoder.projection.weight @ states.mean(dim=0)
            rows.append(row / row.norm())
        return torch.stack(rows)

    with torch.no_grad():
        expected = matrix([*queries.values()], as_queries=True) @ matrix([*documents.values()], as_queries=False).T
    for query, row in zip(queries, expected.tolist(), strict=True):
        assert run[query] == pytest.approx(dict(zip(documents, row, strict=True)), abs=1e-5)
        assert list(run[query].values()) == sorted(run[query].values(), reverse=True)
    assert expected.std() > 0.01, "the encoder tells texts apart"


def test_vectors_of_different_dimensions_are_refused(encoder_folder: Path) -> None:
    eight, sixteen = (TokenEncoder.from_pretrained(encoder_folder, dimensions=d) for d in (8, 16))
    queries = encode(sixteen, sixteen.tokenizer.queries, {"q": "bara"})
    documents = encode(eight, eight.tokenizer.documents, {"a": "bara desil"})
    with pytest.raises(UserError, match="has 16 dimensions and the documents were encoded with 8") as caught:
        search(queries, documents)
    assert "\n" not in str(caught.value)
