"""A tiny random model of every family: read as transformers reads it, trained, saved; or refused in one line."""

import io
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
import transformers
from transformers import AutoModel, AutoTokenizer

from clir_ot import TokenEncoder
from clir_ot.errors import UserError

POSITIONS = 40
WORDS = 127  # of the tokenizer
COMMON = {"vocab_size": WORDS, "pad_token_id": 0}
BERT = COMMON | {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": POSITIONS,
}  # fmt: skip
T5 = COMMON | {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_heads": 2}
BART = COMMON | {
    "d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
}  # fmt: skip
DISTIL = COMMON | {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64, "max_position_embeddings": POSITIONS}
DISENTANGLED = BERT | {
    "relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8,
    "share_att_key": True, "norm_rel_ebd": "layer_norm",
}  # fmt: skip
GEMMA = BERT | {"num_key_value_heads": 2, "head_dim": 16}
VIT = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 32,
    "patch_size": 16,
}  # fmt: skip
slow = pytest.mark.slow


# Configuration, its values, class that writes the folder (AutoModel's where None), tokens that it reads.
READ = [
    pytest.param("XLMRobertaConfig", BERT | {"pad_token_id": 1}, "XLMRobertaForMaskedLM", 38, id="xlm-roberta"),
    pytest.param("DistilBertConfig", DISTIL, None, 40, id="distilbert"),
    pytest.param("DebertaV2Config", DISENTANGLED, None, 40, id="deberta-v2"),
    pytest.param(
        "ModernBertConfig", BERT | {"global_attn_every_n_layers": 2, "local_attention": 8}, None, 40, id="modernbert"
    ),
    pytest.param("MT5Config", T5, "MT5ForConditionalGeneration", None, id="mt5"),
    pytest.param("T5Config", T5, "T5EncoderModel", None, id="t5-encoder"),
    pytest.param("BertConfig", BERT, "BertForSequenceClassification", 40, id="bert", marks=slow),
    pytest.param("T5Config", T5, "T5ForConditionalGeneration", None, id="t5", marks=slow),
    pytest.param("UMT5Config", T5, "UMT5EncoderModel", None, id="umt5-encoder", marks=slow),
    pytest.param("RobertaConfig", BERT | {"pad_token_id": 1}, None, 38, id="roberta", marks=slow),
    pytest.param("CamembertConfig", BERT | {"pad_token_id": 1}, None, 38, id="camembert", marks=slow),
    pytest.param(
        "XmodConfig", BERT | {"pad_token_id": 1, "languages": ["en_XX"], "default_language": "en_XX"}, None, 38,
        id="xmod", marks=slow,
    ),
    pytest.param("MPNetConfig", BERT | {"pad_token_id": 1}, None, 38, id="mpnet", marks=slow),
    pytest.param("AlbertConfig", BERT | {"embedding_size": 16}, None, 40, id="albert", marks=slow),
    pytest.param("ElectraConfig", BERT | {"embedding_size": 16}, None, 40, id="electra", marks=slow),
    pytest.param("DebertaV2Config", DISENTANGLED, "DebertaV2ForMaskedLM", 40, id="deberta-v2-mlm", marks=slow),
    pytest.param("RemBertConfig", BERT | {"input_embedding_size": 16}, None, 40, id="rembert", marks=slow),
    pytest.param("NomicBertConfig", BERT, None, 40, id="nomic-bert", marks=slow),
    pytest.param("EuroBertConfig", BERT | {"num_key_value_heads": 2}, None, 40, id="eurobert", marks=slow),
    pytest.param(
        "Gemma3TextConfig", GEMMA | {"use_bidirectional_attention": True}, None, 40, id="embedding-gemma", marks=slow
    ),
]  # fmt: skip

DECODER = "Model is a decoder: its tokens do not know what follows them; choose an encoder"
REFUSED = [
    pytest.param("M2M100Config", BART, "an encoder-decoder (m2m_100); clir-ot reads T5's kin alone", id="nllb"),
    pytest.param("MBartConfig", BART, "an encoder-decoder (mbart); clir-ot reads T5's kin alone", id="mbart"),
    pytest.param("GPT2Config", COMMON | {"n_embd": 32, "n_layer": 1, "n_head": 2}, f"GPT2{DECODER}", id="gpt2"),
    pytest.param("LlamaConfig", GEMMA, f"Llama{DECODER}", id="llama"),
    pytest.param("Gemma3TextConfig", GEMMA, f"Gemma3Text{DECODER}", id="gemma"),
    pytest.param("BertConfig", BERT | {"is_decoder": True}, f"Bert{DECODER}", id="bert-decoder"),
    pytest.param("ViTConfig", VIT, "ViTModel does not give a state for every token of a text (", id="vit"),
    pytest.param("CLIPConfig", {}, "CLIPModel does not give a state for every token of a text (", id="clip"),
    pytest.param(
        "XmodConfig", BERT | {"languages": ["en_XX"]},
        "XmodModel does not give a state for every token of a text (Input language unknown.", id="xmod-no-language",
    ),
]  # fmt: skip


