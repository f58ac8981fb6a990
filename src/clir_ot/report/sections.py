"""The parts of a report, as text, tables and pictures; what they look like is `page`'s business."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.languages_table import spelt as setting_spelt
from clir_ot.evaluation.multilingual import CROSS_LINGUAL, OWN_FIRST
from clir_ot.evaluation.query_noise import DEFAULT_NOISES
from clir_ot.evaluation.table import change, p_value, with_interval
from clir_ot.pictures.language_heatmap import heat_map
from clir_ot.report import figures
from clir_ot.report.answer import answer
from clir_ot.report.bias import Bias
from clir_ot.report.curves import ALPHA, BITEXT_PAIRS
from clir_ot.report.effectiveness import figure_of
from clir_ot.report.study import ENGLISH_REFERENCE, ZERO_SHOT, Row, Study

_VARIED = {
    ALPHA: ("Alpha", "Share of monolingual batches, alpha"),
    BITEXT_PAIRS: ("Size of the bitext", "Bitext pairs"),
}

Table = Sequence[Sequence[str]]
"""Rows of cells, the first its header."""


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it.

    Attributes:
        title: the heading.
        text: paragraphs.
        tables: `(caption, table)`.
        figures: `(caption, picture)`; the caption says what is seen, for those who cannot.
    """

    title: str
    text: Sequence[str] = ()
    tables: Sequence[tuple[str, Table]] = ()
    figures: Sequence[tuple[str, Figure]] = field(default=())


def sections(study: Study, bias: Sequence[Bias], further: Sequence[Section] = ()) -> list[Section]:
    """Everything that the runs have figures for, the answer first; further sections before how all this was made."""
    return [
        Section("The answer", answer(study)),
        _effectiveness(study),
        _tests(study),
        *_gap(study),
        _robustness(study),
        *_curves(study),
        *(_bias(found) for found in bias),
        _cost(study),
        _all_measures(study),
        *further,
        Section("How this was made", study.notes),
    ]


def spelt(languages: Sequence[str]) -> str:
    """Of a comparison, in a table."""
    return ", ".join(map(language_name, languages)) + (" (macro)" if len(languages) > 1 else "")


def _effectiveness(study: Study) -> Section:
    rows = [["system", *(_heading(study.rows, name) for name in study.languages), _macro_heading(study)]]
    rows[0].append(_heading(study.rows, ENGLISH))
    for row in study.rows:
        whole = all(language in row.results for language in study.low_resource)
        rows.append(
            [
                row.name,
                *(_cell(row, language, study.measure) for language in study.languages),
                with_interval(row.macro(study.low_resource, study.measure)) if whole else "",
                _cell(row, ENGLISH, study.measure),
            ]
        )
    note = (
        f"{study.measure} over the English documents: mean over queries and seeds with its 95 % interval over both, "
        f"range over seeds where there are several. {ENGLISH_REFERENCE}: the cell of {ZERO_SHOT} under English; "
        "a reference, which other systems may be above."
    )
    if said := study.judging.notes():
        note += f" In all tables but those of language bias, {'; '.join(said)}."
    seen = f"{study.measure} with its interval, by query language; dashed: English queries asked of the teacher."
    return Section("Effectiveness", [], [(note, rows)], [(seen, figures.by_language(study))])


def _heading(rows: Sequence[Row], language: str) -> str:
    counts = {row.results[language].count for row in rows if language in row.results}
    return (
        f"{language_name(language)}, n = {' or '.join(map(str, sorted(counts)))}" if counts else language_name(language)
    )


def _macro_heading(study: Study) -> str:
    """Of the mean over languages; queries and their translations are one."""
    zero_shot = next(row for row in study.rows if row.name == ZERO_SHOT)
    queries = {q for name in study.low_resource for q in zero_shot.results[name].values[study.measure]}
    return f"mean of {', '.join(study.low_resource)}, n = {len(queries)}"


def _cell(row: Row, language: str, measure: str) -> str:
    return str(figure_of(row.results[language], measure)) if language in row.results else ""


