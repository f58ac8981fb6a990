"""What an encoder's folder says of how it is read, in the layouts that are published; nothing it says is passed over.

| layout | read as |
|---|---|
| a transformer alone | the start of a training |
| clir-ot's own; PyLate's and sentence-transformers 6's token vectors | `late`, without markers, expansion, skiplist |
| sentence-transformers' one vector a text | `dense`: mean or CLS pooling, at most one Dense, cosine |
| Stanford's `HF_ColBERT` | not yet |

The vectors are those of sentence-transformers' `encode_query` and `encode_document`, at unit length.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.models.folder_files import read_object
from clir_ot.models.layout import Layout, Scoring, Values, shown
from clir_ot.models.published_modules import MODULES, list_modules, read_modules

SETTINGS = "config_sentence_transformers.json"
LENGTHS = ("query_length", "document_length")

# What a transformer alone has no use for: a copy without modules.json is not whole.
_PARTS = (SETTINGS, "1_Pooling", "1_Dense", "2_Dense")
_EARLIER = {"query_prefix", "document_prefix", "similarity_fn_name", *LENGTHS}  # what clir-ot wrote before prompts

_KNOWN: dict[Scoring, Values] = {
    "late": {
        "similarity_fn_name": (None, "MaxSim", "maxsim", "meanmaxsim"),
        "model_type": (None, "ColBERT", "MultiVectorEncoder", "SentenceTransformer"),
        # Tokens that are put in, not text.
        "query_prefix": (None, ""),
        "document_prefix": (None, ""),
    },
    "dense": {"similarity_fn_name": (None, "cosine"), "model_type": (None, "SentenceTransformer")},
}
_OF_TRANSFORMER: Values = {
    "do_lower_case": (None, False),
    "transformer_task": (None, "feature-extraction"),
    "modality_config": (None, {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}),
    "module_output_name": (None, "token_embeddings"),
    "unpad_inputs": (None, False, True),  # the same vectors
}


def read_layout(folder: Path) -> Layout:
    """Of any encoder's folder.

    Raises:
        UserError: a file of it is damaged or missing; a checkpoint of Stanford's ColBERT.
    """
    if not (folder / MODULES).is_file():
        _check_alone(folder)
        return Layout()
    settings, modules = read_object(folder / SETTINGS), list_modules(folder)
    own = all(name in settings for name in LENGTHS) and "__version__" not in settings
    layout = Layout(transformer=modules[0].path, modules=[module.path for module in modules[1:]], own=own)
    if len(modules) == 1:
        return layout
    read_modules(folder, modules, settings, layout)
    if own and set(settings) <= _EARLIER:
        layout.query_prefix, layout.document_prefix = settings["query_prefix"], settings["document_prefix"]
    else:
        _read_settings(settings, layout)
    _read_lengths(folder, settings, layout)
    return layout


def _check_alone(folder: Path) -> None:
    config, metadata = read_object(folder / "config.json"), read_object(folder / "artifact.metadata")
    if metadata or "HF_ColBERT" in (config.get("architectures") or []):
        markers = [metadata.get(f"{kind}_token_id", f"[unused{i}]") for i, kind in enumerate(("query", "doc"))]
        raise UserError(
            f"{folder}: a checkpoint of Stanford's ColBERT (HF_ColBERT): clir-ot does not honour the markers "
            f"{' and '.join(markers)}, the query expansion and the skiplist that artifact.metadata says or implies"
        )
    if part := next((part for part in _PARTS if (folder / part).exists()), None):
        raise UserError(f"{folder}: has {part}, but no {MODULES} that says what it is for; is the folder whole?")


def _read_settings(settings: Mapping[str, Any], layout: Layout) -> None:
    said = {name: value for name, value in settings.items() if name not in ("__version__", *LENGTHS)}
    prompts = _prompts(said.pop("prompts", None) or {})
    layout.query_prefix, layout.document_prefix = (prompts.get(kind, "") for kind in ("query", "document"))
    # The library's own encode_document does not put these before a document; whoever wrote them may have.
    other = [name for name in ("passage", "corpus") if prompts.get(name, "") not in ("", layout.document_prefix)]
    layout.refuse(SETTINGS, (f"the prompt {name!r} beside document {layout.document_prefix!r}" for name in other))
    if (default := said.pop("default_prompt_name", None)) not in (None, "query", "document"):
        layout.refuse(SETTINGS, [f"default_prompt_name {default!r}"])
    _read_expansion(said, layout)
    layout.compare(SETTINGS, said, _KNOWN[layout.scoring or "late"])


def _prompts(said: Any) -> dict[str, str]:
    if not isinstance(said, dict) or any(not isinstance(text, str | None) for text in said.values()):
        raise UserError(f"{SETTINGS}: prompts is {said!r}; expected texts by name")
    return {name: text or "" for name, text in said.items()}


def _read_expansion(said: dict[str, Any], layout: Layout) -> None:
    """PyLate's settings. Where nothing is said, it expands queries, and leaves punctuation out of documents."""
    attends = said.pop("attend_to_expansion_tokens", False)
    found = {name: said.pop(name, None) for name in ("do_query_expansion", "skiplist_words")}
    if layout.scoring == "dense" or said.get("model_type") == "MultiVectorEncoder":
        found["attend_to_expansion_tokens"] = attends
        layout.refuse(SETTINGS, (f"{name} {shown(value)}" for name, value in found.items() if value))
        return
    for name, value in found.items():
        if value is None:
            layout.refuse(SETTINGS, [f"{name}, which is on where it is not said"])
        elif value:
            layout.refuse(SETTINGS, [f"{name} {shown(value)}"])


def _read_lengths(folder: Path, settings: Mapping[str, Any], layout: Layout) -> None:
    place = folder / layout.transformer
    # Earlier versions of sentence-transformers named the file after the transformer.
    files = sorted(place.glob("sentence_*_config.json"), key=lambda path: "_bert_" not in path.name)
    said = dict(read_object(files[0])) if files else {}
    longest = said.pop("max_seq_length", None)
    of_kind = {name: said.pop(name, None) for name in LENGTHS}
    lengths = {name: of_kind[name] or settings.get(name) or longest for name in LENGTHS}
    for name, length in lengths.items():
        if length is not None and (not isinstance(length, int) or length < 1):
            raise UserError(f"{place}: {name} is {length!r}; expected a number of tokens")
    layout.query_length, layout.document_length = (lengths[name] for name in LENGTHS)
    if files:
        layout.compare(files[0].name, said, _OF_TRANSFORMER)