def write(folder: Path, tokenizer: Any, config: str, values: dict[str, Any], kind: str | None = None) -> Any:
    torch.manual_seed(0)
    if config == "CLIPConfig":
        values = {"text_config": BERT, "vision_config": VIT, "projection_dim": 16}
    made = getattr(transformers, config)(**values)
    model = getattr(transformers, kind)(made) if kind else AutoModel.from_config(made)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


@pytest.fixture(scope="module")
def tokenizer(encoder_folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(encoder_folder)


@pytest.mark.parametrize(("config", "values", "kind", "longest"), READ)
def test_a_family_is_read_trained_and_saved(
    tokenizer: Any, tmp_path: Path, config: str, values: dict[str, Any], kind: str | None, longest: int | None
) -> None:
    model = write(tmp_path / "base", tokenizer, config, values, kind)
    plain = model.get_encoder() if "T5" in config else model.base_model
    length = longest or 50
    encoder = TokenEncoder.from_pretrained(tmp_path / "base", dimensions=8, query_length=length, document_length=length)
    texts = ["bara desil fitem", "govu", "lamra " * 60, "desil fitem " * 14, "govu bara " * 12, "bara " * 26]
    tokens = encoder.eval().tokenizer.queries(texts)
    assert tokens.lengths[2] == length
    with torch.no_grad():
        states = encoder._hidden(tokens)
        for row, text in enumerate(texts):
            alone = tokenizer(text, return_tensors="pt", truncation=True, max_length=length)
            ids = {"input_ids": alone.input_ids, "attention_mask": alone.attention_mask}
            expected = plain(**ids).last_hidden_state[0]
            assert (states[row, : len(expected)] - expected).abs().max() < 1e-5
    if longest:
        with pytest.raises(UserError, match=rf"model.query_length is {longest + 1}; .* reads {longest} tokens at most"):
            TokenEncoder.from_pretrained(tmp_path / "base", dimensions=8, query_length=longest + 1, document_length=9)

    before = encoder.projection.weight.detach().clone()
    optimizer = torch.optim.AdamW(encoder.train().parameters(), lr=1e-3)
    encoder(tokens)[..., 0].sum().backward()
    assert [name for name, parameter in encoder.named_parameters() if parameter.grad is None] == []
    optimizer.step()
    assert not torch.equal(encoder.projection.weight, before)
    encoder.save_pretrained(tmp_path / "saved")
    loaded = TokenEncoder.from_pretrained(tmp_path / "saved").eval()
    with torch.no_grad():
        assert torch.equal(loaded(loaded.tokenizer.queries(texts)), encoder.eval()(tokens))


@pytest.mark.parametrize(("config", "values", "said"), REFUSED)
def test_what_is_no_encoder_of_texts_is_one_line(
    tokenizer: Any, tmp_path: Path, config: str, values: dict[str, Any], said: str
) -> None:
    write(tmp_path / "base", tokenizer, config, values)
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(tmp_path / "base", dimensions=8)
    assert str(caught.value).startswith(f"{tmp_path / 'base'}: {said}")
    assert "\n" not in str(caught.value)


def test_a_sentencepiece_model_alone_is_converted(tmp_path: Path) -> None:
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["bara desil fitem govu kuzo lamra"] * 40), model_writer=pieces, vocab_size=30,
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    torch.manual_seed(0)
    config = transformers.XLMRobertaConfig(**BERT | {"pad_token_id": 1})
    AutoModel.from_config(config).save_pretrained(tmp_path / "base")
    (tmp_path / "base" / "sentencepiece.bpe.model").write_bytes(pieces.getvalue())
    encoder = TokenEncoder.from_pretrained(tmp_path / "base", dimensions=8, query_length=30, document_length=30)
    tokens = encoder.tokenizer.queries(["bara govu", "kuzo"])
    reference = sentencepiece.SentencePieceProcessor(model_proto=pieces.getvalue())
    hf = encoder.tokenizer.tokenizer
    for row, text in enumerate(["bara govu", "kuzo"]):
        found = hf.convert_ids_to_tokens(tokens.input_ids[row][tokens.mask[row]].tolist())
        assert found == ["<s>", *reference.encode(text, out_type=str), "</s>"]
        assert int(tokens.content[row].sum()) == len(found) - 2


def test_a_tokenizer_that_does_not_know_places_is_one_line(tmp_path: Path) -> None:
    transformers.T5EncoderModel(transformers.T5Config(**T5 | {"vocab_size": 384})).save_pretrained(tmp_path / "base")
    transformers.ByT5Tokenizer().save_pretrained(tmp_path / "base")
    with pytest.raises(UserError, match=r"ByT5Tokenizer does not say where its tokens lie in the text; save"):
        TokenEncoder.from_pretrained(tmp_path / "base", dimensions=8)
