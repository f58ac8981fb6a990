"""A system over the documents of several languages, as a table for the terminal and as JSON."""

from typing import Any

from clir_ot.collections.languages import language_name
from clir_ot.evaluation.metrics import mean
from clir_ot.evaluation.multilingual import POOL, RANK_DISTANCE, Multilingual, count_queries
from clir_ot.evaluation.table import columns


def render_languages(found: Multilingual) -> str:
    """A Markdown table: one row a query language, then their mean, then of how many different queries.

    `n` of a row is of its judged queries; what is defined for fewer of them says so, `0.512 (87)`.
    """
    macro = found.macro_means()
    rows = [["queries", "n", *macro]]
    for language, judged in found.pool.items():
        means, counts = found.means(language), found.counts(language)
        cells = [
            "" if name not in means
            else spelt(name, means[name]) + (f" ({counts[name]})" if counts[name] < len(judged) else "")
            for name in macro
        ]  # fmt: skip
        rows.append([language_name(language), str(len(judged)), *cells])
    rows.append(["mean", "", *(spelt(name, value) for name, value in macro.items())])
    everything = count_queries(found.pool.values())
    rows.append(["n", str(everything), *(str(count_queries(cells.values())) for cells in found.cells().values())])
    return "\n".join([columns(rows), *found.left_out()])


def languages_as_json(found: Multilingual) -> dict[str, Any]:
    """The values of every query in every cell (see `Multilingual.cells`), what was left out, and tables of query
    languages by document languages."""
    pool = {language: mean(values) for language, values in found.pool.items()}
    return {
        "cells": found.cells(),
        "left_out": found.left_out(),
        "MAP": found.heat_map(),
        POOL: pool,
        "first": found.first_shares(),
    }


def spelt(setting: str, value: float) -> str:
    """Ranks with one decimal, shares with three."""
    return f"{value:.1f}" if setting == RANK_DISTANCE else f"{value:.3f}"
