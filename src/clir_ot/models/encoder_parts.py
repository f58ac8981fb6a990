"""An encoder out of its folder, or of a hub model: what a `TokenEncoder` is made of, or why there is none."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError
from clir_ot.models.hub_snapshot import local_folder
from clir_ot.models.layout import Layout, Pooling, Scoring
from clir_ot.models.pretrained import check_kind, check_lengths, hidden_size, load_transformer, longest_text
from clir_ot.models.pretrained_tokenizer import load_tokenizer
from clir_ot.models.projection import identity, load_projection
from clir_ot.models.published_layouts import LENGTHS, read_layout
from clir_ot.models.published_modules import MODULES

_ANY = sys.maxsize >> 32  # tokens, of a text that is never cut


class Parts(NamedTuple):
    """The arguments of `TokenEncoder`."""

    transformer: Any
    projection: nn.Linear
    tokenizer: TextTokenizer
    scoring: Scoring
    pooling: Pooling
    activation: nn.Module


def check_trained(name: str | Path) -> None:
    """See that there is an encoder that can be used, before anything large is loaded.

    Raises:
        UserError: there is none; it is a transformer alone; it says more than can be honoured.
    """
    _trained_layout(name, local_folder(name))


def load_parts(
    name: str | Path,
    dimensions: int | None,
    query_prefix: str,
    document_prefix: str,
    query_length: int,
    document_length: int,
    scoring: Scoring,
) -> Parts:
    """Everything of a folder or hub model; see `TokenEncoder.from_pretrained`."""
    folder = local_folder(name)
    layout = _trained_layout(name, folder) if dimensions is None else read_layout(folder)
    place = folder / layout.transformer
    transformer = load_transformer(place, name)
    width = hidden_size(transformer, name)
    pretrained = load_tokenizer(place, transformer, name)
    if dimensions is None or _goes_on(layout, scoring):
        layout.check(folder)
        projection, activation = _load_projection(folder, layout, width)
        most = min(longest_text(transformer) or _ANY, pretrained.model_max_length, _ANY)
        lengths = layout.query_length or most, layout.document_length or most
        before = layout.query_prefix, layout.document_prefix
        scoring, pooling = layout.scoring or scoring, layout.pooling
    else:
        if layout.modules:
            print(
                f"{name}: training starts from its transformer; left out are {', '.join(layout.modules)}, its prompts "
                "and its lengths",
                flush=True,
            )
        lengths, before = (query_length, document_length), (query_prefix, document_prefix)
        projection, activation = nn.Linear(width, dimensions, bias=False), nn.Identity()
        # Orthonormal rows keep the angles between pretrained token vectors better than torch's default does.
        nn.init.orthogonal_(projection.weight)
        pooling = layout.pooling if scoring == "dense" else "mean"
    check_lengths(name, transformer, dict(zip(LENGTHS, lengths, strict=True)))
    return Parts(transformer, projection, TextTokenizer(pretrained, *before, *lengths), scoring, pooling, activation)


def _goes_on(layout: Layout, scoring: Scoring) -> bool:
    """Whether training goes on with what was trained, rather than start from the transformer.

    Published encoders with one vector a text have no projection of tokens, and many have none at all.
    """
    return layout.own or layout.scoring == "late" or (layout.scoring == scoring and layout.projection is not None)


def _trained_layout(name: str | Path, folder: Path) -> Layout:
    layout = read_layout(folder)
    check_kind(folder / layout.transformer, name)
    if layout.scoring is None:
        # A random projection would give other figures at every call, and a picture of nothing.
        raise UserError(
            f"{name}: is no trained encoder (it has no {MODULES}, so no projection); give the encoder folder of a "
            "trained run, or train one from it"
        )
    layout.check(folder)
    return layout


def _load_projection(folder: Path, layout: Layout, width: int) -> tuple[nn.Linear, nn.Module]:
    if layout.projection is None:
        return identity(width), nn.Identity()
    projection, activation = load_projection(folder / layout.projection, layout.activation)
    if projection.in_features != width:
        raise UserError(
            f"{folder / layout.projection}: projects {projection.in_features} dimensions, and the transformer gives "
            f"{width}; one of the two is another model's"
        )
    return projection, activation
