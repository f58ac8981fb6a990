"""The encoder on disk: a Hugging Face folder, the projection beside it as sentence-transformers lays modules out.

```
config.json  model.safetensors  tokenizer.json ...      the transformer, as AutoModel and AutoTokenizer load it
modules.json                                            0 the transformer, 1 the projection
1_Dense/{config.json,model.safetensors}                 the projection
config_sentence_transformers.json                       prefixes and lengths
```

Of an encoder with one vector a text: 1_Pooling, the mean; 2_Dense, the projection; 3_Normalize.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError
from clir_ot.files import replacing

Scoring = Literal["late", "dense"]

_PROJECTIONS: dict[Scoring, str] = {"late": "1_Dense", "dense": "2_Dense"}
_SETTINGS = "config_sentence_transformers.json"
_FIELDS = ("query_prefix", "document_prefix", "query_length", "document_length")


def load_parts(
    name: str | Path,
    dimensions: int,
    query_prefix: str,
    document_prefix: str,
    query_length: int,
    document_length: int,
    scoring: Scoring,
) -> tuple[Any, nn.Linear, TextTokenizer, Scoring]:
    """Transformer, projection, tokenizer and scoring of a folder or hub model; see `TokenEncoder.from_pretrained`."""
    from transformers import AutoTokenizer

    transformer = _load_transformer(name)
    tokenizer = TextTokenizer(
        AutoTokenizer.from_pretrained(name), query_prefix, document_prefix, query_length, document_length
    )
    folder = Path(name)
    for saved, place in _PROJECTIONS.items():
        if (folder / place).is_dir():
            settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
            tokenizer = replace(tokenizer, **{field: settings[field] for field in _FIELDS})
            return transformer, _load_projection(folder / place), tokenizer, saved
    projection = nn.Linear(transformer.config.hidden_size, dimensions, bias=False)
    # Orthonormal rows keep the angles between pretrained token vectors better than torch's default does.
    nn.init.orthogonal_(projection.weight)
    return transformer, projection, tokenizer, scoring


def save_parts(
    folder: Path, transformer: Any, projection: nn.Linear, tokenizer: TextTokenizer, scoring: Scoring
) -> None:
    """Write the folder described above."""
    from safetensors.torch import save_file

    with replacing(folder) as temporary, quietly():
        transformer.save_pretrained(temporary)
        tokenizer.tokenizer.save_pretrained(temporary)
        dense = temporary / _PROJECTIONS[scoring]
        dense.mkdir()
        save_file({"linear.weight": projection.weight.detach().cpu().contiguous()}, dense / "model.safetensors")
        shape = {
            "in_features": projection.in_features,
            "out_features": projection.out_features,
            "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity",
        }
        modules = [("", "Transformer"), (dense.name, "Dense")]
        if scoring == "late":
            shape |= {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
        else:
            modules = [
                ("", "Transformer"),
                ("1_Pooling", "Pooling"),
                (dense.name, "Dense"),
                ("3_Normalize", "Normalize"),
            ]
            (temporary / "1_Pooling").mkdir()
            pooling = {"word_embedding_dimension": projection.in_features, "pooling_mode_mean_tokens": True}
            _write_json(temporary / "1_Pooling" / "config.json", pooling)
            (temporary / "3_Normalize").mkdir()
        _write_json(dense / "config.json", shape)
        listed = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ]
        _write_json(temporary / "modules.json", listed)
        settings = {field: getattr(tokenizer, field) for field in _FIELDS}
        similarity = "MaxSim" if scoring == "late" else "cosine"
        _write_json(temporary / _SETTINGS, settings | {"similarity_fn_name": similarity})


def fingerprint(name: str | Path) -> str:
    """SHA-256 (16 hex digits) over the names and bytes of an encoder's files; of a hub model its name."""
    folder = Path(name)
    if not folder.is_dir():
        return str(name)
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            digest.update(
                f"{path.relative_to(folder).as_posix()} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return digest.hexdigest()[:16]


def _load_transformer(name: str | Path) -> Any:
    from transformers import AutoModel

    try:
        with quietly():
            transformer, report = AutoModel.from_pretrained(name, output_loading_info=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{name}: no encoder there, neither a Hugging Face folder nor a hub name ({reason})") from error
    # Late interaction reads token states; a pooler would be a random, unused layer (and DDP refuses unused ones).
    transformer.pooler = None
    if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler")):
        raise UserError(f"{name}: the weights lack {len(missing)} tensor(s), {missing[0]} first; is the folder whole?")
    return transformer


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' bars and its report on missing weights, which is checked here."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _load_projection(folder: Path) -> nn.Linear:
    from safetensors.torch import load_file

    weight = load_file(folder / "model.safetensors")["linear.weight"]  # (D, H)
    projection = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    projection.weight.data.copy_(weight)
    return projection


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
