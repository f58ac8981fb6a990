"""The numbers of a report: every system in every language, compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import Estimate, estimate
from clir_ot.evaluation.gap import gap_closed
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import DEFAULT_MEASURES
from clir_ot.evaluation.query_noise import DEFAULT_NOISES
from clir_ot.evaluation.systems import Comparison, Measured, compare_all, measure, together
from clir_ot.report.curves import BITEXT_PAIRS, Curve, find_curves
from clir_ot.report.runs import SystemRuns, TrainedRun
from clir_ot.retrieval.bm25 import bm25_search
from clir_ot.runs.progress import say
from clir_ot.runs.rankings import DISTILLED, HYBRID, Queries, Searcher, run_searchers
from clir_ot.systems.alignment import method_title

BM25, TRANSLATE_TEST, ZERO_SHOT, ENGLISH_REFERENCE = "BM25", "translate-test", "zero-shot", "English reference"

_OPTICAL = method_title("ot", "uniform")


@dataclass(frozen=True)
class Row:
    """One system.

    Attributes:
        name: as tables call it.
        results: `{language: its runs}` on test queries as they are.
        noisy: `{(language, noise): its runs}`.
        runs: of a trained system.
    """

    name: str
    results: Mapping[str, Measured]
    noisy: Mapping[tuple[str, str], Measured]
    runs: SystemRuns | None = None

    def macro(self, languages: Sequence[str], measure: str) -> Estimate:
        """Macro average, each language weighing the same."""
        return estimate([(1 / len(languages), self.results[name].sample(measure)) for name in languages])


@dataclass(frozen=True)
class Study:
    """What a report tells.

    Attributes:
        measure: by which systems are compared.
        measures: all that were taken.
        languages: foreign ones, the low-resource ones first.
        low_resource: those that the question is about.
        rows: baselines, then the systems compared.
        further: systems that are but a point of a curve.
        curves: systems that differ in one setting alone, perhaps a primary one among them.
        primary: `{kind: name}` of the systems that answer the question.
        comparisons: `{(system, baseline, languages): comparison}`, Holm-adjusted over all of them; of several
            low-resource languages, those that both systems have, macro-averaged.
        gaps: `{(system, language): share of the gap closed}`; None where there is no gap.
        notes: what a reader must know of how this was made.
        judging: which documents are relevant, and ties.
    """

    measure: str
    measures: Sequence[str]
    languages: Sequence[str]
    low_resource: Sequence[str]
    rows: Sequence[Row]
    further: Sequence[Row]
    curves: Sequence[Curve]
    primary: Mapping[str, str]
    comparisons: Mapping[tuple[str, str, tuple[str, ...]], Comparison]
    gaps: Mapping[tuple[str, str], Estimate | None]
    notes: list[str]
    judging: Judging = USUAL

    def row(self, name: str) -> Row | None:
        """The row of that name, if there is one."""
        return next((row for row in [*self.rows, *self.further] if row.name == name), None)

    def compared(self, system: str, baseline: str, languages: Sequence[str]) -> list[Comparison]:
        """The comparisons of two systems in each of the languages, where there are any."""
        keys = [(system, baseline, (language,)) for language in languages]
        return [self.comparisons[key] for key in keys if key in self.comparisons]

    def macro_comparison(self, system: str, baseline: str) -> Comparison | None:
        """That of several languages."""
        found = (c for (a, b, names), c in self.comparisons.items() if (a, b) == (system, baseline) and len(names) > 1)
        return next(found, None)


def make_study(
    systems: Sequence[SystemRuns],
    teacher: Searcher,
    collection: Collection,
    *,
    split: str = "test",
    low_resource: Sequence[str] | None = None,
    measures: Sequence[str] = DEFAULT_MEASURES,
    judging: Judging = USUAL,
) -> Study:
    """Measure every system, searching what has no ranking yet, and compare.

    Args:
        systems: distilled and hybrid ones.
        teacher: searches English queries (the English reference) and foreign ones (zero-shot).
        collection: whose test queries are searched.
        split: of the queries.
        low_resource: languages that the question is about; by default all foreign ones.
        measures: the first is compared.
        judging: which documents are relevant, and ties.

    Raises:
        UserError: a low-resource language that no system has; a ranking is missing and its run's encoder was dropped.
    """
    found = dict.fromkeys(language for system in systems for run in system.runs for language in run.languages)
    if unknown := [name for name in low_resource or () if name not in found]:
        raise UserError(f"no run in the report was trained in {unknown[0]!r}; there are {', '.join(found)}")
    low = [name for name in found if low_resource is None or name in low_resource]
    languages = [*low, *(name for name in found if name not in low)]
    notes: list[str] = []
    maker = _Maker(collection, split, measures, judging, notes)
    rows = maker.baselines(teacher, languages)
    made = []
    for number, system in enumerate(systems, start=1):
        say(f"[{number}/{len(systems)}] {system.name}: {len(system.runs)} runs")
        made.append(maker.trained(system, languages))
    primary = {
        kind: _primary([row for row in made if row.runs and row.runs.kind == kind], maker, low, notes)
        for kind in dict.fromkeys(system.kind for system in systems)
    }
    curves = find_curves(systems, collection)
    on_curves = {name for curve in curves for name in curve.names} - {*primary.values()}
    further = [row for row in made if row.name in on_curves]
    rows += [row for row in made if row.name not in on_curves]
    if DISTILLED in primary and not any(_OPTICAL in system.title for system in systems):
        notes.append(
            "No run is trained as OPTICAL published it (`--model.alignment ot --model.marginals uniform`): what stands "
            "here says nothing of that method."
        )
    measure_ = measures[0]
    return Study(
        measure_, measures, languages, low, rows, further, curves, primary,
        _comparisons(rows, languages, low, primary, measure_), _gaps(rows, languages, measure_), notes, judging,
    )  # fmt: skip


class _Maker:
    """Measures one ranking after the other."""

    def __init__(
        self, collection: Collection, split: str, measures: Sequence[str], judging: Judging, notes: list[str]
    ) -> None:
        self.collection, self.split, self.notes = collection, split, notes
        self.measures, self.judging = tuple(measures), judging
        self.english = collection.is_judged(split, ENGLISH)
        self._searchers: dict[Path, Searcher] = {}

    def baselines(self, teacher: Searcher, languages: Sequence[str]) -> list[Row]:
        """BM25, translate-test where there are translations, zero-shot with the English reference."""
        all_languages = [*languages, *([ENGLISH] if self.english else [])]
        documents = self.collection.documents()

        def bm25(queries: Queries) -> Measured:
            texts, qrels = queries.read(self.collection)
            return measure(BM25, queries.language, bm25_search(texts, documents), qrels, self.measures, self.judging)

        def dense(queries: Queries) -> Measured:
            return self._measured(teacher, queries)

        def row(name: str, by: Sequence[str], search: Callable[[Queries], Measured]) -> Row:
            clean = {language: search(Queries(language, self.split)) for language in by}
            noisy = {
                (language, noise): search(Queries(language, self.split, noise))
                for language, noise in product(languages, DEFAULT_NOISES)
            }
            return Row(name, clean, noisy)

        self.notes += [
            f"{Queries(language, self.split, noise).changed(self.collection)}."
            for noise, language in product(DEFAULT_NOISES, languages)
        ]

        for language in all_languages:
            _, qrels = self.collection.judged(self.split, language)
            self.notes += [f"{language_name(language)}: {note}." for note in self.judging.unanswerable(qrels)]
        rows = [row(BM25, all_languages, bm25)]
        translated = [language for language in languages if self.collection.has_translated_queries(language)]
        if translated:
            found = {language: dense(Queries(language, self.split, translated=True)) for language in translated}
            rows.append(Row(TRANSLATE_TEST, found, {}))
        else:
            self.notes.append("No translate-test: the collection has no translated queries (`clir-ot translate`).")
        return [*rows, row(ZERO_SHOT, all_languages, dense)]

    def trained(self, system: SystemRuns, languages: Sequence[str]) -> Row:
        """One row; of English, every run's."""
        clean, noisy = {}, {}
        for language in [*languages, *([ENGLISH] if self.english else [])]:
            runs = system.of(language)
            if not runs:
                continue
            clean[language] = self._seeds(runs, Queries(language, self.split))
            for noise in DEFAULT_NOISES if language != ENGLISH else ():
                queries = Queries(language, self.split, noise)
                if all(self._can(run, queries) for run in runs):
                    noisy[language, noise] = self._seeds(runs, queries)
        return Row(system.name, clean, noisy, system)

    def dev(self, row: Row, languages: Sequence[str]) -> float | None:
        """Macro average on dev queries; None where a ranking is missing."""
        values = []
        for language in languages:
            queries = Queries(language, "dev")
            runs = row.runs.of(language) if row.runs else []
            if not self.collection.is_judged("dev", language) or not all(self._can(run, queries) for run in runs):
                return None
            values.append(self._seeds(runs, queries).mean(self.measures[0]))
        return sum(values) / len(values) if values else None

    def _seeds(self, runs: Sequence[TrainedRun], queries: Queries) -> Measured:
        measured = []
        for run in runs:
            if not self._can(run, queries):
                raise UserError(
                    f"{run.folder.path}: its encoder was dropped, and there is no ranking of {queries}; measure again "
                    "with the encoders kept (--keep-encoders)"
                )
            measured.append(self._measured(self._searcher(run), queries))
        return together(measured)

    def _measured(self, searcher: Searcher, queries: Queries) -> Measured:
        if not (path := searcher.path(queries)).is_file():
            say(f"searching, into {path}")
        return searcher.measured(queries, self.measures, self.judging)

    def _can(self, run: TrainedRun, queries: Queries) -> bool:
        return run.folder.is_trained or self._searcher(run).path(queries).is_file()

    def _searcher(self, run: TrainedRun) -> Searcher:
        path = run.folder.path
        if path not in self._searchers:
            self._searchers[path], _ = run_searchers(run.folder, self.collection)
        return self._searchers[path]


