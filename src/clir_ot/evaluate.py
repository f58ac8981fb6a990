"""Evaluate the run of one system: search, measure, compare, write everything into its folder."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name, parse_languages
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.languages_table import languages_as_json, render_languages
from clir_ot.evaluation.metrics import DEFAULT_MEASURES
from clir_ot.evaluation.multilingual import Multilingual, evaluate_languages
from clir_ot.evaluation.systems import Measured, compare_all
from clir_ot.evaluation.table import as_json, render
from clir_ot.files import write_text
from clir_ot.progress import counting
from clir_ot.publishing.model_card import update_card
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say
from clir_ot.runs.rankings import Queries, Searcher, languages_file, rankings_folder, run_searchers
from clir_ot.runs.system_names import ENGLISH_REFERENCE, ZERO_SHOT
from clir_ot.tracking.log_evaluation import Evaluation, log_evaluation
from clir_ot.tracking.weights_and_biases import sync_command


def evaluate_run_folder(
    path: Path,
    collection: Collection,
    split: str,
    noises: Sequence[str] = (),
    measures: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    teacher: str | Path | None = None,
    judging: Judging = USUAL,
) -> str:
    """Rank, measure and compare; returns the table and where the files are.

    A student is set beside its teacher: English queries (the English reference), the foreign language zero-shot, the
    student, and the student on English. A system without teacher is measured in the languages it was trained in, and
    where they are several, with all their documents too. English rows are left out where the collection has no judged
    English queries. Queries of a language without judged English documents search those of their own. Rankings that are
    there already are read, not searched again.

    Args:
        path: of the run.
        collection: searched; not necessarily the one trained on, whose measures lie with its rankings then.
        split: of the queries.
        noises: also with the foreign queries typed so, see `clir_ot.evaluation.query_noise.noisy`.
        measures: the first of them is compared; by default MRR@10 and the usual others.
        languages: of the queries; by default those that the run was trained in.
        teacher: where a student's is now, if it was moved.
        judging: which documents are relevant, and ties; over the documents of several languages together it is the
            usual one all the same.

    Raises:
        UserError: the run is not trained yet; the collection lacks its languages; it was interrupted.
    """
    run = RunFolder(path)
    run.read_config()
    if not run.is_trained:
        raise UserError(f"{path}: training is not complete; resume it with the command that started it")
    with run.held("evaluated", wait=True):
        searchers = run_searchers(run, collection, teacher)
        try:
            return _evaluate(run, *searchers, collection, split, noises, measures, languages, judging)
        except KeyboardInterrupt:
            raise UserError(f"{path}: interrupted; {_kept(searchers)}; the same command goes on") from None


def _kept(searchers: Sequence[Searcher | None]) -> str:
    """What an interrupted evaluation need not do again, and where it is."""
    there = [searcher for searcher in searchers if searcher]
    encoded = [place for searcher in there for place in searcher.index_folders() if any(place.glob("0*.safetensors"))]
    ranked = [folder for searcher in there for folder in searcher.folders if any(folder.glob("*.trec"))]
    kept = {"documents encoded": encoded, "rankings": ranked}
    said = [f"{what} so far are kept in {', '.join(map(str, dict.fromkeys(at)))}" for what, at in kept.items() if at]
    return " and ".join(said) or "nothing was encoded yet"


def _evaluate(
    run: RunFolder,
    own: Searcher,
    teacher: Searcher | None,
    collection: Collection,
    split: str,
    noises: Sequence[str],
    measures: Sequence[str] | None,
    languages: Sequence[str] | None,
    judging: Judging,
) -> str:
    config = run.read_config()
    languages = [*languages] if languages else parse_languages(config["data"]["languages"])
    wanted = tuple(measures or DEFAULT_MEASURES)
    searched = {name: collection.searched_by(split, name) for name in (ENGLISH, *languages)}
    own_language = [name for name, documents in searched.items() if documents != ENGLISH]
    results: list[Measured] = []
    pairs: list[tuple[list[Measured], list[Measured]]] = []
    for name, searcher, language, noise in _rows(own, teacher, languages, noises):
        if language == ENGLISH and not collection.is_judged(split, ENGLISH):
            continue
        measured = searcher.measured(Queries(language, split, noise, documents=searched[language]), wanted, judging)
        results.append(replace(measured, name=f"{name}, {noise}" if noise else name))
        baseline = f"{ENGLISH_REFERENCE if language == ENGLISH else ZERO_SHOT}{f', {noise}' if noise else ''}"
        if teacher and searcher is own:
            pairs += [(results[-1:], [r]) for r in results if (r.name, r.language) == (baseline, language)]
    comparisons = compare_all(pairs, wanted[0])
    facts = {"split": split, "collection_fingerprint": collection.fingerprint(), "judging": asdict(judging)}
    facts |= as_json(results, comparisons)
    tables = [render(results, comparisons, judging)]
    foreign = [name for name in languages if name != ENGLISH]
    for noise, name in product(noises, foreign):
        tables.append(Queries(name, split, noise, documents=searched[name]).changed(collection))
    for name in searched:
        if collection.is_judged(split, name):
            _, qrels = collection.judged(split, name, searched[name])
            tables += [f"{language_name(name)}: {note}" for note in judging.unanswerable(qrels)]
    if own_language:
        facts["own_documents"] = own_language
        tables.append(
            f"{', '.join(own_language)}: over the documents of their own language, the only ones judged for them"
        )
    found: Multilingual | None = None
    if teacher is None and len(languages) > 1 and not own_language:  # else there is nothing across languages
        english = {ENGLISH: own.documents().load()}
        found = evaluate_languages(own.encoder, collection, languages, split, english, say, counting)
        tables.append(render_languages(found))
        if judging != USUAL:
            tables.append(
                "over the documents of several languages: relevant is grade 1 and above, ties are trec_eval 9's"
            )
        write_text(languages_file(run, collection), json.dumps(languages_as_json(found), ensure_ascii=False) + "\n")
    folder = rankings_folder(run, collection)
    metrics = run.metrics if folder == run.rankings else folder / run.metrics.name
    write_text(metrics, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    if metrics == run.metrics:
        update_card(run)
    log_evaluation(run, folder, Evaluation(own.name, split, results, comparisons, found, judging))
    return "\n\n".join([*tables, "\n".join(_places(run, folder, metrics))])


def _rows(
    own: Searcher, teacher: Searcher | None, languages: list[str], noises: Sequence[str]
) -> list[tuple[str, Searcher, str, str | None]]:
    """(name in the table, searcher, language, noise), in the order of the table."""
    foreign = [language for language in languages if language != ENGLISH]
    beside = [(ZERO_SHOT, teacher)] if teacher else []
    rows: list[tuple[str, Searcher, str, str | None]] = [
        (name, searcher, language, noise)
        for language in foreign
        for noise in (None, *noises)
        for name, searcher in (*beside, (own.name, own))
    ]
    if teacher is None:
        return [(own.name, own, ENGLISH, None), *rows]
    return [(ENGLISH_REFERENCE, teacher, ENGLISH, None), *rows, (own.name, own, ENGLISH, None)]


def _places(run: RunFolder, rankings: Path, metrics: Path) -> list[str]:
    places = {"encoder": run.encoder, "rankings": rankings, "metrics": metrics, "configuration": run.config}
    lines = [f"{name + ':':15}{path}" for name, path in places.items()]
    if command := sync_command(run.path):
        lines.append(f"{'W&B run:':15}offline; upload it with: {command}")
    return lines
