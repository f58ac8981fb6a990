"""Translate-test: queries translated to English by a machine, kept in the collection for any retrieval of English."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.content import has_content
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.files import compressed, read_lines, replacing, require_place

_CHUNK = 256  # queries translated before the file is written again


def translate_queries(
    collection: Collection,
    language: str,
    model: str | Path,
    split: str | None = None,
    *,
    beams: int = 4,
    progress: Callable[[int], None] = lambda done: None,
) -> Path:
    """Translate a language's queries into `queries.<lang>-en.jsonl` of the collection, one record a query.

    ```
    {"_id": "q1", "text": "Remove resources", "model": "facebook/nllb-200-distilled-600M", "beams": 4}
    ```

    The file is used as it is, whoever made it, and only queries that it lacks are translated; where it lacks none, no
    model is loaded. It is written whole after every chunk of queries, so that a translation that was stopped goes on. A
    query of which the model makes nothing stays as it is.

    Args:
        collection: whose queries are translated.
        language: of the queries, not English.
        model: see `clir_ot.retrieval.translation.Translator`.
        split: only the queries that it judges; None for all.
        beams: of beam search; 1 for greedy search.
        progress: called with the number of queries done since the last call.

    Returns:
        The file.

    Raises:
        UserError: the queries are English; the file's were made with another model; see also `Translator`.
    """
    code = canonical_language(language)
    if code == ENGLISH:
        raise UserError("English queries need no translation; choose the language that is to be translated from")
    queries = collection.judged(split, code)[0] if split else collection.queries(code)
    path = collection.translated_queries_path(code)
    made = {"model": str(model), "beams": beams}
    lines: dict[str, str] = {}
    if collection.has_translated_queries(code):
        collection.translated_queries(code)
        lines = _read(path, queries, made)
    missing = [name for name in queries if name not in lines]
    if not missing:
        return path
    require_place(path)
    from clir_ot.retrieval.translation import Translator

    translator = Translator(model, code, beams)
    for start in range(0, len(missing), _CHUNK):
        names = missing[start : start + _CHUNK]
        english = translator([queries[name] for name in names], progress)
        for name, text in zip(names, english, strict=True):
            lines[name] = json.dumps(
                {"_id": name, "text": text if has_content(text) else queries[name], **made}, ensure_ascii=False
            )
        _write(path, lines)
    return path


def pick_translations(collection: Collection, language: str, queries: Mapping[str, str]) -> dict[str, str]:
    """The English of some of a language's queries, from the collection's file of translations.

    Raises:
        UserError: there is no such file; it lacks a query. Says how to make it.
    """
    translations = collection.translated_queries(language)
    missing = [name for name in queries if name not in translations]
    if missing:
        path = collection.translated_queries_path(language)
        raise UserError(
            f"{path}: lacks {len(missing)} of {len(queries)} queries, {missing[0]!r} first; add them with `clir-ot "
            f"translate --model NAME --collection {collection.folder} --language {canonical_language(language)}`"
        )
    return {name: translations[name] for name in queries}


def _read(path: Path, queries: Mapping[str, str], made: Mapping[str, object]) -> dict[str, str]:
    """`{_id: line}`; translations of these queries that say how they were made were made that way."""
    lines = {}
    for place, line in read_lines(path):
        record = json.loads(line)  # `translated_queries` has seen to it that this is an object with an _id
        for key, value in made.items():
            if record["_id"] in queries and record.get(key, value) != value:
                raise UserError(
                    f"{place}: was translated with {key} {record[key]}, not {value}; ask for that, or remove the file"
                )
        lines[record["_id"]] = line
    return lines


def _write(path: Path, lines: Mapping[str, str]) -> None:
    content = "".join(f"{line}\n" for line in lines.values()).encode()
    with replacing(path) as temporary:
        temporary.write_bytes(compressed(content, path))
