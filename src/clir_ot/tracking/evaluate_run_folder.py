"""Evaluate the run of one system: search, measure, compare, write everything into its folder."""

import json
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.trec import write_run
from clir_ot.data.datamodule import parse_languages
from clir_ot.errors import UserError
from clir_ot.evaluation.multilingual import evaluate_languages
from clir_ot.evaluation.systems import Measured, System, compare_all, measure, search_system
from clir_ot.evaluation.table import as_json, languages_as_json, render, render_languages
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.token_index import encode
from clir_ot.tracking.progress import say
from clir_ot.tracking.run_folder import RunFolder
from clir_ot.tracking.weights_and_biases import sync_command

UPPER_BOUND, ZERO_SHOT, DISTILLED, TRAINED = "English upper bound", "zero-shot", "distilled", "trained"


def evaluate_run_folder(path: Path, collection: Collection, split: str) -> str:
    """Rank, measure and compare; returns the table and where the files are.

    A student is set beside its teacher: English queries (the upper bound), the foreign language zero-shot, the
    student, and the student on English. A system without teacher is measured in the languages it was trained in, and
    where they are several, with all their documents too. English rows are left out where the collection has no judged
    English queries.

    Raises:
        UserError: the run is not trained yet; the collection lacks its languages.
    """
    run = RunFolder(path)
    config = run.read_config()
    if not run.is_trained:
        raise UserError(f"{path}: training is not complete; resume it with the command that started it")
    student = TokenEncoder.from_pretrained(run.encoder)
    teacher_folder = config["model"]["init_args"].get("teacher")
    teacher = TokenEncoder.from_pretrained(teacher_folder) if teacher_folder else None
    documents = teacher or student
    index = encode(documents, documents.tokenizer.documents, collection.documents())
    measured: dict[tuple[str, str], Measured] = {}
    languages = parse_languages(config["data"]["languages"])
    for system in _systems(student, teacher, languages):
        if system.language == ENGLISH and not collection.is_judged(split, ENGLISH):
            continue
        ranking, qrels = search_system(system, collection, split, index)
        tag = system.name.replace(" ", "-")
        write_run(ranking, run.rankings / f"{tag}.{system.language}.{split}.trec", tag)
        measured[system.name, system.language] = measure(system.name, system.language, ranking, qrels)
    comparisons = compare_all(
        [
            (result, measured[UPPER_BOUND if language == ENGLISH else ZERO_SHOT, language])
            for (name, language), result in measured.items()
            if name == DISTILLED
        ]
    )
    results = list(measured.values())
    facts = {"split": split, "collection_fingerprint": collection.fingerprint(), **as_json(results, comparisons)}
    tables = [render(results, comparisons)]
    if teacher is None and len(languages) > 1:
        found = evaluate_languages(student, collection, languages, split, {ENGLISH: index}, say)
        tables.append(render_languages(found))
        facts["languages"] = languages_as_json(found)
    write_text(run.metrics, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return "\n\n".join([*tables, "\n".join(_places(run))])


def _systems(student: TokenEncoder, teacher: TokenEncoder | None, languages: list[str]) -> list[System]:
    foreign = [language for language in languages if language != ENGLISH]
    if teacher is None:
        return [System(TRAINED, student, language) for language in (ENGLISH, *foreign)]
    beside = [(ZERO_SHOT, teacher), (DISTILLED, student)]
    return [
        System(UPPER_BOUND, teacher, ENGLISH),
        *(System(name, encoder, language) for language in foreign for name, encoder in beside),
        System(DISTILLED, student, ENGLISH),
    ]


def _places(run: RunFolder) -> list[str]:
    places = {"encoder": run.encoder, "rankings": run.rankings, "metrics": run.metrics, "configuration": run.config}
    lines = [f"{name + ':':15}{path}" for name, path in places.items()]
    if command := sync_command(run.path):
        lines.append(f"{'W&B run:':15}offline; upload it with: {command}")
    return lines
