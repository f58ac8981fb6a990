"""Saving and loading, unit vectors, padding, what is frozen."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from clir_ot import TokenEncoder
from clir_ot.errors import UserError


@pytest.fixture
def encoder(encoder_folder: Path) -> TokenEncoder:
    torch.manual_seed(1)
    return TokenEncoder.from_pretrained(
        encoder_folder, dimensions=8, query_prefix="query: ", document_prefix="passage: ", query_length=12
    ).eval()


def test_vectors_have_unit_length_and_ignore_padding(encoder: TokenEncoder) -> None:
    short, long = "bara desil", "bara desil fitem govu kuzo lamra mensil"
    together = encoder(encoder.tokenizer.queries([short, long]))
    tokens = encoder.tokenizer.queries([short])
    alone = encoder(tokens)
    assert together.shape[2] == 8
    mask = encoder.tokenizer.queries([short, long]).mask
    assert torch.allclose(together.norm(dim=-1), mask.float(), atol=1e-6)
    assert torch.allclose(together[0, : tokens.input_ids.shape[1]], alone[0], atol=1e-5)


def test_texts_of_like_length_are_read_together(encoder: TokenEncoder) -> None:
    texts = ["bara " * n for n in (2, 8, 8, 1, 7, 2, 8)]
    tokens = encoder.tokenizer.queries(texts)
    read = []
    encoder.transformer.register_forward_pre_hook(
        lambda module, arguments, kwargs: read.append(kwargs["attention_mask"]), with_kwargs=True
    )
    together = encoder(tokens)
    assert sum(int(mask.sum()) for mask in read) == int(tokens.attention_mask.sum())
    assert sum(mask.numel() for mask in read) < int(tokens.attention_mask.sum()) / 0.9
    assert 1 < len(read) < 5
    for row, text in enumerate(texts):
        alone = encoder(encoder.tokenizer.queries([text]))
        assert torch.allclose(together[row, : alone.shape[1]], alone[0], atol=1e-5)


def test_prefix_and_length_are_those_of_the_kind(encoder: TokenEncoder) -> None:
    queries, documents = (
        encoder.tokenizer.queries(["bara " * 40]),
        encoder.tokenizer.documents(["bara " * 40]),
    )
    assert queries.input_ids.shape == (1, 12)
    assert documents.input_ids.shape == (1, 44)  # [CLS] passage : 40 words [SEP]
    assert queries.input_ids[0, 1] != documents.input_ids[0, 1]


def test_a_saved_encoder_gives_the_same_vectors(encoder: TokenEncoder, tmp_path: Path) -> None:
    encoder.save_pretrained(tmp_path / "saved")
    loaded = TokenEncoder.from_pretrained(tmp_path / "saved").eval()
    text = ["bara desil fitem"]
    assert torch.equal(loaded(loaded.tokenizer.queries(text)), encoder(encoder.tokenizer.queries(text)))
    assert loaded.tokenizer.query_length == 12


def test_plain_transformers_loads_the_folder(encoder: TokenEncoder, tmp_path: Path) -> None:
    encoder.save_pretrained(tmp_path / "saved")
    model = AutoModel.from_pretrained(tmp_path / "saved", add_pooling_layer=False).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "saved")
    found = model(**tokenizer("query: bara desil", return_tensors="pt")).last_hidden_state
    tokens = encoder.tokenizer.queries(["bara desil"])
    ours = encoder.transformer(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
    assert torch.allclose(found, ours, atol=1e-6)


def test_freezing_stops_exactly_those_gradients(encoder: TokenEncoder) -> None:
    encoder.freeze(word_embeddings=True, layers=1)
    encoder(encoder.tokenizer.queries(["bara desil"])).sum().backward()
    trained = {name for name, parameter in encoder.named_parameters() if parameter.grad is not None}
    assert "projection.weight" in trained
    assert any(".layer.1." in name for name in trained)
    assert not any(".layer.0." in name or "embeddings" in name for name in trained)


def test_more_frozen_layers_than_there_are_is_refused(encoder: TokenEncoder) -> None:
    with pytest.raises(UserError, match="the encoder has 2 layers"):
        encoder.freeze(word_embeddings=True, layers=3)


def test_a_folder_without_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no encoder there") as caught:
        TokenEncoder.from_pretrained(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_dense_encoder_gives_a_text_the_projection_of_its_mean_state(encoder_folder: Path, tmp_path: Path) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring="dense").eval()
    tokens = encoder.tokenizer.queries(["bara desil fitem", "govu"])
    with torch.no_grad():
        vectors, mask = encoder.vectors(tokens)
        states = encoder.transformer(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask).last_hidden_state
        means = torch.stack(
            [row[: int(n)].mean(0) for row, n in zip(states, tokens.attention_mask.sum(1), strict=True)]
        )
        expected = torch.nn.functional.normalize(means @ encoder.projection.weight.T, dim=-1)
    assert vectors.shape == (2, 1, 8)
    assert mask.all()
    assert torch.allclose(vectors[:, 0], expected, atol=1e-6)
    encoder.save_pretrained(tmp_path / "dense")
    again = TokenEncoder.from_pretrained(tmp_path / "dense").eval()
    assert again.scoring == "dense"
    with torch.no_grad():
        assert torch.equal(again.vectors(tokens)[0], vectors)


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_chunks_have_the_same_gradient_and_keep_less(encoder_folder: Path, scoring: str) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring=scoring).eval().double()
    tokens = encoder.tokenizer.queries(["bara desil fitem", "govu", "kuzo lamra mensil norvu", "bara", "desil govu"])
    goal = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = []
    for chunk in (None, 2):
        kept = 0

        def count(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal kept
            kept += tensor.nelement()
            return tensor

        encoder.zero_grad()
        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            vectors, mask = encoder.vectors(tokens, chunk)
            held = kept
        ((vectors[:, 0] @ vectors[:, 0].T) * goal).sum().backward()
        gradient = torch.cat([p.grad.flatten() for p in encoder.parameters() if p.grad is not None])
        found.append((vectors.detach(), mask, gradient, held))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.equal(found[0][1], found[1][1])
    assert (found[0][2] - found[1][2]).norm() / found[0][2].norm() < 1e-9
    assert found[1][3] < found[0][3] / 10
