"""Encoders of several languages, compared within and across languages."""

import json
from collections.abc import Iterable
from pathlib import Path

from clir_ot.ablation.plan import Ablation, pairs_against
from clir_ot.ablation.variant import Variant, train_and_measure
from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name, parse_languages
from clir_ot.evaluation.estimate import estimate
from clir_ot.evaluation.languages_table import languages_as_json, spelt
from clir_ot.evaluation.multilingual import count_queries, evaluate_languages
from clir_ot.evaluation.significance import holm
from clir_ot.evaluation.systems import Measured, compare
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.runs.rankings import Queries, run_searchers

_SPLIT = "test"


def ablate_languages(
    ablation: Ablation,
    collection: Collection,
    folder: Path,
    *,
    jobs: int = 1,
    devices: int | None = None,
    keep_encoders: bool = False,
) -> str:
    """Train what is not trained yet, measure it in all settings on test queries, write and return the table.

    Args:
        ablation: what to train; in which languages, its experiment says.
        collection: with translated queries and documents.
        folder: of the runs and the table.
        jobs, devices, keep_encoders: see `train_and_measure`.

    Raises:
        UserError: a run fails, the folder holds runs of other settings, the collection lacks a language.
    """

    def measure_encoder(run: Variant) -> None:
        own, _ = run_searchers(run.folder, collection)
        languages = _languages(run)
        for language in languages:
            own.ranking(Queries(language, _SPLIT))
            if collection.is_judged("dev", language):
                own.ranking(Queries(language, "dev"))
        found = evaluate_languages(own.encoder, collection, languages, _SPLIT, {ENGLISH: own.documents().load()})
        write_text(run.folder.languages, json.dumps(languages_as_json(found), ensure_ascii=False) + "\n")

    runs = ablation.runs(folder, collection.folder, {})
    train_and_measure(
        runs.values(),
        collection.fingerprint(),
        measure_encoder,
        jobs=jobs,
        devices=devices,
        keep_encoders=keep_encoders,
    )
    table = _table(runs, ablation.variants, ablation.baselines)
    write_text(folder / "table.md", table + "\n")
    return table


def _languages(run: Variant) -> list[str]:
    return parse_languages(run.folder.read_config()["data"]["languages"])


def _table(runs: dict[tuple[str, int], Variant], variants: Iterable[str], baselines: list[str]) -> str:
    """Markdown: every variant's settings; then its differences from the baselines, Holm-adjusted over all of them."""
    read = {key: json.loads(run.folder.languages.read_text(encoding="utf-8")) for key, run in runs.items()}
    said = next(iter(read.values()))
    cells = {setting: list(found) for setting, found in said["cells"].items()}

    def measured(name: str, setting: str) -> list[Measured]:
        """One for each cell; a run has one name in all of them, and two variants' runs of a seed have two."""
        return [
            Measured(
                name,
                cell,
                {f"{n} {s}": {setting: f["cells"][setting][cell]} for (n, s), f in read.items() if n == name},
            )
            for cell in cells[setting]
        ]

    found = {name: {setting: measured(name, setting) for setting in cells} for name in variants}
    rows = [["variant", "seeds", *(f"{setting} [95 % interval]" for setting in cells)]]
    for name, settings in found.items():
        rows.append(
            [name, str(sum(n == name for n, _ in runs)), *(_cell(settings[setting], setting) for setting in cells)]
        )
    counts = [str(count_queries(said["cells"][setting].values())) for setting in cells]
    rows.append(["n", "", *counts])
    pairs = pairs_against(found, [name for name in baselines if name in found])
    # One family for the correction: all settings together.
    keys = [(*pair, setting) for pair in pairs for setting in cells]
    compared = [compare(found[name][setting], found[other][setting], setting) for name, other, setting in keys]
    adjusted = holm({str(i): comparison.p_adjusted for i, comparison in enumerate(compared)})
    shown = {
        key: f"{'+' * (c.difference.value >= 0)}{spelt(key[2], c.difference.value)}, {p_value(adjusted[str(i)])}"
        for i, (key, c) in enumerate(zip(keys, compared, strict=True))
    }
    differences = [
        ["variant", "against", *cells],
        *([*pair, *(shown[*pair, setting] for setting in cells)] for pair in pairs),
    ]
    languages = ", ".join(map(language_name, _languages(next(iter(runs.values())))))
    note = (
        f"{languages}. Macro averages over (pairs of) languages, n: different queries. Brackets: 95 % interval over "
        "queries and seeds; then the range over seeds. Rank distance: lower is better. p: t-test over queries and "
        "seeds, Holm-adjusted over the table, each two variants compared once."
    )
    return "\n\n".join([columns(rows), *([columns(differences)] if pairs else []), " ".join([note, *said["left_out"]])])


def _cell(cells: list[Measured], setting: str) -> str:
    found = estimate([(1 / len(cells), cell.sample(setting)) for cell in cells])
    means = [
        estimate([(1 / len(cells), {run: cell.sample(setting)[run]}) for cell in cells]).value for run in cells[0].runs
    ]
    mean, *bounds = (spelt(setting, value) for value in (found.value, *found.interval(), min(means), max(means)))
    return "{} [{}, {}] ({} to {})".format(mean, *bounds)
