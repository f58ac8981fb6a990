"""SQuAD 1.1 as retrieval: English questions, and the Wikipedia paragraph or sentence that answers them.

Files of rajpurkar/squad on the hub: `plain_text/{train,validation}-*.parquet` with `id`, `title`, `context`,
`question` and `answers`, a struct of lists `text` and `answer_start`. Sentences, as LAReQA trains on them, are cut by
Wikimedia's sentencex.

Sources: Rajpurkar et al. 2016 (arXiv 1606.05250); Roy et al. 2020 (arXiv 2004.05484), section 4, for the sentences.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.errors import UserError
from clir_ot.sources.assembly import About, Contents, Document, Progress, assemble, require_new, untold
from clir_ot.sources.hub import choose_languages, obtain
from clir_ot.sources.hub_files import Judgement, Row, records

_REPOSITORY = "rajpurkar/squad"
_SPLITS = {"train": "train", "dev": "validation"}
_COLUMNS = ("id", "title", "context", "question")


def build_squad(
    folder: Path, source: Path | None, languages: Sequence[str] | None, *, sentences: bool, progress: Progress = untold
) -> None:
    """Write the collection folder, whole or not at all.

    Args:
        folder: to write; must not exist, or be empty.
        source: a copy of the repository; None fetches it.
        languages: None, or English.
        sentences: documents are sentences, not paragraphs.
        progress: see `assemble`.

    Raises:
        UserError: a file cannot be fetched, is missing or is not in the layout; an answer is outside its paragraph.
    """
    choose_languages("squad", (ENGLISH,), languages)
    require_new(folder)
    patterns = {split: f"plain_text/{name}-*.parquet" for split, name in _SPLITS.items()}
    copy = obtain(_REPOSITORY, [*patterns.values()], source)
    documents: dict[str, Document] = {}
    questions: dict[str, str] = {}
    judged: dict[str, list[Judgement]] = {split: [] for split in _SPLITS}
    for split, pattern in patterns.items():
        names: dict[str, str] = {}  # by paragraph; the two splits share no article
        for row in records(copy.files(pattern), _COLUMNS, ("answers",)):
            name = names.setdefault(row["context"], f"{split}-{len(names) + 1}")
            found = _sentences(row, name) if sentences else _paragraph(row, name)
            documents |= {document[0]: document for document in found.values()}
            questions[row["id"]] = row["question"].strip()
            relevant = dict.fromkeys(_holding(row, start, found)[0] for start in _starts(row))
            judged[split] += [(row["id"], document, 1) for document in relevant]
    unit = "sentence" if sentences else "paragraph"
    about = About(
        f"SQuAD 1.1, questions to {unit}s",
        f"Find the Wikipedia {unit} that answers a question; English.",
        f"{_REPOSITORY} on the Hugging Face hub; Rajpurkar et al. 2016 (arXiv 1606.05250)",
        copy.version,
        "CC BY-SA 4.0",
        (
            "`train` and `dev` are SQuAD's training and validation set; its test set is not public",
            "XQuAD, and so XQuAD-R, is a part of the validation set: do not choose settings on `dev` to report XQuAD-R",
            "Sentences are cut by sentencex; an answer is in the sentence in which it begins, begin <= answer < end"
            if sentences
            else "A document is a whole paragraph with its article's title",
        ),
    )
    contents = Contents(
        {ENGLISH: documents.values},
        {ENGLISH: questions.items},
        {split: partial(iter, rows) for split, rows in judged.items()},
    )
    assemble(folder, contents, about, progress)


def _starts(row: Row) -> list[int]:
    """Where the answers begin."""
    answers = row["answers"]
    starts = answers.get("answer_start") if isinstance(answers, dict) else None
    if not isinstance(starts, list) or not all(type(start) is int for start in starts):
        raise UserError(f"{row.place}: its 'answers' are {str(answers)[:40]!r}; expected lists text and answer_start")
    return starts


def _paragraph(row: Row, name: str) -> dict[tuple[int, int], Document]:
    """The documents of a row's paragraph, by where they begin and end in it."""
    return {(0, len(row["context"])): (name, row["title"].replace("_", " "), row["context"].strip())}


def _sentences(row: Row, name: str) -> dict[tuple[int, int], Document]:
    return {
        bounds: (f"{name}-{number}", "", row["context"][slice(*bounds)].strip())
        for number, bounds in enumerate(_bounds(row["context"]), start=1)
    }


def _bounds(paragraph: str) -> Iterator[tuple[int, int]]:
    """Where sentences begin and end, the space behind one included; blank ones left out."""
    import sentencex

    begin = 0
    for sentence in sentencex.segment(ENGLISH, paragraph):
        if sentence.strip():
            yield begin, begin + len(sentence)
        begin += len(sentence)


def _holding(row: Row, start: int, found: dict[tuple[int, int], Document]) -> Document:
    holding = next((document for (begin, end), document in found.items() if begin <= start < end), None)
    if holding is None:
        raise UserError(
            f"{_REPOSITORY}: question {row['id']!r}: its answer, at {start}, is outside its paragraph of "
            f"{len(row['context'])} characters"
        )
    return holding
