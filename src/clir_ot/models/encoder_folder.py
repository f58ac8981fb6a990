"""The encoder on disk: a Hugging Face folder, the projection beside it as sentence-transformers lays modules out.

```
config.json  model.safetensors  tokenizer.json ...      the transformer, as AutoModel and AutoTokenizer load it
modules.json                                            0 the transformer, 1 the projection
1_Dense/{config.json,model.safetensors}                 the projection
config_sentence_transformers.json                       prefixes and lengths
README.md                                               the model card, no part of the encoder
```

Of an encoder with one vector a text: 1_Pooling, the mean; 2_Dense, the projection; 3_Normalize; and
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
from typing import Any, Literal

from torch import nn

from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers, replacing, write_text
from clir_ot.models.pretrained import check_lengths, load_transformer, quietly

Scoring = Literal["late", "dense"]

_PROJECTIONS: dict[Scoring, str] = {"late": "1_Dense", "dense": "2_Dense"}
_SETTINGS = "config_sentence_transformers.json"
_LENGTHS = ("query_length", "document_length")
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
    """Of a folder that `save_parts` wrote, or of its copy from the hub; None of an encoder without our projection."""
    scoring = next((scoring for scoring, place in _PROJECTIONS.items() if (folder / place).is_dir()), None)
    if scoring is None or not (folder / _SETTINGS).is_file():
        return None
    settings = json.loads((folder / _SETTINGS).read_text(encoding="utf-8"))
    if any(field not in settings for field in _LENGTHS):
        return None  # some sentence-transformers models have a 2_Dense too
    portable = "prompts" in settings
    before = settings["prompts"] if portable else {kind: settings[f"{kind}_prefix"] for kind in ("query", "document")}
    query_length, document_length = (settings[field] for field in _LENGTHS)
    return FolderSettings(scoring, before["query"], before["document"], query_length, document_length, portable)


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

    transformer = load_transformer(name)
    tokenizer = TextTokenizer(
        AutoTokenizer.from_pretrained(name), query_prefix, document_prefix, query_length, document_length
    )
    folder = Path(name) if Path(name).is_dir() else _fetch_settings(str(name))
    if folder and (saved := read_settings(folder)):
        before = saved.query_prefix, saved.document_prefix
        tokenizer = TextTokenizer(tokenizer.tokenizer, *before, saved.query_length, saved.document_length)
        return transformer, _load_projection(folder / _PROJECTIONS[saved.scoring]), tokenizer, saved.scoring
    check_lengths(name, transformer, {field: getattr(tokenizer, field) for field in _LENGTHS})
    projection = nn.Linear(transformer.config.hidden_size, dimensions, bias=False)
    # Orthonormal rows keep the angles between pretrained token vectors better than torch's default does.
    nn.init.orthogonal_(projection.weight)
    return transformer, projection, tokenizer, scoring


def save_parts(
    folder: Path,
    transformer: Any,
    projection: nn.Linear,
    tokenizer: TextTokenizer,
    scoring: Scoring,
    card: Callable[[Path], str] | None = None,
) -> None:
    """Write the folder described above.

    Args:
        card: makes the text of README.md, of the folder as it is then; none is written without.
    """
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
        lengths = {field: getattr(tokenizer, field) for field in _LENGTHS}
        prompts = {"query": tokenizer.query_prefix, "document": tokenizer.document_prefix}
        modules = [("", "Transformer"), (dense.name, "Dense")]
        if scoring == "late":
            # Its input and output are not named: PyLate refuses keys that it does not know, and both project tokens.
            settings = _LATE
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
            _write_json(temporary / "3_Normalize" / "config.json", {})
            _write_json(temporary / "sentence_bert_config.json", lengths)
            settings = _DENSE
        _write_json(dense / "config.json", shape)
        listed = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules)
        ]
        _write_json(temporary / "modules.json", listed)
        _write_json(temporary / _SETTINGS, {**settings, "prompts": prompts, **lengths})
        if card:
            (temporary / CARD).write_text(card(temporary), encoding="utf-8")


def write_card(folder: Path, text: str) -> None:
    """Put the card in the place of the one that is there, whole or not at all; the fingerprint stays the same."""
    remove_leftovers(folder / CARD)
    write_text(folder / CARD, text)


def fingerprint(name: str | Path) -> str:
    """SHA-256 (16 hex digits) over the names and bytes of an encoder's files; of a hub model its name.

    The card of a saved encoder does not count: it changes with every evaluation.
    """
    folder = Path(name)
    if not folder.is_dir():
        return str(name)
    has_card = read_settings(folder) is not None
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder)
        # The second while it is being written, see `replacing`.
        if has_card and (place.parts[0] == CARD or place.parts[0].startswith(f".{CARD}.")):
            continue
        with path.open("rb") as file:
            digest.update(f"{place.as_posix()} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _fetch_settings(name: str) -> Path | None:
    """The snapshot folder of a hub model with its settings and projection in it; None where it has none of ours."""
    settings = _fetch(name, _SETTINGS)
    if settings is None:
        return None
    folder = settings.parent  # its name is the commit: all files are of one
    if all(field in json.loads(settings.read_text(encoding="utf-8")) for field in _LENGTHS):
        found = [_fetch(name, f"{place}/model.safetensors", folder.name) for place in _PROJECTIONS.values()]
        if not any(found):
            raise UserError(
                f"{name}: has {_SETTINGS} with lengths, but no projection ({', '.join(_PROJECTIONS.values())})"
            )
    return folder


def _fetch(name: str, file: str, commit: str | None = None) -> Path | None:
    """A file of a hub model, from the hub or its cache; None where the model has no such file."""
    from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(name, file, revision=commit))
    except LocalEntryNotFoundError:
        # Of a plain encoder that was fetched before and is used without network, nobody has asked for this file.
        if try_to_load_from_cache(name, file, revision=commit) is not _CACHED_NO_EXIST:
            print(
                f"{name}: without network, and {file} is not in the cache: it is taken as an encoder without",
                flush=True,
            )
        return None
    except EntryNotFoundError:
        return None
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"{name}: {file} could not be fetched ({str(error).splitlines()[0]})") from error


def _load_projection(folder: Path) -> nn.Linear:
    from safetensors.torch import load_file

    weight = load_file(folder / "model.safetensors")["linear.weight"]  # (D, H)
    projection = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    projection.weight.data.copy_(weight)
    return projection


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
