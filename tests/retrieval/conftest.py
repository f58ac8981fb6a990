"""A tiny encoder with a saved projection, and tiny random translation models of every family."""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    NllbTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from clir_ot.retrieval.codecs import new_codec
from clir_ot.retrieval.index_folder import Facts, StoredIndex, open_folder, write_codec
from clir_ot.retrieval.token_index import TokenIndex

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
SIZE = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
SIZE |= {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "d_model": 32, "max_position_embeddings": 96}
# Far from 0, so that what a random model says depends on what it reads.
SPREAD = {"init_std": 0.7, "tie_word_embeddings": False}


@pytest.fixture(scope="session")
def translator_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a model of a family, `nllb`, `m2m100`, `marian` or `madlad`, as the hub has it."""
    place = tmp_path_factory.mktemp("translators")

    def make(family: str, **options: Any) -> Path:
        folder = place / "-".join([family, *map(str, options.values())])
        if not folder.is_dir():
            torch.manual_seed(1)
            {"nllb": _nllb, "m2m100": _m2m100, "marian": _marian, "madlad": _madlad}[family](folder, **options)
        return folder

    return make


def _nllb(folder: Path) -> None:
    vocabulary = {piece: i for i, piece in enumerate([*SPECIAL, "▁", *"abcdefghijklmnopqrstuvwxyzọẹṣ"])}
    tokenizer = NllbTokenizer(vocab=vocabulary, merges=[])
    _save_m2m100(folder, tokenizer, len(tokenizer), [0, 1, 3, *range(len(vocabulary), len(tokenizer))])


def _m2m100(folder: Path) -> None:
    pieces = _sentencepiece(folder / "sentencepiece.bpe.model")
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate([*SPECIAL, *pieces])}))
    tokenizer = M2M100Tokenizer(folder / "vocab.json", folder / "sentencepiece.bpe.model")
    words = len(SPECIAL) + len(pieces)
    size = words + 100 + tokenizer.num_madeup_words
    _save_m2m100(folder, tokenizer, size, [0, 1, 3, *range(words, size)])


def _save_m2m100(folder: Path, tokenizer: Any, size: int, silent: list[int]) -> None:
    config = M2M100Config(vocab_size=size, decoder_start_token_id=2, **SIZE, **SPREAD)
    _save_model(M2M100ForConditionalGeneration(config), folder, silent)
    tokenizer.save_pretrained(folder)


def _marian(folder: Path, source: str = "yo", target: str = "en", targets: str = "") -> None:
    """`targets`: languages that a token before the text chooses among, such as `eng fra`."""
    pieces = _sentencepiece(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    pieces = ["</s>", "<unk>", *(f">>{code}<<" for code in targets.split()), *pieces, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: i for i, piece in enumerate(pieces)}))
    files = {"source_spm": folder / "source.spm", "target_spm": folder / "target.spm", "vocab": folder / "vocab.json"}
    tokenizer = MarianTokenizer(
        **{name: str(path) for name, path in files.items()}, source_lang=source, target_lang=target
    )
    pad = len(pieces) - 1
    ends = {"eos_token_id": 0, "forced_eos_token_id": 0, "pad_token_id": pad, "decoder_start_token_id": pad}
    config = MarianConfig(vocab_size=len(pieces), **ends, **SIZE, **SPREAD)
    _save_model(MarianMTModel(config), folder, [1, pad])
    tokenizer.save_pretrained(folder)


def _madlad(folder: Path) -> None:
    """A T5 model with MADLAD-400's token for English; its SentencePiece replaced by single letters."""
    vocabulary = {
        piece: i for i, piece in enumerate(["<pad>", "</s>", "<unk>", "<2en>", "▁", *"abcdefghijklmnopqrstuvwxyz"])
    }
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=["<2en>"],
    )
    config = T5Config(
        vocab_size=len(vocabulary), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2, initializer_factor=3.0,
        decoder_start_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    _save_model(T5ForConditionalGeneration(config), folder, [0, 2, 3])
    fast.save_pretrained(folder)


def _save_model(model: Any, folder: Path, silent: list[int]) -> None:
    """Write a model that never says some of its tokens, and listens to the encoder more than to itself."""
    with torch.no_grad():
        model.lm_head.weight[silent] = 0.0
        for name, weight in model.named_parameters():
            if name.endswith(("encoder_attn.out_proj.weight", "EncDecAttention.o.weight")):
                weight *= 8.0
    model.save_pretrained(folder)


def _sentencepiece(path: Path) -> list[str]:
    """Train a model on a few words, write it, and give its pieces, special ones left out."""
    path.parent.mkdir(parents=True)
    sentences = [f"yo {a}{b} oro {b}{a}" for a in ("ba", "de", "fi", "go") for b in ("ra", "sil", "tem", "vu", "zo")]
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_writer=trained, vocab_size=60, hard_vocab_limit=False,
        model_type="bpe", minloglevel=2,
    )  # fmt: skip
    path.write_bytes(trained.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [processor.id_to_piece(i) for i in range(3, len(processor))]


def _texts(prefix: str, lengths: Sequence[int], vectors: torch.Tensor) -> TokenIndex:
    return TokenIndex([f"{prefix}{i:03}" for i in range(len(lengths))], torch.tensor(lengths), vectors)


def _clustered(queries: int, documents: int) -> tuple[TokenIndex, TokenIndex]:
    """Documents of 10 unit vectors around 12 centres, as a word's in many texts; queries like 6 of a document's."""
    chance = torch.Generator().manual_seed(5)
    centres = torch.randn(12, 32, generator=chance)
    of = centres[torch.randint(12, (10 * documents,), generator=chance)]
    vectors = F.normalize(of + 0.3 * torch.randn(len(of), 32, generator=chance), dim=-1)
    asked = vectors.view(documents, 10, 32)[torch.arange(queries) * 7 % documents, :6].flatten(end_dim=1)
    near = F.normalize(asked + 0.1 * torch.randn(len(asked), 32, generator=chance), dim=-1)
    return _texts("q", [6] * queries, near), _texts("d", [10] * documents, vectors)


def _stored(folder: Path, index: TokenIndex, precision: str = "float32", shard: int = 7) -> StoredIndex:
    """The texts in an index folder, read back."""
    codec = new_codec(precision, lambda: (index.vectors, len(index.vectors)))
    folder.mkdir()
    write_codec(folder, codec)
    facts = Facts("e", "p", "c", "en", precision, len(index), index.dimensions, shard)
    facts.write(folder)
    made = StoredIndex(folder, facts, codec)
    for number in range(len(made.paths())):
        made.write(number, index.select(index.ids[number * shard : (number + 1) * shard]))
    return open_folder(folder)


@pytest.fixture(scope="session")
def clustered() -> Callable[..., tuple[TokenIndex, TokenIndex]]:
    """Makes queries and documents of unit vectors."""
    return _clustered


@pytest.fixture(scope="session")
def stored() -> Callable[..., StoredIndex]:
    """Writes texts into an index folder, and reads it."""
    return _stored