def _tests(study: Study) -> Section:
    header = ["system", "against", "queries", "n", "seeds", "difference [95 %]", "verdict", "p (Holm)", "p"]
    rows = [[*header, "won / tied / lost"]]
    for (system, baseline, languages), c in study.comparisons.items():
        english = languages == (ENGLISH,)
        rows.append(
            [
                system,
                ENGLISH_REFERENCE if english else baseline,
                spelt(languages),
                str(c.count),
                " / ".join(map(str, c.runs)),
                change(c.difference),
                f"{c.verdict()}, {c.equivalence()}" if english else c.verdict(),
                p_value(c.p_adjusted),
                p_value(c.difference.p),
                f"{c.wins} / {c.ties} / {c.losses}",
            ]
        )
    note = (
        f"Differences of {study.measure}; n: queries, of several languages each query in each. p: t-test over queries "
        "and seeds, both of which are drawn (of one run against one: the paired t-test; of a trained system with one "
        "run it says nothing of other seeds); Holm: corrected over this table. Within: shown by two one-sided t-tests "
        "at .05, not corrected."
    )
    if all(languages == (ENGLISH,) for _, _, languages in study.comparisons):
        return Section("Tests", [], [(note, rows)])
    seen = "The differences of foreign queries with their intervals; an open mark: no difference shown."
    return Section("Tests", [], [(note, rows)], [(seen, figures.differences(study))])


def _gap(study: Study) -> list[Section]:
    names = list(dict.fromkeys(name for name, _ in study.gaps))
    if not names:
        return []
    rows = [["system", *(_heading(study.rows, language) for language in study.languages)]]
    for name in names:
        cells = []
        for language in study.languages:
            gap = study.gaps.get((name, language))
            missing = "no gap" if (name, language) in study.gaps else ""
            cells.append("{:.0%} [{:.0%}, {:.0%}]".format(gap.value, *gap.interval()) if gap else missing)
        rows.append([name, *cells])
    note = (
        f"Share of the distance between zero-shot and English queries, in {study.measure}, that a system covers; 95 % "
        "interval over queries and seeds."
    )
    if not any(study.gaps.values()):
        return [Section("Gap closed", [], [(note, rows)])]
    seen = "The same with its interval: 0 is zero-shot, the dashed line at 100 % is English."
    return [Section("Gap closed", [], [(note, rows)], [(seen, figures.gap(study))])]


def _robustness(study: Study) -> Section:
    worst = [["system", "worst language", study.measure, "best language", study.measure, "spread"]]
    noise = [["system", "language", "n", "as written", *DEFAULT_NOISES]]
    for row in study.rows:
        means = {name: row.results[name].mean(study.measure) for name in study.languages if name in row.results}
        if not means:
            continue
        low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
        ends = [cell for name in (low, high) for cell in (_heading([row], name), f"{means[name]:.3f}")]
        worst.append([row.name, *ends, f"{means[high] - means[low]:.3f}"])
        for language, clean in means.items():
            cells = [_degraded(row, language, kind, clean, study.measure) for kind in DEFAULT_NOISES]
            if any(cells):
                noise.append(
                    [row.name, language_name(language), str(row.results[language].count), f"{clean:.3f}", *cells]
                )
    tables: list[tuple[str, Table]] = [
        (f"Worst and best language by {study.measure}; spread is their difference.", worst)
    ]
    if len(noise) > 1:
        tables.append(
            (
                f"{study.measure} of queries as they are really typed: without diacritics, and with a tenth of the "
                "neighbouring letters swapped; in brackets the change.",
                noise,
            )
        )
        seen = f"{study.measure} of queries as they are written (filled) and as they may be typed (open)."
        return Section("Robustness", [], tables, [(seen, figures.noise(study))])
    return Section("Robustness", [], tables)


def _degraded(row: Row, language: str, noise: str, clean: float, measure: str) -> str:
    if (language, noise) not in row.noisy:
        return ""
    value = row.noisy[language, noise].mean(measure)
    return f"{value:.3f} ({(value / clean - 1) if clean else 0:+.0%})"


