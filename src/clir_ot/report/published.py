"""Figures that others have published, as a YAML file holds them: read whole, or refused with the line at fault.

```
source: Roy et al. 2020, arXiv 2004.05484          where the figures were read
collection: XQuAD-R
differs: a BERT that reads the paragraph, too      from what a report here measures, in a few words
languages: [ar, de, en]                            of the collection; needed for others, pool and mean
tables:
  - measure: MAP
    documents: pool
    systems:
      X-Y: {ar: 0.61, de: 0.65, mean: 0.66}
```

`documents` says what is searched: a language's code, `en` by default; `own`, each query language's own; `others`, the
mean over the other languages' documents; `pool`, those of all languages together. `mean` is over the query languages.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.evaluation.metrics import canonical_measure
from clir_ot.files import read_yaml

OWN, OTHERS, POOL = "own", "others", "pool"
MEAN = "mean"


def _accepted(text: str, canonical: Callable[[str], str]) -> str:
    try:
        return canonical(text)
    except UserError as error:
        raise ValueError(str(error)) from error  # pydantic says where


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Language = Annotated[str, AfterValidator(lambda text: _accepted(text, canonical_language))]
_Queries = Annotated[str, AfterValidator(lambda text: text if text == MEAN else _accepted(text, canonical_language))]
_Documents = Annotated[
    str,
    AfterValidator(lambda text: text if text in (OWN, OTHERS, POOL) else _accepted(text, canonical_language)),
]
_Measure = Annotated[str, AfterValidator(lambda text: _accepted(text, canonical_measure))]
_Value = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PublishedTable(_Checked):
    """Figures of one measure in one setting.

    Attributes:
        measure: as `clir_ot.evaluation.metrics.evaluate_run` spells it.
        documents: that are searched: see above.
        systems: `{system: {query language or MEAN: value in [0, 1]}}`.
    """

    measure: _Measure
    documents: _Documents = ENGLISH
    systems: Annotated[Mapping[_Text, Mapping[_Queries, _Value]], Field(min_length=1)]


class Published(_Checked):
    """One file.

    Attributes:
        source: where the figures were read.
        collection: on which they were measured.
        differs: from what is measured here, beside the collection.
        languages: of the collection.
        tables: one or more.
    """

    source: _Text
    collection: _Text
    differs: _Text
    languages: Annotated[list[_Language] | None, Field(min_length=1)] = None
    tables: Annotated[list[PublishedTable], Field(min_length=1)]


def read_published(path: Path) -> Published:
    """Read and check a file.

    Raises:
        UserError: there is no such file, it is no YAML, lacks something or has something unknown, or a figure or a
            language in it is none; names the line.
    """
    said = read_yaml(path)
    root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    if twice := next(_repeated(root), None):
        # YAML would take the last one and say nothing.
        raise UserError(f"{path}:{_line(twice)}: {twice.value!r} is there a second time; remove one of them")
    try:
        found = Published.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = [part for part in first["loc"] if part != "[key]"]
        said_so = first["msg"].removeprefix("Value error, ")
        spelt = ".".join(map(str, place))
        raise UserError(
            f"{path}:{_line(_node_at(root, place))}: {f'{spelt}: ' if spelt else ''}{said_so}; "
            "`clir-ot init DIR` lays such files: DIR/experiments/paper/published"
        ) from error
    for number, table in enumerate(found.tables):
        averaged = any(MEAN in values for values in table.systems.values())
        if found.languages is None and (averaged or table.documents in (OTHERS, POOL)):
            raise UserError(
                f"{path}:{_line(_node_at(root, ['tables', number]))}: figures over several languages need to say "
                "which: add languages: [ar, de, ...], all of the collection"
            )
    return found


def _repeated(node: Any) -> Iterator[Any]:
    """Keys that a mapping has a second time."""
    if node.id == "scalar":
        return
    keys = [key for key, _ in node.value] if node.id == "mapping" else []
    values = [key.value for key in keys]
    yield from (key for number, key in enumerate(keys) if key.value in values[:number])
    for below in node.value if node.id == "sequence" else (value for _, value in node.value):
        yield from _repeated(below)


def _node_at(node: Any, place: Sequence[str | int]) -> Any:
    """The node at a place, or the nearest above it."""
    for part in place:
        if node.id == "scalar":
            break
        below = enumerate(node.value) if node.id == "sequence" else ((key.value, value) for key, value in node.value)
        found = next((value for name, value in below if str(name) == str(part)), None)
        if found is None:
            break
        node = found
    return node


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
