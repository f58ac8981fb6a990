"""Encoders of several languages, compared within and across languages."""

import json
from pathlib import Path

from clir_ot.ablation.plan import Ablation
from clir_ot.ablation.variant import Variant, train_and_measure
from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name, parse_languages
from clir_ot.evaluation.languages_table import languages_as_json, spelt
from clir_ot.evaluation.multilingual import evaluate_languages
from clir_ot.evaluation.seeds import Seeds
from clir_ot.evaluation.systems import Measured, compare_all
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.runs.rankings import Queries, run_searchers

_SPLIT = "test"
_ONE = "setting"  # under this name a setting is compared alone


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
    results = {name: Seeds([_measured(run) for (n, _), run in runs.items() if n == name]) for name in ablation.variants}
    table = _table(results, ablation.baselines, _languages(next(iter(runs.values()))))
    write_text(folder / "table.md", table + "\n")
    return table


def _languages(run: Variant) -> list[str]:
    return parse_languages(run.folder.read_config()["data"]["languages"])


def _measured(run: Variant) -> Measured:
    found = json.loads(run.folder.languages.read_text(encoding="utf-8"))
    return Measured(run.name, "", found["by_query"])


def _table(results: dict[str, Seeds], baselines: list[str], languages: list[str]) -> str:
    """Markdown: every variant's settings; then its differences from the baselines, Holm-adjusted over all of them."""
    pooled = {name: seeds.pooled for name, seeds in results.items()}
    settings = list(next(iter(pooled.values())).values)
    rows = [["variant", "seeds", *(f"{setting} [95 % interval]" for setting in settings)]]
    for name, seeds in results.items():
        cells = [_cell(seeds, setting) for setting in settings]
        rows.append([name, str(len(seeds.runs)), *cells])
    against = [name for name in baselines if name in pooled]
    pairs = [(name, other) for other in against for name in pooled if name != other]
    # One family for the correction: all settings together.
    keys = [(*pair, setting) for pair in pairs for setting in settings]
    alone = {
        (name, setting): Measured(name, "", {_ONE: values})
        for name, system in pooled.items()
        for setting, values in system.values.items()
    }
    sides = [(alone[name, setting], alone[other, setting]) for name, other, setting in keys]
    compared = dict(zip(keys, compare_all(sides, _ONE), strict=True))
    differences = [["variant", "against", *settings]]
    for name, other in pairs:
        found = [compared[name, other, setting] for setting in settings]
        differences.append(
            [name, other]
            + [
                f"{'+' * (c.paired.difference >= 0)}{spelt(setting, c.paired.difference)}, {p_value(c.p_adjusted)}"
                for c, setting in zip(found, settings, strict=True)
            ]
        )
    names = ", ".join(map(language_name, languages))
    count = len(next(iter(pooled.values())).values[settings[0]])
    note = (
        f"{names}; {count} test queries, each worth its mean over languages and seeds. Brackets: 95 % bootstrap "
        "interval over queries; then the range over seeds. Rank distance: lower is better. p: paired randomisation "
        "test, Holm-adjusted over the table."
    )
    return "\n\n".join([columns(rows), *([columns(differences)] if pairs else []), note])


def _cell(seeds: Seeds, setting: str) -> str:
    mean, *bounds = (
        spelt(setting, value)
        for value in (seeds.pooled.mean(setting), *seeds.pooled.interval(setting), *seeds.span(setting))
    )
    return "{} [{}, {}] ({} to {})".format(mean, *bounds)