def _primary(rows: Sequence[Row], maker: _Maker, low: Sequence[str], notes: list[str]) -> str:
    """Of several systems of a kind: one with the most languages, and of those the one with the best dev figure.

    One with a part of the bitext is chosen only where none has all: less data is no setting that one would pick.
    """
    rows = [row for row in rows if row.runs and row.runs.settings.get(BITEXT_PAIRS) is None] or rows
    most = max(len(row.results) for row in rows)
    widest = [row for row in rows if len(row.results) == most]
    shared = [language for language in low if all(language in row.results for row in widest)]
    dev = {row.name: maker.dev(row, shared) for row in widest}
    known = {name: value for name, value in dev.items() if value is not None}
    if len(widest) == 1 or len(known) < len(widest):
        return widest[0].name
    best = max(known, key=lambda name: known[name])
    notes.append(
        f"Of {len(widest)} {widest[0].runs.kind if widest[0].runs else ''} systems, {best} has the best dev figure."
    )
    return best


def _comparisons(
    rows: Sequence[Row], languages: Sequence[str], low: Sequence[str], primary: Mapping[str, str], measure: str
) -> dict[tuple[str, str, tuple[str, ...]], Comparison]:
    """Each trained system with zero-shot, in English with the teacher; the primary ones with each other and rivals."""
    by_name = {row.name: row for row in rows}
    pairs = [(row.name, ZERO_SHOT) for row in rows if row.runs]
    if DISTILLED in primary and HYBRID in primary:
        pairs.append((primary[DISTILLED], primary[HYBRID]))
    pairs += [(primary[r.runs.kind], r.name) for r in rows if r.runs and r.name not in primary.values()]
    if TRANSLATE_TEST in by_name:
        pairs += [(name, TRANSLATE_TEST) for name in primary.values()]
    keys: list[tuple[str, str, tuple[str, ...]]] = []
    for system, baseline in dict.fromkeys(pairs):
        a, b = by_name[system].results, by_name[baseline].results
        shared = [name for name in languages if name in a and name in b]
        keys += [(system, baseline, (language,)) for language in shared]
        if len(both := tuple(name for name in low if name in shared)) > 1:
            keys.append((system, baseline, both))
        if baseline == ZERO_SHOT and ENGLISH in a and ENGLISH in b:
            keys.append((system, baseline, (ENGLISH,)))
    sides = [
        tuple(
            [replace(by_name[name].results[language], name=name) for language in names] for name in (system, baseline)
        )
        for system, baseline, names in keys
    ]
    return dict(zip(keys, compare_all([(a, b) for a, b in sides], measure), strict=True))


def _gaps(rows: Sequence[Row], languages: Sequence[str], measure: str) -> dict[tuple[str, str], Estimate | None]:
    (zero_shot,) = (row for row in rows if row.name == ZERO_SHOT)
    if ENGLISH not in zero_shot.results:
        return {}
    return {
        (row.name, language): gap_closed(
            *(
                results[name].sample(measure)
                for results, name in (
                    (zero_shot.results, language), (row.results, language), (zero_shot.results, ENGLISH)
                )
            )
        )
        for row in rows
        if row.name not in (ZERO_SHOT, BM25)
        for language in languages
        if language in row.results
    }  # fmt: skip
