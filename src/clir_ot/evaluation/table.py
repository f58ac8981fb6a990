"""Measured systems as tables for the terminal and as JSON."""

from collections.abc import Sequence
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.estimate import Estimate, estimate
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.significance import EQUIVALENCE_MARGIN
from clir_ot.evaluation.systems import Comparison, Measured


def render(measured: Sequence[Measured], comparisons: Sequence[Comparison], judging: Judging = USUAL) -> str:
    """A Markdown table: one row a system and query language; under it one line a comparison, and one on the judging.

    The first measure carries its 95 % interval. A system with several foreign languages gets a row with the mean over
    them, each language weighing the same; `n` is of different queries there.
    """
    measures = list(measured[0].values)
    header = ["system", "queries", "n", f"{measures[0]} [95 % interval]", *measures[1:]]
    rows = [header, *(_row(system, measures) for system in measured), *_averages(measured, measures)]
    below = [*map(_sentence, comparisons), *([f"judged: {'; '.join(judging.notes())}"] if judging.notes() else [])]
    return "\n".join([columns(rows), *([""] if below else []), *below])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns; the first row is its header."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def as_json(measured: Sequence[Measured], comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The same, with the values of every query."""
    return {
        "systems": [
            {
                "system": system.name,
                "language": system.language,
                "queries": system.count,
                "measures": {
                    name: {
                        "mean": system.mean(name),
                        "interval_95": system.interval(name),
                        "by_query": dict(values),
                    }
                    for name, values in system.values.items()
                },
            }
            for system in measured
        ],
        "comparisons": [
            {
                "system": c.system,
                "baseline": c.baseline,
                "language": ",".join(c.languages),
                "queries": c.count,
                "measure": c.measure,
                "difference": c.difference.value,
                "interval_95": c.difference.interval(),
                "p": c.difference.p,
                "p_holm": c.p_adjusted,
                "wins": c.wins,
                "ties": c.ties,
                "losses": c.losses,
                "verdict": c.verdict(),
                "margin": EQUIVALENCE_MARGIN,
                "p_equivalence": c.difference.p_equivalence(EQUIVALENCE_MARGIN),
            }
            for c in comparisons
        ],
    }


def _row(system: Measured, measures: Sequence[str]) -> list[str]:
    first = with_interval(estimate([(1.0, system.sample(measures[0]))]))
    rest = [f"{system.mean(m):.3f}" for m in measures[1:]]
    return [system.name, language_name(system.language), str(system.count), first, *rest]


def _averages(measured: Sequence[Measured], measures: Sequence[str]) -> list[list[str]]:
    rows = []
    for name in dict.fromkeys(system.name for system in measured):
        foreign = [system for system in measured if system.name == name and system.language != ENGLISH]
        if len(foreign) > 1:
            means = [estimate([(1 / len(foreign), system.sample(m)) for system in foreign]) for m in measures]
            count = len({query for system in foreign for query in system.values[measures[0]]})
            rest = [f"{mean.value:.3f}" for mean in means[1:]]
            rows.append([name, f"mean of {len(foreign)} languages", str(count), with_interval(means[0]), *rest])
    return rows


def with_interval(mean: Estimate) -> str:
    """`0.449 [0.404, 0.495]`: a measure's mean, within [0, 1]."""
    low, high = mean.interval(bounds=(0.0, 1.0))
    return f"{mean.value:.3f} [{low:.3f}, {high:.3f}]"


def _sentence(comparison: Comparison) -> str:
    within = f", {comparison.equivalence()}" if comparison.languages == (ENGLISH,) else ""
    return (
        f"{comparison.system} against {comparison.baseline}, {', '.join(map(language_name, comparison.languages))} "
        f"queries: {comparison.measure} {change(comparison.difference)}, {p_value(comparison.difference.p)} "
        f"(Holm: {p_value(comparison.p_adjusted)}), n = {comparison.count}: {comparison.verdict()}{within}"
    )


def change(difference: Estimate) -> str:
    """`+0.256 [+0.210, +0.301]`: a difference with its 95 % interval."""
    low, high = difference.interval()
    return f"{difference.value:+.3f} [{low:+.3f}, {high:+.3f}]"


def p_value(value: float) -> str:
    """As text."""
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.4f}"
