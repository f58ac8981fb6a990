"""The E5S1 conversion, on a file written here by the format's description."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from clir_ot.errors import UserError
from clir_ot.sources.starter_encoder import dequantize_q4_0, read_e5s1, write_encoder

HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS = 32, 2, 2, 64, 40, 16


def quantize(weights: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Q4_0 bytes of float weights, and the weights they stand for."""
    data, values = b"", []
    for block in weights.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        q = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        data += scale.tobytes() + bytes(int(low) | int(high) << 4 for low, high in zip(q[:16], q[16:], strict=True))
        values.append((q.astype(np.float32) - 8) * np.float32(scale))
    return data, np.concatenate(values)


def e5s1_file() -> tuple[bytes, dict[str, np.ndarray]]:
    chance = np.random.default_rng(0)
    shapes = {"emb.word": (VOCABULARY, HIDDEN), "emb.pos": (POSITIONS, HIDDEN), "emb.type": (2, HIDDEN)}
    shapes |= {"emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao"):
            shapes |= {f"l{layer}.{part}.w": (HIDDEN, HIDDEN), f"l{layer}.{part}.b": (HIDDEN,)}
        shapes |= {f"l{layer}.fi.w": (FEED_FORWARD, HIDDEN), f"l{layer}.fi.b": (FEED_FORWARD,)}
        shapes |= {f"l{layer}.fo.w": (HIDDEN, FEED_FORWARD), f"l{layer}.fo.b": (HIDDEN,)}
        shapes |= {f"l{layer}.{norm}.{kind}": (HIDDEN,) for norm in ("aln", "oln") for kind in "wb"}
    expected, blobs, kinds = {}, {}, {}
    for name, shape in shapes.items():
        values = chance.normal(size=shape).astype(np.float32)
        rounded = name == "emb.word" or (len(shape) == 2 and name[0] == "l")
        kinds[name] = int(rounded)
        if rounded:
            blobs[name], flat = quantize(values)
            expected[name] = flat.reshape(shape)
        else:
            blobs[name], expected[name] = values.tobytes(), values
    header = b"E5S1" + struct.pack("<I", 1)
    header += struct.pack("<7i", HIDDEN, LAYERS, HEADS, FEED_FORWARD, VOCABULARY, POSITIONS, 2)
    header += struct.pack("<fi", 1e-12, 32)
    pieces = [b"<s>", b"<pad>", b"</s>", b"a"]
    header += struct.pack("<5i", len(pieces), 0, 2, 1, 3) + struct.pack("<Q", sum(map(len, pieces)))
    header += struct.pack(f"<{len(pieces) + 1}I", *np.cumsum([0, *map(len, pieces)]))
    header += struct.pack(f"<{len(pieces)}f", *range(len(pieces))) + b"".join(pieces)
    header += struct.pack("<iI", 1, 5) + b"norms" + struct.pack("<i", len(shapes))
    directory = sum(2 + len(name) + 21 for name in shapes)
    offset, entries = len(header) + directory, b""
    for name, shape in shapes.items():
        entries += struct.pack("<H", len(name)) + name.encode()
        entries += struct.pack("<BIQQ", kinds[name], int(np.prod(shape)), offset, len(blobs[name]))
        offset += len(blobs[name])
    return header + entries + b"".join(blobs.values()), expected


def test_a_block_is_read_as_the_format_says() -> None:
    block = np.float16(0.5).tobytes() + bytes([0x98] * 15 + [0xF0])
    values = dequantize_q4_0(np.frombuffer(block, np.uint8))
    # Low nibbles are the first half: 8 -> 0, last 0 -> -4; high nibbles the second: 9 -> 0.5, last 15 -> 3.5.
    assert values.tolist() == [0.0] * 15 + [-4.0] + [0.5] * 15 + [3.5]


def test_automodel_loads_every_weight(tmp_path: Path) -> None:
    data, expected = e5s1_file()
    write_encoder(data, tmp_path)
    model, report = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert torch.equal(model.embeddings.word_embeddings.weight, torch.from_numpy(expected["emb.word"]))
    layer = model.encoder.layer[1]
    for module, name in (
        (layer.attention.self.query, "l1.q"),
        (layer.attention.self.value, "l1.v"),
        (layer.attention.output.dense, "l1.ao"),
        (layer.attention.output.LayerNorm, "l1.aln"),
        (layer.intermediate.dense, "l1.fi"),
        (layer.output.dense, "l1.fo"),
        (layer.output.LayerNorm, "l1.oln"),
    ):
        assert torch.equal(module.weight, torch.from_numpy(expected[f"{name}.w"]))
        assert torch.equal(module.bias, torch.from_numpy(expected[f"{name}.b"]))
    assert json.loads((tmp_path / "config.json").read_text())["num_attention_heads"] == HEADS


@pytest.mark.parametrize("data", [b"GGUF" + b"\0" * 60, b"E5S1\2\0\0\0" + b"\0" * 60])
def test_another_format_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match="E5S1 file of version 1"):
        read_e5s1(data)
