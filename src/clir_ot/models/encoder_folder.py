"""The encoder on disk: a Hugging Face folder, the projection beside it as sentence-transformers lays modules out.

```
config.json  model.safetensors  tokenizer.json ...      the transformer, as AutoModel and AutoTokenizer load it
modules.json                                            0 the transformer, 1 the projection
1_Dense/{config.json,model.safetensors}                 the projection
config_sentence_transformers.json                       prefixes and lengths
README.md                                               the model card, no part of the encoder
```

Of an encoder with one vector a text: 1_Pooling, mean or CLS; 2_Dense, the projection; 3_Normalize; and
sentence_bert_config.json, the lengths.

Other libraries read the same vectors: sentence-transformers 6 (`MultiVectorEncoder`; `SentenceTransformer` where a text
has one vector) and PyLate 1.6. Both know token vectors in PyLate's layout, in which the scoring mask and the
normalisation are no modules of their own.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clir_ot.files import remove_leftovers, replacing, sha256, write_text
from clir_ot.models.encoder_parts import Parts
from clir_ot.models.folder_files import read_object
from clir_ot.models.layout import Scoring
from clir_ot.models.pretrained import quietly
from clir_ot.models.projection import save_projection
from clir_ot.models.published_layouts import LENGTHS, SETTINGS, read_layout
from clir_ot.models.published_modules import MODULES

_PROJECTIONS: dict[Scoring, str] = {"late": "1_Dense", "dense": "2_Dense"}
CARD = "README.md"
# PyLate's layout. Its prefixes would be tokens of their own, which the pretrained vocabulary lacks: prompts are text.
# No token is left out or put in: all real ones are scored, special and prefix tokens included, as `Tokens.mask` says.
_LATE: dict[str, Any] = {
    "model_type": "ColBERT",
    "similarity_fn_name": "meanmaxsim",
    "query_prefix": "",
    "document_prefix": "",
    "do_query_expansion": False,
    "attend_to_expansion_tokens": False,
    "skiplist_words": [],
}
_DENSE: dict[str, Any] = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"}


@dataclass(frozen=True)
class FolderSettings:
    """How the encoder of a folder reads texts.

    Attributes:
        scoring: `late` or `dense`.
        query_prefix, document_prefix: before each text.
        query_length, document_length: in tokens, at most.
        portable: whether other libraries read the folder as `clir_ot` does; it was not so before folders had a card.
    """

    scoring: Scoring
    query_prefix: str
    document_prefix: str
    query_length: int
    document_length: int
    portable: bool


def read_settings(folder: Path) -> FolderSettings | None:
    """Of a folder that `save_parts` wrote, or of its copy from the hub; None of another encoder."""
    if not any((folder / place).is_dir() for place in _PROJECTIONS.values()) or not (folder / MODULES).is_file():
        return None
    settings = read_object(folder / SETTINGS)
    if any(field not in settings for field in LENGTHS):
        return None  # some sentence-transformers models have a 2_Dense too
    layout = read_layout(folder)
    layout.check(folder)
    before = layout.query_prefix, layout.document_prefix
    lengths = int(settings["query_length"]), int(settings["document_length"])
    return FolderSettings(layout.scoring or "late", *before, *lengths, portable="prompts" in settings)


def save_parts(folder: Path, parts: Parts, card: Callable[[Path], str] | None = None) -> None:
    """Write the folder described above.

    Args:
        card: makes the text of README.md, of the folder as it is then; none is written without.
    """
    with replacing(folder) as temporary, quietly():
        parts.transformer.save_pretrained(temporary)
        parts.tokenizer.tokenizer.save_pretrained(temporary)
        dense = _PROJECTIONS[parts.scoring]
        save_projection(temporary / dense, parts.projection, parts.activation)
        lengths = {field: getattr(parts.tokenizer, field) for field in LENGTHS}
        prompts = {"query": parts.tokenizer.query_prefix, "document": parts.tokenizer.document_prefix}
        modules = [("", "Transformer"), (dense, "Dense")]
        if parts.scoring == "late":
            # Its input and output are not named: PyLate refuses keys that it does not know, and both project tokens.
            settings = _LATE
        else:
            modules = [("", "Transformer"), ("1_Pooling", "Pooling"), (dense, "Dense"), ("3_Normalize", "Normalize")]
            (temporary / "1_Pooling").mkdir()
            mode = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}[parts.pooling]
            pooling = {"word_embedding_dimension": parts.projection.in_features, mode: True}
            _write_json(temporary / "1_Pooling" / "config.json", pooling)
            (temporary / "3_Normalize").mkdir()
            _write_json(temporary / "3_Normalize" / "config.json", {})
            _write_json(temporary / "sentence_bert_config.json", lengths)
            settings = _DENSE
        listed = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ]
        _write_json(temporary / MODULES, listed)
        _write_json(temporary / SETTINGS, {**settings, "prompts": prompts, **lengths})
        if card:
            (temporary / CARD).write_text(card(temporary), encoding="utf-8")


def write_card(folder: Path, text: str) -> None:
    """Put the card in the place of the one that is there, whole or not at all; the fingerprint stays the same."""
    remove_leftovers(folder / CARD)
    write_text(folder / CARD, text)


def fingerprint(name: str | Path) -> str:
    """SHA-256 (16 hex digits) over the names and bytes of an encoder's files; of a hub model its name.

    The card of a saved encoder does not count: it changes with every evaluation. Nor do hidden files and folders, which
    systems and downloads leave (`.DS_Store`, `.cache/huggingface`).
    """
    folder = Path(name)
    if not folder.is_dir():
        return str(name)
    has_card = read_settings(folder) is not None
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder)
        if (has_card and place.parts[0] == CARD) or any(part.startswith(".") for part in place.parts):
            continue
        digest.update(f"{place.as_posix()} {sha256(path).hex()}\n".encode())
    return digest.hexdigest()[:16]


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
