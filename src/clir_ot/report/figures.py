"""The pictures of a report, as matplotlib figures."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.query_noise import DEFAULT_NOISES
from clir_ot.pictures.canvas import canvas
from clir_ot.report.effectiveness import Effectiveness, effectiveness_of
from clir_ot.report.study import ENGLISH_REFERENCE, ZERO_SHOT, Row, Study

# Okabe and Ito's palette: told apart by colour-blind readers, too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
_MARKS = "osD^vP*X"
_TYPED = {"diacritics": "typed without diacritics", "swaps@0.1": "typed with a tenth of the letters swapped"}
_LEGEND_LETTERS, _MARK_LETTERS = 72, 8  # across a legend, and as wide as a mark with its margins
_LEGEND_LINE = 0.2  # inches
_MACRO = "mean of several"
_WIDTH = 5.4  # inches, of every picture


def by_language(study: Study) -> Figure:
    """Every system's measure in every language, with intervals; the teacher's English figure as a line."""
    return effectiveness(effectiveness_of(study), _WIDTH)


def effectiveness(found: Effectiveness, width: float, names: Mapping[str, str] | None = None) -> Figure:
    """The same from the figures alone.

    Args:
        width: inches.
        names: `{system: what to call it}` of those to draw; default: all, as they are called.
    """
    names = names or {name: name for name, row in found.systems.items() if row.keys() - {ENGLISH}}
    figure, axes = canvas((width, 1.2 + 0.55 * len(found.languages)))
    for position, (name, label) in enumerate(names.items()):
        row, shift = found.systems[name], (position - (len(names) - 1) / 2) * 0.7 / len(names)
        shown = [(at + shift, row[code]) for at, code in enumerate(found.languages) if code in row]
        axes.errorbar(
            [f.mean for _, f in shown], [at for at, _ in shown],
            xerr=np.array([(f.mean - f.low, f.high - f.mean) for _, f in shown]).T,
            fmt=_MARKS[position % len(_MARKS)], label=label, color=_COLOURS[position % len(_COLOURS)], capsize=2,
            markersize=5,
        )  # fmt: skip
    if top := found.systems[ZERO_SHOT].get(ENGLISH):
        axes.axvspan(top.low, top.high, color="#999999", alpha=0.2, linewidth=0)
        axes.axvline(top.mean, color="#999999", linestyle="--", label=ENGLISH_REFERENCE)
    _rows(axes, list(map(language_name, found.languages)))
    axes.set_xlabel(found.measure)
    _legend(figure, axes)
    return figure


def gap(study: Study) -> Figure:
    """Share of the gap closed, with intervals; 0 is zero-shot, 100 % is English."""
    names = list(dict.fromkeys(name for name, _ in study.gaps))
    figure, axes = canvas((_WIDTH, 1.2 + 0.5 * len(study.languages)))
    drawn = [row.name for row in study.rows]  # as `by_language` colours them
    for position, name in enumerate(names):
        look = drawn.index(name)
        places, shares, errors = [], [], []
        for at, language in enumerate(study.languages):
            if found := study.gaps.get((name, language)):
                places.append(at + (position - (len(names) - 1) / 2) * 0.7 / len(names))
                shares.append(found.value)
                errors.append([abs(end - found.value) for end in found.interval()])
        if shares:
            axes.errorbar(
                shares, places, xerr=np.array(errors).T, fmt=_MARKS[look % len(_MARKS)], label=name,
                color=_COLOURS[look % len(_COLOURS)], capsize=2, markersize=5,
            )  # fmt: skip
    axes.axvline(0, color="#999999")
    axes.axvline(1, color="#999999", linestyle="--")
    _rows(axes, list(map(language_name, study.languages)))
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("share of the gap between zero-shot and English")
    _legend(figure, axes)
    return figure


def differences(study: Study) -> Figure:
    """Every comparison of foreign queries, with its interval; filled where the corrected test shows a difference."""
    # Those of several languages share a line, whichever languages they are of: the table names them.
    found = {
        (system, baseline, names[0] if len(names) == 1 else _MACRO): comparison
        for (system, baseline, names), comparison in study.comparisons.items()
        if names != (ENGLISH,)
    }
    languages = [name for name in (*study.languages, _MACRO) if any(key[2] == name for key in found)]
    pairs = list(dict.fromkeys(key[:2] for key in found))
    figure, axes = canvas((_WIDTH, 1.2 + 0.1 * len(found) + 0.25 * len(languages)))
    for position, pair in enumerate(pairs):
        colour, mark = _COLOURS[position % len(_COLOURS)], _MARKS[position % len(_MARKS)]
        axes.plot([], [], mark, color=colour, label=f"{pair[0]} against {pair[1]}", markersize=5)
        for at, language in enumerate(languages):
            if comparison := found.get((*pair, language)):
                middle, (low, high) = comparison.difference.value, comparison.difference.interval()
                axes.errorbar(
                    [middle], [at + (position - (len(pairs) - 1) / 2) * 0.8 / len(pairs)],
                    xerr=[[middle - low], [high - middle]], fmt=mark, color=colour, capsize=2,
                    markersize=5, markerfacecolor="white" if comparison.verdict() == "no difference shown" else colour,
                )  # fmt: skip
    axes.axvline(0, color="#999999")
    _rows(axes, [_MACRO if name == _MACRO else language_name(name) for name in languages])
    axes.set_xlabel(f"difference in {study.measure}")
    _legend(figure, axes)
    return figure


def noise(study: Study) -> Figure:
    """Every system as its queries are written (filled), and as they may be typed (open), in every language."""
    rows = [row for row in study.rows if row.noisy]
    figure, axes = canvas((_WIDTH, 1.2 + 0.55 * len(study.languages)))
    for position, row in enumerate(rows):
        colour = _COLOURS[study.rows.index(row) % len(_COLOURS)]  # that of `by_language`
        axes.plot([], [], "o", color=colour, label=row.name, markersize=5)
        for at, language in enumerate(study.languages):
            if language not in row.results:
                continue
            place = at + (position - (len(rows) - 1) / 2) * 0.7 / len(rows)
            clean = row.results[language].mean(study.measure)
            axes.plot([clean], [place], "o", color=colour, markersize=5)
            for mark, kind in zip(_MARKS[1:], DEFAULT_NOISES, strict=False):
                if typed := row.noisy.get((language, kind)):
                    value = typed.mean(study.measure)
                    axes.plot([clean, value], [place, place], "-", color=colour, linewidth=0.8)
                    axes.plot([value], [place], mark, color=colour, markersize=4, markerfacecolor="white")
    for mark, kind in zip(_MARKS[1:], DEFAULT_NOISES, strict=False):
        axes.plot([], [], mark, color="#000000", markersize=4, markerfacecolor="white", label=_TYPED.get(kind, kind))
    _rows(axes, list(map(language_name, study.languages)))
    axes.set_xlabel(study.measure)
    _legend(figure, axes)
    return figure


def curve(points: Sequence[tuple[float, Row]], languages: Sequence[str], measure: str, what: str) -> Figure:
    """One line a language: the measure by what is varied, with intervals."""
    figure, axes = canvas((_WIDTH, 4.0))
    for position, language in enumerate(languages):
        measured = [row.results[language] for _, row in points]
        means = [found.mean(measure) for found in measured]
        ends = [found.interval(measure) for found in measured]
        errors = np.array([(m - low, high - m) for m, (low, high) in zip(means, ends, strict=True)]).T
        axes.errorbar(
            [x for x, _ in points], means, yerr=errors, label=language_name(language), capsize=2, markersize=5,
            color=_COLOURS[position % len(_COLOURS)], marker=_MARKS[position % len(_MARKS)],
        )  # fmt: skip
    axes.set_xlabel(what)
    axes.set_ylabel(measure)
    axes.grid(alpha=0.3)
    _legend(figure, axes)
    return figure


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """A row for each name, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)


def _legend(figure: Figure, axes: Axes) -> None:
    labels = axes.get_legend_handles_labels()[1]
    # As many columns as the longest name leaves room for: what does not fit would be cut off.
    columns = max(1, min(len(labels), _LEGEND_LETTERS // (max(map(len, labels)) + _MARK_LETTERS)))
    figure.legend(loc="outside lower left", ncols=columns, fontsize="small", frameon=False)
    figure.set_figheight(figure.get_figheight() + _LEGEND_LINE * math.ceil(len(labels) / columns))
