"""The modules of sentence-transformers and PyLate behind a transformer, as far as an encoder can have them.

| module | read |
|---|---|
| Pooling | mean or CLS, of all tokens |
| Dense | one, with any of torch's functions behind it, without residual connection |
| MultiVectorMask | all tokens scored |
| Normalize | of the vectors that are compared |
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from clir_ot.errors import UserError
from clir_ot.models.folder_files import parse_json, read_object
from clir_ot.models.layout import Layout, Scoring, Values

MODULES = "modules.json"

_LIBRARIES = ("sentence_transformers.", "pylate.models.")
_INPUTS: dict[Scoring, str] = {"late": "token_embeddings", "dense": "sentence_embedding"}
_POOLING_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


class Module(NamedTuple):
    """An entry of modules.json: `Dense`, its subfolder, and the full name of its type."""

    kind: str
    path: str
    type: str


def list_modules(folder: Path) -> list[Module]:
    """What modules.json lists, the transformer first.

    Raises:
        UserError: the file is damaged; a module of another library; anything else first.
    """
    place, modules = folder / MODULES, []
    listed = parse_json(place)
    try:
        for module in listed:
            name, path = str(module["type"]), PurePosixPath(module["path"])
            if path.is_absolute() or ".." in path.parts:
                raise UserError(f"{place}: {path} lies outside the folder")
            if not name.startswith(_LIBRARIES):
                raise UserError(f"{place}: a module of type {name}, whose code would have to be run; clir-ot runs none")
            if module.get("kwargs"):
                raise UserError(
                    f"{place}: {path} takes {', '.join(module['kwargs'])} with every text; clir-ot has none"
                )
            modules.append(Module(name.rpartition(".")[2], "" if str(path) == "." else str(path), name))
    except (TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{place}: expected a list of objects with type and path; fetch the file again") from error
    if not modules or modules[0].kind != "Transformer":
        raise UserError(f"{place}: expected a Transformer first; clir-ot reads no encoder without")
    return modules


def read_modules(folder: Path, modules: list[Module], settings: Mapping[str, Any], layout: Layout) -> None:
    """Scoring, pooling and projection, and all that they say.

    Args:
        folder: the encoder's.
        modules: what is listed.
        settings: of the whole encoder.
        layout: takes what is found.
    """
    kinds = " ".join(module.kind for module in modules)
    if re.fullmatch("Transformer Pooling( Dense)?( Normalize)?", kinds):
        layout.scoring = "dense"
    else:
        layout.scoring = "late"
        layout.refuse(MODULES, _not_of_tokens(modules, kinds, settings, layout.own))
    for module in modules:
        if read := _READERS.get(module.kind):
            read(module.path, dict(read_object(folder / module.path / "config.json")), layout)


def _not_of_tokens(modules: list[Module], kinds: str, settings: Mapping[str, Any], own: bool) -> list[str]:
    if foreign := [f"{module.kind} in {module.path}" for module in modules[1:] if module.kind not in _READERS]:
        return foreign
    if (count := kinds.count("Dense")) > 1:
        return [f"{count} Dense modules"]
    if not re.fullmatch("Transformer Dense( MultiVectorMask)?( Normalize)?", kinds):
        return [kinds.replace(" ", ", ")]
    model_type = settings.get("model_type")
    if model_type == "MultiVectorEncoder" and "Normalize" not in kinds:
        return ["no Normalize"]
    if own or model_type in ("ColBERT", "MultiVectorEncoder") or modules[1].type.startswith("pylate."):
        return []
    return ["neither Pooling, nor token vectors as PyLate and MultiVectorEncoder have them"]


def _read_pooling(place: str, said: dict[str, Any], layout: Layout) -> None:
    said.pop("embedding_dimension", said.pop("word_embedding_dimension", None))
    modes = [mode for name, mode in _POOLING_MODES.items() if said.pop(name, False)]
    asked = said.pop("pooling_mode", modes or "mean")
    if isinstance(asked, list) and len(asked) == 1:
        (asked,) = asked
    if asked in ("mean", "cls"):
        layout.pooling = asked
    else:
        layout.refuse(place, [f"pooling_mode {asked}"])
    layout.compare(place, said, {"include_prompt": (None, True)})


def _read_dense(place: str, said: dict[str, Any], layout: Layout) -> None:
    activation = said.pop("activation_function", None)
    if isinstance(activation, str) and activation.startswith("torch.nn.modules."):
        layout.projection, layout.activation = place, activation
    else:
        layout.refuse(place, [f"activation_function {activation}"])
    for name in ("in_features", "out_features", "bias"):
        said.pop(name, None)  # see `load_projection`
    layout.compare(place, said, {"use_residual": (None, False), **_ends(layout)})


def _read_normalize(place: str, said: dict[str, Any], layout: Layout) -> None:
    layout.compare(place, said, _ends(layout))


def _read_mask(place: str, said: dict[str, Any], layout: Layout) -> None:
    said.pop("skiplist_tasks", None)  # says whose tokens the skiplist drops
    layout.compare(place, said, {})


def _ends(layout: Layout) -> Values:
    expected = (None, _INPUTS[layout.scoring or "late"])
    return {"module_input_name": expected, "module_output_name": expected}


_READERS: dict[str, Callable[[str, dict[str, Any], Layout], None]] = {
    "Pooling": _read_pooling,
    "Dense": _read_dense,
    "Normalize": _read_normalize,
    "MultiVectorMask": _read_mask,
}
