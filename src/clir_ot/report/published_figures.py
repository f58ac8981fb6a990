"""What others have published, beside what was measured here: shown where both are of one kind, and never tested."""

from collections.abc import Mapping, Sequence

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.metrics import canonical_measure
from clir_ot.evaluation.multilingual import CROSS_LINGUAL, MONOLINGUAL
from clir_ot.evaluation.multilingual import POOL as POOL_MAP
from clir_ot.report.bias import Bias
from clir_ot.report.published import MEAN, OTHERS, OWN, POOL, Published, PublishedTable
from clir_ot.report.sections import Section, Table
from clir_ot.report.study import Study

Figures = Mapping[str, Mapping[str, float]]
"""`{system: {query language or MEAN: value}}`"""

_OVER = {
    OWN: "the documents of their own language",
    OTHERS: "the documents of each other language, averaged",
    POOL: "the documents of all languages together",
}
_WARNING = (
    "Copied from print, not measured here. Texts, encoders and training data differ, so that a difference between such "
    "a figure and one of ours shows nothing by itself; none of these figures is in a test, or in the answer."
)


def published_figures(files: Sequence[Published], study: Study, bias: Sequence[Bias], collection: str) -> list[Section]:
    """A section of a table for each one in print that is of a measure, documents and languages measured here, too.

    Args:
        files: what is in print.
        study, bias: what was measured here.
        collection: its name.
    """
    if not files:
        return []
    tables, left_out = [], []
    for file in files:
        for printed in file.tables:
            ours = _ours(file, printed, study, bias)
            asked = _languages(printed.systems)
            shown = [name for name in asked if any(name in values for values in ours.values())]
            if missing := [name for name in asked if name not in shown]:
                kinds = "none of ours is of this kind" if not shown else _spelt(missing)
                left_out.append(f"{printed.measure} of queries over {_over(printed.documents)}, {file.source}: {kinds}")
            if shown:
                over = _count(printed.documents, shown, study, bias)
                tables.append((_note(file, printed, study, collection, over), _table(printed.systems, ours, shown)))
    text = [
        _WARNING,
        *(
            [f"In print, but not shown, as there is nothing of ours beside it: {'; '.join(left_out)}."]
            if left_out
            else []
        ),
    ]
    return [Section("Published figures", text, tables)]


def _ours(file: Published, printed: PublishedTable, study: Study, bias: Sequence[Bias]) -> Figures:
    """What was measured here by the same measure over the same kind of documents."""
    if printed.documents == ENGLISH:
        name = next((name for name in study.measures if canonical_measure(name) == printed.measure), None)
        found = {
            row.name: {language: measured.mean(name) for language, measured in row.results.items()}
            for row in study.rows
            if name
        }
    elif printed.measure == "MAP":
        found = {system.name: _of_languages(system, printed.documents, file.languages) for system in bias}
    else:
        found = {}
    everything = file.languages or []
    means = {
        name: {MEAN: sum(values[language] for language in everything) / len(everything)}
        for name, values in found.items()
        if everything and all(language in values for language in everything)
    }
    return {name: {**values, **means.get(name, {})} for name, values in found.items()}


def _of_languages(system: Bias, documents: str, collection: Sequence[str] | None) -> dict[str, float]:
    """MAP by query language; what depends on which other languages there are, only where they are the same."""
    maps = system.average_precision
    if documents not in (OWN, OTHERS, POOL):
        return {language: cells[documents] for language, cells in maps.items() if documents in cells}
    if documents == OWN:
        return {language: cells[language] for language, cells in maps.items() if language in cells}
    if {*maps} != {*(collection or ())}:
        return {}
    if documents == POOL:
        return {**system.pool}
    others = {a: [value for b, value in cells.items() if b != a] for a, cells in maps.items()}
    return {language: sum(values) / len(values) for language, values in others.items() if values}


def _table(printed: Figures, ours: Figures, languages: Sequence[str]) -> Table:
    header = ["figures", "system", *(name if name == MEAN else language_name(name) for name in languages)]
    rows = [
        [kind, name, *(form.format(values[language]) if language in values else "" for language in languages)]
        for kind, form, figures in (("published", "{:g}", printed), ("ours", "{:.3f}", ours))
        for name, values in figures.items()
        if any(language in values for language in languages)
    ]
    return [header, *rows]


def _count(documents: str, languages: Sequence[str], study: Study, bias: Sequence[Bias]) -> str:
    """What is to be said of how many queries of a language there are here."""
    if documents == ENGLISH:
        found = [row.results[name].count for row in study.rows for name in languages if name in row.results]
    else:
        setting = {OWN: MONOLINGUAL, POOL: POOL_MAP}.get(documents, CROSS_LINGUAL)
        found = [count for system in bias for count in system.sizes.get(setting, ())]
    ends = dict.fromkeys([min(found), max(found)]) if found else []
    return f", {' to '.join(map(str, ends))} queries a language" if ends else ""


def _note(file: Published, printed: PublishedTable, study: Study, collection: str, over: str) -> str:
    encoders = dict.fromkeys(
        str(row.runs.settings.get("model.encoder") or "the teacher's") for row in study.rows if row.runs
    )
    judged = study.judging.notes() if printed.documents == ENGLISH else []
    ours = "; ".join([f"measured on {collection}{over}", f"encoder: {', '.join(encoders)}", *judged])
    return (
        f"{printed.measure} of queries over {_over(printed.documents)}. Published: {file.source}; measured on "
        f"{file.collection}. Ours: {ours}. What else differs: "
        f"{file.differs.rstrip('.')}."
    )


def _over(documents: str) -> str:
    return _OVER.get(documents) or f"the {language_name(documents)} documents"


def _languages(systems: Figures) -> list[str]:
    """In the order of print, the mean last."""
    names = dict.fromkeys(name for values in systems.values() for name in values)
    return sorted(names, key=lambda name: name == MEAN)


def _spelt(languages: Sequence[str]) -> str:
    return ", ".join(name if name == MEAN else language_name(name) for name in languages)
