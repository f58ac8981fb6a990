"""Encoded documents on disk: encoded once, searched by the teacher and all its students.

```
index.json            what was encoded, by what, how much of it
ids.json              the documents' _ids, in the order of the vectors
vectors.safetensors   lengths (texts,) int64; vectors (tokens, dimensions) float32
```
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.token_index import TokenIndex, encode

_FACTS, _IDS, _VECTORS = "index.json", "ids.json", "vectors.safetensors"
_FORMAT = 1


def open_index(
    folder: str | Path,
    encoder: TokenEncoder,
    encoder_fingerprint: str,
    collection: Collection,
    language: str = ENGLISH,
    progress: Callable[[int], None] = lambda done: None,
) -> TokenIndex:
    """The documents of a collection as the encoder sees them: read from `folder`, or encoded now and written there.

    What is read is, bit for bit, what was encoded.

    Args:
        folder: of this index alone; need not exist.
        encoder: of the documents.
        encoder_fingerprint: `clir_ot.models.encoder_folder.fingerprint` of the folder that `encoder` was loaded from.
        collection: whose documents are searched.
        language: of the documents.
        progress: called with the number of documents encoded since the last call.

    Raises:
        UserError: the folder holds an index of another encoder or of other documents, a damaged one, or something else.
    """
    folder = Path(folder)
    wanted = {
        "encoder": encoder_fingerprint,
        "projection": _digest(encoder.projection.weight),
        "corpus": collection.fingerprint("corpus", language),
        "language": canonical_language(language),
    }
    if (folder / _FACTS).is_file():
        return _read(folder, wanted, collection)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise UserError(f"{folder}: is no index (it lacks {_FACTS}) and not empty; give a new folder, or remove it")
    index = encode(encoder, encoder.tokenizer.documents, collection.documents(language), progress)
    _write(folder, index, wanted)
    return index


def _write(folder: Path, index: TokenIndex, made_of: dict[str, str]) -> None:
    from safetensors.torch import save_file

    tokens, dimensions = index.vectors.shape
    facts = {"format": _FORMAT, **made_of, "texts": len(index.ids), "tokens": tokens, "dimensions": dimensions}
    with replacing(folder) as temporary:
        temporary.mkdir()
        save_file({"lengths": index.lengths, "vectors": index.vectors.contiguous()}, temporary / _VECTORS)
        (temporary / _IDS).write_text(json.dumps(index.ids, ensure_ascii=False) + "\n", encoding="utf-8")
        (temporary / _FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _read(folder: Path, wanted: dict[str, str], collection: Collection) -> TokenIndex:
    """The index, after the facts alone have told whether it is the right one."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        version, found = facts["format"], {name: facts[name] for name in wanted}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"{_FACTS} cannot be read ({error!r})") from error
    if version != _FORMAT:
        raise UserError(
            f"{folder}: is an index of format {version}, this version reads format {_FORMAT}; remove it to encode again"
        )
    _check(folder, found, wanted, collection)
    index = _load(folder)
    said = tuple(facts.get(name) for name in ("texts", "tokens", "dimensions"))
    if not said == (len(index.ids), *index.vectors.shape) == (len(index.lengths), index.lengths.sum(), said[2]):
        raise _damaged(folder, "its files disagree about how much was encoded")
    return index


def _check(folder: Path, found: dict[str, Any], wanted: dict[str, str], collection: Collection) -> None:
    other = "give another folder, or remove this one to encode the documents again"
    if found["encoder"] != wanted["encoder"]:
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']}, not by {wanted['encoder']} (fingerprints); search it "
            f"with the document encoder that made it, or {other}"
        )
    if found["projection"] != wanted["projection"]:
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']} with another projection; an encoder without a saved "
            "projection gets a new random one whenever it is loaded: save it once with save_pretrained, "
            f"then {other}"
        )
    if (found["corpus"], found["language"]) != (wanted["corpus"], wanted["language"]):
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']} of other documents ({found['language']}, fingerprint "
            f"{found['corpus']}) than {collection.folder} has ({wanted['language']}, {wanted['corpus']}); {other}"
        )


def _load(folder: Path) -> TokenIndex:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        ids = json.loads((folder / _IDS).read_text(encoding="utf-8"))
        tensors = load_file(folder / _VECTORS)
        return TokenIndex(ids, tensors["lengths"], tensors["vectors"])
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _damaged(folder, str(error)) from error


def _damaged(folder: Path, reason: str) -> UserError:
    return UserError(f"{folder}: the index is damaged, {reason}; remove the folder to encode the documents again")


def _digest(weight: torch.Tensor) -> str:
    """SHA-256 (16 hex digits) of a matrix: the fingerprint of a folder does not cover a projection drawn on loading."""
    return hashlib.sha256(weight.detach().float().cpu().contiguous().numpy().tobytes()).hexdigest()[:16]
