"""Evaluate the run of one system: search, measure, compare, write everything into its folder."""

import json
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.evaluation.systems import Measured, System, compare_all, measure, search_system
from clir_ot.evaluation.table import as_json, render
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.token_index import encode
from clir_ot.retrieval.trec import write_run
from clir_ot.tracking.run_folder import RunFolder
from clir_ot.tracking.weights_and_biases import sync_command


def evaluate_run_folder(path: Path, collection: Collection, split: str) -> str:
    """Rank, measure and compare; returns the table and where the files are.

    A student is set beside its teacher: English queries (the upper bound), the foreign language zero-shot, the
    student, and the student on English. A system without teacher is measured in the languages that it was trained in.

    Raises:
        UserError: the run is not trained yet; the collection lacks its languages.
    """
    run = RunFolder(path)
    config = run.read_config()
    if not run.is_trained:
        raise UserError(f"{path}: training is not complete; resume it with the command that started it")
    listed = config["data"]["languages"]
    codes = listed.split(",") if type(listed) is str else listed
    languages = [name for name in map(canonical_language, codes) if name != ENGLISH]
    own = TokenEncoder.from_pretrained(run.encoder)
    teacher_folder = config["model"]["init_args"].get("teacher")
    teacher = TokenEncoder.from_pretrained(teacher_folder) if teacher_folder else own
    systems = {("English upper bound", ENGLISH): System("English upper bound", teacher, ENGLISH)}
    for language in languages:
        systems["zero-shot", language] = System("zero-shot", teacher, language)
        systems["distilled", language] = System("distilled", own, language)
    systems["distilled", ENGLISH] = System("distilled", own, ENGLISH)
    if teacher is own:
        names = {language: System("trained", own, language) for language in [ENGLISH, *languages]}
        systems = {("trained", language): system for language, system in names.items()}
    index = encode(teacher, teacher.tokenizer.documents, collection.documents())
    measured: dict[tuple[str, str], Measured] = {}
    for key, system in systems.items():
        ranking, qrels = search_system(system, collection, split, index)
        file = f"{system.name.replace(' ', '-')}.{system.language}.{split}.trec"
        write_run(ranking, run.rankings / file, tag=system.name.replace(" ", "-"))
        measured[key] = measure(system.name, system.language, ranking, qrels)
    pairs = [(measured["distilled", name], measured["zero-shot", name]) for name in languages if teacher is not own]
    if teacher is not own:
        pairs.append((measured["distilled", ENGLISH], measured["English upper bound", ENGLISH]))
    comparisons = compare_all(pairs)
    results = list(measured.values())
    facts = {
        "split": split,
        "collection_fingerprint": collection.fingerprint(),
        **as_json(results, comparisons),
    }
    write_text(run.metrics, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    return "\n".join([render(results, comparisons), "", *_places(run)])


def _places(run: RunFolder) -> list[str]:
    places = {
        "encoder": run.encoder,
        "rankings": run.rankings,
        "metrics": run.metrics,
        "configuration": run.config,
    }
    lines = [f"{name + ':':15}{path}" for name, path in places.items()]
    if command := sync_command(run.path):
        lines.append(f"{'W&B run:':15}offline; upload it with: {command}")
    return lines
