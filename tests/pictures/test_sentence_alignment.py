"""Labels, entropy and the table."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.pictures.sentence_alignment import SentenceAlignment, plan_entropy, render, token_labels


def labels(pieces: list[str], model: object = None, decoder: object = None) -> list[str]:
    """Of all these pieces, `<s>` being special."""
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate([*pieces, "[UNK]"])}, unk_token="[UNK]"))
    if decoder is not None:
        tokenizer.decoder = decoder
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")
    ids = torch.arange(len(pieces))
    return token_labels(TextTokenizer(fast), ids, torch.tensor([piece != "<s>" for piece in pieces]))


def test_sentencepiece_marks_are_made_readable() -> None:
    pieces = ["<s>", "▁Pa", "▁r", "ẹ", "\u0301", "▁", "\u093eतून", ",", "▁$5"]
    assert labels(pieces) == ["Pa", "r", "-ẹ", "-\u25cc\u0301", "\u2423", "-\u25cc\u093eतून", ",", "$5"]


def test_decomposed_letters_are_composed() -> None:
    assert labels(["<s>", "▁e\u0323\u0301"]) == ["ẹ\u0301"]


def test_wordpiece_and_byte_level_pieces() -> None:
    assert labels(["learn", "##er", "."]) == ["learn", "-er", "."]
    letter = "".join(pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str("ẹ")[0][0])
    assert labels(["Pa", "Ġr", letter], decoder=decoders.ByteLevel()) == ["Pa", "r", "-ẹ"]


@pytest.mark.parametrize(
    ("plan", "expected"),
    [(np.ones((3, 5)), 1.0), (np.eye(4), 0.5), ([[0.0, 2.0], [0.0, 0.0]], 0.0), ([[0.3]], 0.0)],
)
def test_entropy(plan: object, expected: float) -> None:
    assert plan_entropy(np.asarray(plan)) == pytest.approx(expected)


def test_the_table_is_aligned_and_counts_small_pairs_in_one_line() -> None:
    plan = np.array([[0.6, 0.001], [0.002, 0.397]])
    cosine = np.array([[0.9, 0.1], [-0.2, 0.8]])
    alignment = SentenceAlignment(plan, cosine, ["ẹ́gbọ́n", "b"], ["या", "y"], 0.1, 0.0, 0.5)
    assert sum(pair.share for pair in alignment.pairs()) == pytest.approx(1)
    first, one, two, rest = render(alignment, ("English", "Yoruba")).splitlines()[:4]
    assert one == "  60.0%   0.900  ẹ́gbọ́n    या"
    assert two == "  39.7%   0.800  b        y"
    assert first.index("Yoruba") == two.index("y")
    assert rest.split() == ["0.3%", "in", "2", "more", "pairs"]
