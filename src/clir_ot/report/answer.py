"""The answer to the research question, in words that follow from the tests."""

from collections.abc import Sequence
from itertools import product

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.systems import Comparison
from clir_ot.evaluation.table import p_value
from clir_ot.report.study import TOGETHER, ZERO_SHOT, Study
from clir_ot.runs.rankings import DISTILLED, HYBRID

_TITLES = {DISTILLED: "Optimal-transport distillation", HYBRID: "Hybrid-batch training"}


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
        said.append(f"{_TITLES[kind].lower()} is shown to help in {helps} of {_languages(len(found))}{harm}")
    return f"In short: {'; '.join(said)}."


def _of_zero_shot(study: Study, name: str) -> list[Comparison]:
    keys = [(name, ZERO_SHOT, language) for language in study.low_resource]
    return [study.comparisons[key] for key in keys if key in study.comparisons]


def _languages(count: int) -> str:
    return f"{count} {'language' if count == 1 else 'languages'}"


def _against_zero_shot(study: Study, kind: str, name: str) -> str:
    found = _of_zero_shot(study, name)
    sentences = [f"{_TITLES[kind]} against zero-shot, {study.measure}: {_counted(found)}."]
    if together := study.comparisons.get((name, ZERO_SHOT, TOGETHER)):
        sentences.append(f"Over these languages together: {_figures(together)}: {together.verdict()}.")
    gaps = [gap.closed for language in study.low_resource if (gap := study.gaps.get((name, language)))]
    if gaps:
        sentences.append(
            f"It closes {min(gaps):.0%} to {max(gaps):.0%} of the gap between zero-shot and English queries."
            if len(gaps) > 1
            else f"It closes {gaps[0]:.0%} of the gap between zero-shot and English queries."
        )
    sentences += _worst(study, name)
    if english := study.comparisons.get((name, ZERO_SHOT, ENGLISH)):
        sentences.append(f"English queries, against the teacher: {_figures(english)}: {english.verdict()}.")
    return " ".join(sentences)


def _worst(study: Study, name: str) -> list[str]:
    """The language that is served worst, beside zero-shot's."""
    worst = []
    for row in (study.row(name), study.row(ZERO_SHOT)):
        means = {
            language: row.results[language].pooled.mean(study.measure)
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
    found = [study.comparisons[*pair, name] for name in study.low_resource if (*pair, name) in study.comparisons]
    if not found:
        return "Distillation and hybrid-batch training have no language in common, so they are not compared."
    sentence = f"{pair[0]} against {pair[1]}: {_counted(found)}."
    if together := study.comparisons.get((*pair, TOGETHER)):
        sentence += f" Over these languages together: {_figures(together)}: {together.verdict()}."
    return sentence[0].upper() + sentence[1:]


def _against_rivals(study: Study) -> list[str]:
    """The primary systems beside others of their kind."""
    rivals = [row.name for row in study.rows if row.runs and row.name not in study.primary.values()]
    sentences = []
    for name, rival in product(study.primary.values(), rivals):
        keys = [(name, rival, language) for language in study.low_resource]
        if found := [study.comparisons[key] for key in keys if key in study.comparisons]:
            sentences.append(f"{name[0].upper()}{name[1:]} against {rival}: {_counted(found)}.")
    return [" ".join(sentences)] if sentences else []


def _limits(study: Study) -> str:
    seeds = [len(seeds.runs) for row in study.rows if row.runs for seeds in row.results.values()]
    queries = [len(row.results[name].pooled.values[study.measure]) for row in study.rows for name in row.results]
    least, most = min(queries), max(queries)
    count = str(least) if least == most else f"{least} to {most}"
    few = "One seed each: how much of a difference is the seed's is not known. " if max(seeds) == 1 else ""
    return (
        f"{few}One collection with {count} judged queries a language and one teacher: what a "
        "difference would be with other texts or another teacher is not shown. "
        f"Verdicts: paired randomisation test, p below .05 after Holm's correction over the {len(study.comparisons)} "
        "comparisons made; «no difference shown» does not mean that there is none."
    )


def _counted(found: Sequence[Comparison]) -> str:
    """`better in 2 of 3 languages (Yoruba +0.256, Hausa +0.251), no difference shown in 1 (...), worse in none`."""
    parts = []
    for verdict in ("better", "no difference shown", "worse"):
        those = [c for c in found if c.verdict() == verdict]
        of = f" of {_languages(len(found))}" if verdict == "better" else ""
        named = ", ".join(f"{language_name(c.better.language)} {c.paired.difference:+.3f}" for c in those)
        parts.append(f"{verdict} in {len(those) or 'none'}{of}{f' ({named})' if named else ''}")
    return ", ".join(parts)


def _figures(comparison: Comparison) -> str:
    low, high = comparison.paired.interval
    return f"{comparison.paired.difference:+.3f} [{low:+.3f}, {high:+.3f}], {p_value(comparison.p_adjusted)}"