def _curves(study: Study) -> list[Section]:
    found = []
    for curve in study.curves:
        title, what = _VARIED[curve.key]
        rows = [(x, row) for x, system in curve.points if (row := study.row(system.name))]
        languages = [name for name in study.languages if all(name in row.results for _, row in rows)]
        table = [[what, *(_heading([row for _, row in rows], name) for name in languages)]]
        table += [[f"{x:g}", *(_cell(row, name, study.measure) for name in languages)] for x, row in rows]
        note = f"{study.measure} by {what[0].lower()}{what[1:]}; all else stays."
        primary = next(row for row in study.rows if row.name == study.primary[curve.points[0][1].kind])
        if primary.runs and primary.name not in curve.names:
            said = ", ".join(curve.other_settings(primary.runs))
            note += f" These are other runs than those of {primary.name} above: {said}."
        seen = "The same as a curve, one line a language, with 95 % intervals over queries."
        found.append(Section(title, [], [(note, table)], [(seen, figures.curve(rows, languages, study.measure, what))]))
    return found


def _bias(found: Bias) -> Section:
    header = ["queries", *(f"{setting}" for setting in found.settings)]
    table = [header, ["mean", *(setting_spelt(name, value) for name, value in found.settings.items())]]
    table.append(["n", *map(str, found.counts.values())])
    note = (
        "Macro averages over languages, or pairs of them, and means over seeds; n: different queries. MAP within a "
        "language, across languages and in the pool of all languages' documents; rank distance: between the best and "
        "the worst translation of a relevant document in the pool; own language first: share of queries whose best "
        "relevant document, of those with translations, is in their own language; RankC and rank correlation "
        "(Spearman): agreement of the pool's rankings for translations of a query."
    )
    maps = [
        (f"{found.name}: MAP of queries in one language (rows) over documents in another (columns)"
         f"{_a_cell(found, CROSS_LINGUAL)}.",
         heat_map(found.average_precision, "MAP")),
    ]  # fmt: skip
    if found.first:
        languages = {language for shares in found.first.values() for language in shares}
        seen = (
            f"{found.name}: share of queries (rows) whose best relevant document in the pool is in a language "
            f"(columns){_a_cell(found, OWN_FIRST)}; without preference, and with one in every language, each would be "
            f"{1 / len(languages):.2f}."
        )
        maps.append((seen, heat_map(found.first, "share")))
    return Section(f"Language bias: {found.name}", [], [(note, table)], maps)


def _a_cell(found: Bias, setting: str) -> str:
    """`, n = 18 to 20`: of the queries of each cell."""
    least, most = found.sizes.get(setting, (0, 0))
    return f", n = {least}{f' to {most}' if most > least else ''}" if most else ""


def _cost(study: Study) -> Section:
    rows = [["system", "runs", "steps", "tokens", "minutes", "peak memory", "devices"]]
    for row in [*study.rows, *study.further]:
        if row.runs is None:
            continue
        facts = [run.facts for run in row.runs.runs]
        rows.append(
            [
                row.name,
                str(len(facts)),
                _mean([fact["steps"] for fact in facts], "{:.0f}"),
                _mean([fact["tokens"] / 1e6 for fact in facts if "tokens" in fact], "{:.2f} M"),
                _mean([fact["seconds"] / 60 for fact in facts], "{:.1f}"),
                _mean([fact["peak_memory_bytes"] / 2**30 for fact in facts], "{:.1f} GiB"),
                _mean([fact["devices"] for fact in facts], "{:.0f}"),
            ]
        )
    note = (
        "Of one run, mean over a system's runs; tokens are those of its batches, on both sides. A distilled system "
        "needs a run for each language, a hybrid one a single run."
    )
    return Section("Training cost", [], [(note, rows)])


def _mean(values: Sequence[float], form: str) -> str:
    return form.format(sum(values) / len(values)) if values else ""


def _all_measures(study: Study) -> Section:
    rows = [["system", "queries", "n", *study.measures]]
    for row in study.rows:
        for language, found in row.results.items():
            rows.append(
                [row.name, language_name(language), str(found.count), *(f"{found.mean(m):.3f}" for m in study.measures)]
            )
    return Section("All measures", [], [("Means over queries and seeds, with trec_eval's definitions.", rows)])
