from pathlib import Path

from transformers import AutoTokenizer

from clir_ot.data.tokenizer import TextTokenizer


def test_content_is_the_text_without_prefix_special_tokens_and_padding(encoder_folder: Path) -> None:
    tokenizer = TextTokenizer(AutoTokenizer.from_pretrained(encoder_folder), "query: ", "", query_length=8)
    tokens = tokenizer.queries(["bara desil", "bara", "bara desil fitem govu kuzo lamra"])
    pieces = [tokenizer.tokenizer.convert_ids_to_tokens(row.tolist()) for row in tokens.input_ids]
    assert pieces[0] == ["[CLS]", "query", ":", "bara", "desil", "[SEP]", "[PAD]", "[PAD]"]
    assert pieces[2] == ["[CLS]", "query", ":", "bara", "desil", "fitem", "govu", "[SEP]"]
    assert [[p for p, keep in zip(*row, strict=True) if keep] for row in zip(pieces, tokens.content, strict=True)] == [
        ["bara", "desil"],
        ["bara"],
        ["bara", "desil", "fitem", "govu"],
    ]
    assert tokens.mask.sum(dim=1).tolist() == [6, 5, 8]
