"""Language bias of systems that search the documents of several languages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clir_ot.collections import Collection
from clir_ot.evaluation.multilingual import POOL, count_queries
from clir_ot.report.study import Row
from clir_ot.runs.rankings import HYBRID, languages_file

Matrix = Mapping[str, Mapping[str, float]]
"""`{query language: {document language: value}}`"""


@dataclass(frozen=True)
class Bias:
    """Of one system, means over its seeds.

    Attributes:
        name: of the system.
        settings: `{monolingual MAP, rank distance, ...: macro mean over (pairs of) languages}`.
        counts: `{setting: queries that it is defined for}`.
        average_precision: MAP in every pair of languages.
        pool: `{query language: MAP}` over the documents of all languages; empty where the runs were evaluated before it
            was kept.
        first: share of queries whose best relevant document in the pool is in the language.
        sizes: `{setting: fewest and most queries of a cell}`.
    """

    name: str
    settings: Mapping[str, float]
    counts: Mapping[str, int]
    average_precision: Matrix
    pool: Mapping[str, float]
    first: Matrix
    sizes: Mapping[str, tuple[int, int]]


def bias_of(rows: Sequence[Row], collection: Collection) -> tuple[list[Bias], list[str]]:
    """Of every hybrid system whose runs were evaluated over documents of several languages, and notes on the others."""
    found, notes = [], []
    for row in rows:
        if row.runs is None or row.runs.kind != HYBRID:
            continue
        files = [languages_file(run.folder, collection) for run in row.runs.runs]
        if missing := [path for path in files if not path.is_file()]:
            notes.append(f"No language bias of {row.name}: {missing[0]} is not there (`clir-ot evaluate` writes it).")
            continue
        read = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        if any("cells" not in said for said in read):
            notes.append(
                f"No language bias of {row.name}: it was measured before means were macro averages; evaluate anew."
            )
            continue
        settings = {
            name: _mean([_mean([_mean(list(cell.values())) for cell in said["cells"][name].values()]) for said in read])
            for name in read[0]["cells"]
        }
        counts = {name: count_queries(cells.values()) for name, cells in read[0]["cells"].items()}
        sizes = {name: [len(cell) for cell in cells.values()] for name, cells in read[0]["cells"].items()}
        ends = {name: (min(found), max(found)) for name, found in sizes.items()}
        notes += [f"{row.name}: {note}." for note in read[0]["left_out"]]
        maps, first = (_means([said[name] for said in read]) for name in ("MAP", "first"))
        pool = _means([{POOL: said[POOL]} for said in read])[POOL] if all(POOL in said for said in read) else {}
        found.append(Bias(row.name, settings, counts, maps, pool, first, ends))
    return found, notes


def _means(matrices: Sequence[Matrix]) -> dict[str, dict[str, float]]:
    return {
        row: {column: _mean([matrix[row][column] for matrix in matrices]) for column in cells}
        for row, cells in matrices[0].items()
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
