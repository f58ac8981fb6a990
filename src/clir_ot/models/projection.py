"""The projection on disk, as sentence-transformers' Dense module: a linear layer, and perhaps a function behind it.

H hidden size of the transformer, D dimensions of a vector.
"""

import json
from pathlib import Path

import torch
from torch import nn

from clir_ot.errors import UserError
from clir_ot.models.folder_files import read_object, weight_files


def load_projection(place: Path, activation: str) -> tuple[nn.Linear, nn.Module]:
    """A Dense module's layer, H -> D, and what is applied behind it.

    Args:
        place: its folder.
        activation: name of a class in `torch.nn.modules`.

    Raises:
        UserError: weights are missing, damaged, or not as config.json says; no such function.
    """
    if not place.is_dir():
        raise UserError(f"{place}: no such folder, but modules.json names it; is the encoder's folder whole?")
    (file,) = weight_files(place)
    state = _read(file)
    weight, bias = state.pop("linear.weight", None), state.pop("linear.bias", None)
    if weight is None or weight.ndim != 2 or state:
        raise UserError(
            f"{file}: expected linear.weight, and linear.bias at most, beside it {', '.join(state) or 'none'}"
        )
    said = read_object(place / "config.json")
    found = {"in_features": weight.shape[1], "out_features": weight.shape[0], "bias": bias is not None}
    if wrong := [name for name, value in found.items() if said.get(name, True) != value]:
        raise UserError(
            f"{place}: config.json says {wrong[0]} {said.get(wrong[0], True)}, the weights {found[wrong[0]]}"
        )
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.load_state_dict({"weight": weight} if bias is None else {"weight": weight, "bias": bias})
    return layer, _function(place, activation)


def save_projection(place: Path, layer: nn.Linear, activation: nn.Module) -> None:
    """Write the folder that `load_projection` reads."""
    from safetensors.torch import save_file

    place.mkdir()
    state = {f"linear.{name}": tensor.detach().cpu().contiguous() for name, tensor in layer.state_dict().items()}
    save_file(state, place / "model.safetensors")
    shape = {
        "in_features": layer.in_features,
        "out_features": layer.out_features,
        "bias": layer.bias is not None,
        "activation_function": f"{type(activation).__module__}.{type(activation).__name__}",
    }
    (place / "config.json").write_text(json.dumps(shape, indent=2) + "\n", encoding="utf-8")


def identity(width: int) -> nn.Linear:
    """The projection of an encoder without one: every vector to itself."""
    layer = nn.Linear(width, width, bias=False)
    nn.init.eye_(layer.weight)
    return layer


def _read(file: Path) -> dict[str, torch.Tensor]:
    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(file)
    try:
        state: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the bytes lead to
        raise UserError(f"{file}: is damaged ({str(error).splitlines()[0]}); fetch it again") from error
    return state


def _function(place: Path, name: str) -> nn.Module:
    kind = getattr(nn, name.rpartition(".")[2], None)
    if not isinstance(kind, type) or not issubclass(kind, nn.Module):
        raise UserError(f"{place}: activation_function {name} is none of torch's")
    try:
        function = kind()
    except TypeError as error:
        raise UserError(f"{place}: activation_function {name} cannot be made without settings ({error})") from error
    if any(True for _ in function.parameters()):
        raise UserError(f"{place}: activation_function {name} has weights, which no file holds")
    return function
