"""What a study found, as a small file: its systems' figures in every language, for pictures and pages made later."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.evaluation.systems import Measured
from clir_ot.report.study import Study


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Figure(_Checked):
    """One system in one language.

    Attributes:
        mean: over queries and seeds.
        low, high: its 95 % interval, over queries and seeds.
        least, most: the seeds' lowest and highest mean.
        queries, seeds: how many.
    """

    mean: float
    low: float
    high: float
    least: float
    most: float
    queries: int
    seeds: int

    @property
    def with_interval(self) -> str:
        """`0.449 [0.404, 0.495]`."""
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def __str__(self) -> str:
        """`0.449 [0.404, 0.495] (0.429 to 0.464)`; of one seed without the latter."""
        return self.with_interval + (f" ({self.least:.3f} to {self.most:.3f})" if self.seeds > 1 else "")


class Effectiveness(_Checked):
    """What a report's first table says.

    Attributes:
        about: where the figures are from.
        measure: that they are of.
        low_resource: languages that the question is about.
        primary: `{kind: name}` of the systems that answer it.
        systems: `{name: {language: figure}}`, as tables call and order them; the zero-shot system's English figure is
            the English reference.
    """

    about: str
    measure: str
    low_resource: Sequence[str]
    primary: Mapping[str, str]
    systems: Mapping[str, Mapping[str, Figure]]

    @property
    def languages(self) -> list[str]:
        """Foreign ones, the low-resource ones first."""
        found = dict.fromkeys([*self.low_resource, *(code for row in self.systems.values() for code in row)])
        return [code for code in found if code != ENGLISH]


def figure_of(found: Measured, measure: str) -> Figure:
    """One cell of the table."""
    (low, high), (least, most) = found.interval(measure), found.span(measure)
    return Figure(
        mean=found.mean(measure), low=low, high=high, least=least, most=most, queries=found.count, seeds=len(found.runs)
    )


def effectiveness_of(study: Study, about: str = "") -> Effectiveness:
    """The table of a study's systems; those that are but points of a curve are not in it."""
    codes = [*study.languages, ENGLISH]
    systems = {
        row.name: {code: figure_of(row.results[code], study.measure) for code in codes if code in row.results}
        for row in study.rows
    }
    return Effectiveness(
        about=about, measure=study.measure, low_resource=[*study.low_resource], primary=dict(study.primary),
        systems=systems,
    )  # fmt: skip


def read_effectiveness(path: Path) -> Effectiveness:
    """A file that `clir-ot report` has written.

    Raises:
        UserError: it cannot be read, or is no such file.
    """
    try:
        return Effectiveness.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: no figures.json of a report; clir-ot report writes one") from error
