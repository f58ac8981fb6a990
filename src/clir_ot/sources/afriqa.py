"""AfriQA: questions in 10 African languages, and the English or French Wikipedia passage that answers them.

The hub's masakhane/afriqa-gold-passages is only a script that fetches the files of github.com/masakhane-io/afriqa:
`data/gold_passages/<lang>/gold_span_passages.afriqa.<lang>.<pivot>.<split>.json`, JSON lines with `id`, `context`,
`title`, `question_lang`, `question_translated`, `answer_pivot`, `answer_lang`. The context is null where no passage was
found; the pivot is French for Fon and Wolof.

Source: Ogundepo et al., Findings of EMNLP 2023 (arXiv 2305.06897).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import Copy, choose_languages, obtain_archive
from clir_ot.sources.hub_files import Judgement, records

_NAME = "masakhane-io/afriqa"
_ARCHIVE = f"https://github.com/{_NAME}/archive/refs/heads/main.zip"
PIVOTS = {
    "bem": ("bem", "en"), "fon": ("fon", "fr"), "ha": ("hau", "en"), "ig": ("ibo", "en"), "rw": ("kin", "en"),
    "sw": ("swa", "en"), "tw": ("twi", "en"), "wo": ("wol", "fr"), "yo": ("yor", "en"), "zu": ("zul", "en"),
}  # fmt: skip
"""By canonical code: AfriQA's code, and the language of the passages."""
_SPLITS = ("train", "dev", "test")
_COLUMNS = ("id", "context", "title", "question_lang", "question_translated")
_UNASKED = "rows without a question"  # the published Twi dev set has one, NaN


@dataclass
class _Found:
    """What was read, by language; judgements by split."""

    documents: dict[str, dict[str, Document]] = field(default_factory=dict)
    queries: dict[str, dict[str, str]] = field(default_factory=dict)
    judged: dict[str, list[Judgement]] = field(default_factory=dict)
    bitext: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    without: int = 0
    unasked: int = 0


def build_afriqa(
    folder: Path, source: Path | None, languages: Sequence[str] | None, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: a copy of the GitHub repository, or a folder with its files; None fetches it.
        languages: of the questions; None is all that have files.
        progress: see `assemble`.

    Raises:
        UserError: a file cannot be fetched, is missing or is not in the layout.
    """
    chosen = choose_languages("afriqa", PIVOTS, languages)
    require_new(folder)
    copy = obtain_archive(_NAME, _ARCHIVE, source)
    if languages is None and not (chosen := [code for code in chosen if copy.has(_pattern(code))]):
        copy.files(_pattern(ENGLISH))
    found = _Found()
    for code in chosen:
        _read(copy, code, found)
    if not found.judged:
        raise UserError(f"{copy.folder}: every context of AfriQA's files is null; expected passages")
    about = About(
        "AfriQA gold passages",
        f"Find the Wikipedia passage that answers a question, asked in {', '.join(chosen)}; passages are English, or "
        "French for Fon and Wolof.",
        f"github.com/{_NAME}, data/gold_passages; Ogundepo et al. 2023 (arXiv 2305.06897)",
        copy.version,
        "CC BY-SA 4.0, as its page on the Hugging Face hub states it",
        (
            "Ids of queries are `<language>-<split>-<number>`; the human translation to the passages' language has the "
            "same `_id`",
            "A document is a gold passage with its title, the same whoever asks for it; there is no other passage, so "
            "figures are not those of AfriQA's retrieval over all of Wikipedia",
            "Bitext: the training questions with their English translations",
            f"Questions for which AfriQA has no passage, of which no split judges any: {found.without}",
            *([f"Left out: {found.unasked} {_UNASKED}"] if found.unasked else []),
        ),
    )
    contents = Contents(
        {code: texts.values for code, texts in found.documents.items()},
        {code: texts.items for code, texts in found.queries.items()},
        {split: partial(iter, rows) for split, rows in found.judged.items()},
        bitext={code: partial(iter, pairs) for code, pairs in found.bitext.items()},
    )
    assemble(folder, contents, about, progress)
    if found.unasked:
        print(f"left out: {found.unasked} {_UNASKED}", flush=True)


def _read(copy: Copy, code: str, found: _Found) -> None:
    """Add a language's files; a split that it does not have is left out, as of languages with few questions."""
    pivot = PIVOTS[code][1]
    copy.files(_pattern(code))
    for split in _SPLITS:
        if not copy.has(_pattern(code, split)):
            continue
        for place, name, question, translated, passage in _questions(copy, code, split):
            if not question:
                found.unasked += 1
                continue
            if found.queries.setdefault(code, {}).setdefault(name, question) != question:
                raise UserError(f"{place}: question {name!r} occurs a second time, with another text; keep one of them")
            found.queries.setdefault(pivot, {})[name] = translated
            if split == "train" and pivot == ENGLISH and translated:
                found.bitext.setdefault(code, []).append((translated, question))
            if passage:
                found.documents.setdefault(pivot, {})[passage[0]] = passage
                found.judged.setdefault(split, []).append((name, passage[0], 1))
            else:
                found.without += 1


def _questions(copy: Copy, code: str, split: str) -> Iterator[tuple[str, str, str, str, Document | None]]:
    """(place, id, question, its translation, passage if there is one)."""
    for row in records(copy.files(_pattern(code, split)), _COLUMNS):
        title, text = row["title"].strip(), row["context"].strip()
        # By content: the same passage has the same id in whichever languages' files it stands.
        digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:12]
        passage = (f"{PIVOTS[code][1]}-{digest}", title, text) if text else None
        question, translated = (" ".join(row[column].split()) for column in _COLUMNS[3:])
        yield row.place, f"{code}-{split}-{row['id']}", question, translated, passage


def _pattern(code: str, split: str = "*") -> str:
    name, pivot = PIVOTS.get(code, ("*", "*"))
    return f"**/gold_span_passages.afriqa.{name}.{pivot}.{split}.json*"
