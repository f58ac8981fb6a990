"""MaxSim against a loop over tokens."""

import torch

from clir_ot.models import maxsim as module
from clir_ot.models.maxsim import maxsim


def batch(seed: int, texts: int, longest: int) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(texts, longest, 8, generator=chance), dim=-1)
    lengths = torch.randint(1, longest + 1, (texts,), generator=chance)
    return vectors, torch.arange(longest)[None, :] < lengths[:, None]


def slowly(queries, documents, query_mask, document_mask) -> torch.Tensor:
    scores = torch.zeros(len(queries), len(documents))
    for q in range(len(queries)):
        for d in range(len(documents)):
            best = [max(float(a @ b) for b in documents[d][document_mask[d]]) for a in queries[q][query_mask[q]]]
            scores[q, d] = sum(best) / len(best)
    return scores


def test_scores_equal_a_loop_over_real_tokens() -> None:
    (queries, query_mask), (documents, document_mask) = batch(0, 5, 4), batch(1, 7, 6)
    found = maxsim(queries, documents, query_mask, document_mask)
    assert torch.allclose(found, slowly(queries, documents, query_mask, document_mask), atol=1e-6)


def test_a_pad_never_beats_a_token_of_negative_similarity() -> None:
    query, document = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[-1.0, 0.0], [0.0, 0.0]]])
    masks = torch.tensor([[True]]), torch.tensor([[True, False]])
    assert maxsim(query, document, *masks).item() == -1.0


def test_working_in_parts_changes_neither_scores_nor_gradients(monkeypatch) -> None:
    (queries, query_mask), (documents, document_mask) = batch(2, 5, 4), batch(3, 7, 6)
    results = []
    for limit in (module._MAX_SIMILARITIES, 1):
        monkeypatch.setattr(module, "_MAX_SIMILARITIES", limit)
        inputs = queries.clone().requires_grad_()
        scores = maxsim(inputs, documents, query_mask, document_mask)
        scores.square().sum().backward()
        results.append((scores.detach(), inputs.grad))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-6)
    assert torch.allclose(results[0][1], results[1][1], atol=1e-6)


def test_bfloat16_input_gives_float32_scores() -> None:
    (queries, query_mask), (documents, document_mask) = batch(4, 2, 3), batch(5, 2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = maxsim(queries.bfloat16(), documents.bfloat16(), query_mask, document_mask)
    assert scores.dtype == torch.float32
    exact = maxsim(queries.bfloat16().float(), documents.bfloat16().float(), query_mask, document_mask)
    assert torch.allclose(scores, exact, atol=1e-6)


def test_what_is_kept_for_the_gradient_is_bounded(monkeypatch) -> None:
    """Blocks are computed once more; the similarities of all of them would be Q B Lq Ld numbers."""

    def kept(texts: int) -> int:
        (queries, query_mask), (documents, document_mask) = batch(6, texts, 8), batch(7, texts, 8)
        sizes: dict[int, int] = {}

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            scores = maxsim(queries.requires_grad_(), documents.requires_grad_(), query_mask, document_mask)
        assert scores.requires_grad
        return sum(sizes.values())

    inputs = 64 * 8 * (8 * 4 + 1) * 2  # vectors and masks of both sides
    assert kept(64) > inputs + 4 * 64 * 64 * 8 * 8  # bytes of one block's similarities
    monkeypatch.setattr(module, "_MAX_SIMILARITIES", 4 * 64 * 8 * 8)
    assert kept(64) <= inputs + 4 * 4 * 64 * 8 * 8
