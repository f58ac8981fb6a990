"""What the reference shows of the package, and whether all of it is documented.

To show another name, add it here; a name that is not there, or whose docstring lacks something, fails the build.
Names are read from the source, without importing it.
"""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import griffe

from docstrings import Docstrings

_SOURCE = Path(__file__).parents[2] / "src"
# {heading: names that stay, for users call them}
PUBLIC = {
    "Data": ["clir_ot.Collection", "clir_ot.CLIRDataModule"],
    "Encoder and systems": [
        "clir_ot.TokenEncoder", "clir_ot.TeacherRanker", "clir_ot.HybridBatchRanker", "clir_ot.OTDistillation",
        "clir_ot.systems.ranker.Ranker",
    ],
    "Scores and transport": [
        "clir_ot.models.maxsim.maxsim", "clir_ot.models.transport.transport_plan",
        "clir_ot.models.transport.transport_loss", "clir_ot.models.transport.solve_transport",
        "clir_ot.models.transport.SolverOptions", "clir_ot.models.transport.TransportResult",
    ],
    "Measures": [
        "clir_ot.evaluation.metrics.evaluate_run", "clir_ot.evaluation.torch_metric.RetrievalMeasures",
        "clir_ot.errors.UserError",
    ],
}  # fmt: skip
# Modules with the papers' formulas, all of whose names are shown.
FORMULAS = [
    "clir_ot.models.transport", "clir_ot.models.sinkhorn", "clir_ot.models.solvers", "clir_ot.models.transport_scores",
    "clir_ot.models.alignments", "clir_ot.models.losses", "clir_ot.models.language_bias", "clir_ot.models.gather",
    "clir_ot.systems.alignment",
    "clir_ot.data.sampler", "clir_ot.data.quota", "clir_ot.data.idf", "clir_ot.data.inverse_cloze",
    "clir_ot.retrieval.bm25",
    "clir_ot.evaluation.metrics", "clir_ot.evaluation.estimate", "clir_ot.evaluation.significance",
    "clir_ot.evaluation.gap",
    "clir_ot.evaluation.consistency", "clir_ot.evaluation.language_bias", "clir_ot.evaluation.multilingual",
    "clir_ot.evaluation.query_noise",
]  # fmt: skip


@cache
def package() -> griffe.Module:
    """clir_ot's source."""
    loaded = griffe.load(
        "clir_ot", search_paths=[str(_SOURCE)], extensions=griffe.Extensions(Docstrings()), docstring_parser="google"
    )
    assert isinstance(loaded, griffe.Module)
    return loaded


def find(name: str) -> griffe.Object:
    """What a dotted name is of; KeyError where there is no such name."""
    found = package()[name.removeprefix("clir_ot.")]
    return found.final_target if isinstance(found, griffe.Alias) else found


def formulas() -> dict[str, list[str]]:
    """`{module: its own public names}`, without those that stand among the public ones already."""
    public = {find(name).path for name in _all_public()}
    return {
        module: [name for name, own in find(module).members.items() if _is_shown(own) and own.path not in public]
        for module in FORMULAS
    }


def shown() -> dict[str, griffe.Object]:
    """All that the reference shows, methods too, by the name of where it is defined."""
    listed = [find(name) for name in _all_public()]
    listed += [find(f"{module}.{name}") for module, names in formulas().items() for name in names]
    return {part.path: part for value in listed for part in _parts(value)}


def undocumented() -> list[str]:
    """A line for each public name that is not shown, or lacks documentation, or is documented otherwise than it is."""
    exported = [f"clir_ot.{name}" for name in package().exports or []]
    problems = [f"{name}: is public, but PUBLIC lacks it" for name in exported if name not in _all_public()]
    public = {find(name).path for name in _all_public()}
    return problems + [line for path, value in shown().items() for line in lacks(value, parameters=path in public)]


def lacks(value: griffe.Object, *, parameters: bool) -> list[str]:
    """What is wrong with a docstring, a line each; with `parameters`, also those that it does not name.

    A docstring that says `as in` another name leaves parameters to that one.
    """
    if value.docstring is None:
        return [f"{value.path}: has no docstring"]
    text, said = value.docstring.value, _warnings(value.docstring)
    if parameters and "as in `" not in text:
        words = set("".join(c if c.isidentifier() or c.isdigit() else " " for c in text).split())
        said += [f"does not document {name}" for name in _parameters(value) if name not in words]
    return [f"{value.path}: {problem}" for problem in said]


def _all_public() -> list[str]:
    return [name for names in PUBLIC.values() for name in names]


def _is_shown(value: griffe.Object | griffe.Alias) -> bool:
    return not value.is_alias and (value.is_function or value.is_class) and not value.name.startswith("_")


def _parts(value: griffe.Object) -> Iterator[griffe.Object]:
    yield value
    if value.is_class:
        yield from (own for own in value.members.values() if isinstance(own, griffe.Object) and _is_shown(own))


def _parameters(value: griffe.Object) -> list[str]:
    function = value.members.get("__init__") if value.is_class else value
    if not isinstance(function, griffe.Function):
        return []
    return [parameter.name for parameter in function.parameters if parameter.name not in ("self", "cls")]


def _warnings(docstring: griffe.Docstring) -> list[str]:
    """What griffe says of it, such as that a documented parameter is none of the function's."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage().partition(": ")[2])  # type: ignore[method-assign]
    logger = logging.getLogger("griffe")
    logger.addHandler(handler)
    try:
        docstring.parse("google")
    finally:
        logger.removeHandler(handler)
    return said
