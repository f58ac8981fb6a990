"""The answer to the research question, in words that follow from the tests."""

from collections.abc import Sequence
from itertools import product

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.systems import Comparison
from clir_ot.evaluation.table import change, p_value
from clir_ot.report.study import ZERO_SHOT, Study
from clir_ot.runs.rankings import DISTILLED, HYBRID


def answer(study: Study) -> list[str]:
    """One paragraph a system, then one on how they compare, then the limits; each sentence says what a test found."""
    paragraphs = [_in_short(study), *(_against_zero_shot(study, kind, name) for kind, name in study.primary.items())]
    if DISTILLED in study.primary and HYBRID in study.primary:
        paragraphs.append(_against_each_other(study))
    return [*paragraphs, *_against_rivals(study), _limits(study)]


def _in_short(study: Study) -> str:
    """Where each system was shown to help."""
    said = []
    for kind, name in study.primary.items():
        found = _of_zero_shot(study, name)
        better, worse = (sum(c.verdict() == verdict for c in found) for verdict in ("better", "worse"))
        helps = "all" if better == len(found) else str(better) if better else "none"
        harm = f" and harms in {worse}" if worse else ""
        said.append(f"{_title(study, kind)} is shown to help in {helps} of {_languages(len(found))}{harm}")
    return f"In short: {'; '.join(said)}."


def _title(study: Study, kind: str) -> str:
    row = study.row(study.primary[kind])
    return row.runs.title if kind == DISTILLED and row and row.runs else "hybrid-batch training"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _of_zero_shot(study: Study, name: str) -> list[Comparison]:
    return study.compared(name, ZERO_SHOT, study.low_resource)


def _languages(count: int) -> str:
    return f"{count} {'language' if count == 1 else 'languages'}"


def _against_zero_shot(study: Study, kind: str, name: str) -> str:
    found = _of_zero_shot(study, name)
    sentences = [f"{_capital(_title(study, kind))} against zero-shot, {study.measure}: {_counted(found)}."]
    if macro := study.macro_comparison(name, ZERO_SHOT):
        sentences.append(_macro(macro))
    gaps = [gap.value for language in study.low_resource if (gap := study.gaps.get((name, language)))]
    if gaps:
        sentences.append(
            f"It closes {min(gaps):.0%} to {max(gaps):.0%} of the gap between zero-shot and English queries."
            if len(gaps) > 1
            else f"It closes {gaps[0]:.0%} of the gap between zero-shot and English queries."
        )
    sentences += _worst(study, name)
    for english in study.compared(name, ZERO_SHOT, [ENGLISH]):
        sentences.append(
            f"English queries, against the teacher: {_figures(english)}: {english.verdict()}, {english.equivalence()} "
            "(equivalence by two one-sided t-tests)."
        )
    return " ".join(sentences)


def _worst(study: Study, name: str) -> list[str]:
    """The language that is served worst, beside zero-shot's."""
    worst = []
    for row in (study.row(name), study.row(ZERO_SHOT)):
        means = {
            language: row.results[language].mean(study.measure)
            for language in study.low_resource
            if row and language in row.results
        }
        if len(means) < 2:
            return []
        language = min(means, key=means.__getitem__)
        worst.append(f"{language_name(language)} with {means[language]:.3f}")
    return [f"Its worst language is {worst[0]}; zero-shot's is {worst[1]}."]


def _against_each_other(study: Study) -> str:
    pair = study.primary[DISTILLED], study.primary[HYBRID]
    if not (found := study.compared(*pair, study.low_resource)):
        return "Distillation and hybrid-batch training have no language in common, so they are not compared."
    sentence = f"{pair[0]} against {pair[1]}: {_counted(found)}."
    if macro := study.macro_comparison(*pair):
        sentence += f" {_macro(macro)}"
    return _capital(sentence)


def _against_rivals(study: Study) -> list[str]:
    """The primary systems beside others of their kind."""
    rivals = [row.name for row in study.rows if row.runs and row.name not in study.primary.values()]
    sentences = []
    for name, rival in product(study.primary.values(), rivals):
        if found := study.compared(name, rival, study.low_resource):
            sentences.append(f"{_capital(name)} against {rival}: {_counted(found)}.")
    return [" ".join(sentences)] if sentences else []


def _limits(study: Study) -> str:
    results = [(row, found) for row in study.rows for found in row.results.values()]
    seeds = [len(found.runs) for row, found in results if row.runs]
    queries = [found.count for _, found in results]
    least, most = min(queries), max(queries)
    count = str(least) if least == most else f"{least} to {most}"
    drawn = (
        "Queries and seeds are drawn in the tests, so that verdicts are about systems, not these weights. "
        if min(seeds) > 1
        else "A system with one run is judged by these weights: what another seed would give is not known. "
    )
    return (
        f"{drawn}One collection with {count} judged queries a language and one teacher: what a "
        "difference would be with other texts or another teacher is not shown. "
        f"Verdicts: t-test, p below .05 after Holm's correction over the {len(study.comparisons)} "
        "comparisons made; «no difference shown» does not mean that there is none."
    )


def _macro(comparison: Comparison) -> str:
    names = ", ".join(map(language_name, comparison.languages))
    return f"Mean over {names}, each weighing the same: {_figures(comparison)}: {comparison.verdict()}."


def _counted(found: Sequence[Comparison]) -> str:
    """`better in 2 of 3 languages (Yoruba +0.256, Hausa +0.251), no difference shown in 1 (...), worse in none`."""
    parts = []
    for verdict in ("better", "no difference shown", "worse"):
        those = [c for c in found if c.verdict() == verdict]
        of = f" of {_languages(len(found))}" if verdict == "better" else ""
        named = ", ".join(f"{language_name(c.languages[0])} {c.difference.value:+.3f}" for c in those)
        parts.append(f"{verdict} in {len(those) or 'none'}{of}{f' ({named})' if named else ''}")
    return ", ".join(parts)


def _figures(comparison: Comparison) -> str:
    return f"{change(comparison.difference)}, {p_value(comparison.p_adjusted)}"
