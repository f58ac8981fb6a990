"""LAReQA's collections XQuAD-R and MLQA-R: find the sentence that answers a question, in any of several languages.

The published files are XQuAD's and MLQA's in SQuAD's layout, one a language, `data` -> `paragraphs` -> `qas`. Beside
`qas`, each paragraph has its `sentences` and, as `sentence_breaks`, where in the paragraph each begins and ends.
Parallel questions share their `id`; sentences do not, for every language cuts its paragraphs in its own way.

Source: Roy, Constant, Al-Rfou, Barua, Phillips & Yang, EMNLP 2020 (arXiv 2004.05484), section 3.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, StringConstraints, ValidationError

from clir_ot.collections.collection import ENGLISH, Collection, files_by_language
from clir_ot.collections.writing import write_qrels, write_texts
from clir_ot.errors import UserError
from clir_ot.files import read_lines, write_text
from clir_ot.sources.assembly import require_new, whole_collection

_REPOSITORY = "https://github.com/google-research-datasets/lareqa"


@dataclass(frozen=True)
class Published:
    """What is known of a data set before its files are read.

    Attributes:
        title: its name in print.
        languages: all of them; figures in print are means over them, so that none may be missing.
        parallel: whether every question is there in every language.
        folders: of the published repository, in which its files may lie.
        place: where to get them.
        licence: as the repository states it.
        origin: what the questions are.
    """

    title: str
    languages: tuple[str, ...]
    parallel: bool
    folders: tuple[str, ...]
    place: str
    licence: str
    origin: str


DATASETS: Mapping[str, Published] = {
    "xquad-r": Published(
        title="XQuAD-R",
        languages=("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"),
        parallel=True,
        folders=("xquad-r",),
        place=f"the folder xquad-r of {_REPOSITORY}",
        licence="CC BY-SA 4.0",
        origin="a part of SQuAD 1.1's development set with its human translations (XQuAD)",
    ),
    "mlqa-r": Published(
        title="MLQA-R",
        languages=("ar", "de", "en", "es", "hi", "vi", "zh"),
        parallel=False,
        folders=("mlqa-dev-r", "mlqa-r"),
        place=f"the folder mlqa-dev-r of {_REPOSITORY} (commit 5405d2a; later ones may lack it)",
        licence="CC BY-NC 4.0",
        origin="MLQA's development set, in which a question has English and some of the other languages",
    ),
}

_README = """# {title}

Find the sentence that answers a question. Documents: the {documents} sentences of Wikipedia paragraphs in {languages}
languages ({codes}). Queries: {queries} questions; translations share their `_id`.

- Questions: {origin}.
- Source: LAReQA (Roy et al., EMNLP 2020, arXiv 2004.05484), {place}.
- Version: the fingerprint of the files built is {version}; `metrics.json` of an evaluation repeats it.
- Licence: {licence}, as that repository states it.
- A document is one sentence, without the paragraph around it. LAReQA's own encoders read the paragraph too, so its
  figures are not directly comparable. With late interaction the sentences of a paragraph would be told apart by almost
  nothing if each brought the whole paragraph's tokens.
- Document ids are `<language>-<paragraph>-<sentence>`, counted from 1 in that language's file. Languages cut paragraphs
  into sentences differently, so that no two languages share an id.
- Relevant to a question, in each language that has it: the sentence in which the answer begins, `begin <= start < end`.
  `qrels/test.tsv` judges the documents of all languages: who searches one language's documents is measured by that
  language's judgements alone.
- All questions are in the test split; there is no bitext and nothing to train on.
"""

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Checked(BaseModel):
    model_config = ConfigDict(strict=True)


class _Answer(_Checked):
    text: str
    answer_start: NonNegativeInt


class _Question(_Checked):
    id: Annotated[str, StringConstraints(pattern=r"^\S+$")]  # TREC files separate ids by spaces
    question: _Text
    answers: Annotated[list[_Answer], Field(min_length=1)]


class _Paragraph(_Checked):
    qas: list[_Question]
    sentences: list[_Text]
    sentence_breaks: list[tuple[NonNegativeInt, NonNegativeInt]]


class _Article(_Checked):
    paragraphs: list[_Paragraph]


class _File(_Checked):
    data: Annotated[list[_Article], Field(min_length=1)]


@dataclass(frozen=True)
class LanguageTexts:
    """One language's file.

    Attributes:
        documents, questions: `{_id: text}`, in file order.
        relevant: `{question: documents}`; several where a question has several answers, which in the published files
            none has.
    """

    documents: dict[str, str]
    questions: dict[str, str]
    relevant: dict[str, list[str]]


def build_lareqa(name: str, source: Path | None, folder: Path) -> None:
    """Read the published files and write the collection folder, whole or not at all.

    Args:
        name: `xquad-r` or `mlqa-r`.
        source: folder of its files `<language>.json` or `<language>.json.gz`, or of the published repository.
        folder: to write; must not exist, or be empty.

    Raises:
        UserError: there is no source, or it lacks a language; a file is not in the layout, names a question twice, or
            has an answer outside every sentence; the folder is not empty.
    """
    published = DATASETS[name]
    if source is None:
        raise UserError(f"{name} is not fetched by itself: get {published.place}, and give it with --from FOLDER")
    require_new(folder)
    files = _files(published, source)
    texts = {language: read_language(files[language], language) for language in sorted(files, key=_english_first)}
    if published.parallel:
        _check_parallel(published, files, texts)
    with whole_collection(folder) as temporary:
        for language, found in texts.items():
            write_texts(temporary, "corpus", language, found.documents)
            write_texts(temporary, "queries", language, found.questions)
        questions = dict.fromkeys(question for found in texts.values() for question in found.questions)
        judged = [
            (question, document)
            for question in questions
            for found in texts.values()
            for document in found.relevant.get(question, [])
        ]
        write_qrels(temporary, "test", judged)
        write_text(temporary / "README.md", _readme(published, texts, Collection(temporary).fingerprint()))


def read_language(path: Path, language: str) -> LanguageTexts:
    """Sentences, questions and which answers which.

    An answer belongs to the sentence in which its first visible character lies, `begin <= start < end`. Sentences of
    languages without spaces touch: an inclusive end would give an answer that opens a sentence to the one before, too.

    Args:
        path: `.json`, or compressed `.json.gz`.
        language: begins the documents' ids.

    Raises:
        UserError: see `build_lareqa`; names the file and the paragraph or question.
    """
    texts = LanguageTexts({}, {}, {})
    number = 0
    for a, article in enumerate(_parse(path).data):
        for p, paragraph in enumerate(article.paragraphs):
            number += 1
            sentences, breaks = paragraph.sentences, paragraph.sentence_breaks
            if len(sentences) != len(breaks):
                raise UserError(
                    f"{path}: data[{a}].paragraphs[{p}] has {len(sentences)} sentences, but {len(breaks)} "
                    "sentence_breaks; expected a [begin, end] for each sentence"
                )
            names = [f"{language}-{number}-{s}" for s in range(1, len(sentences) + 1)]
            texts.documents.update(zip(names, sentences, strict=True))
            for question in paragraph.qas:
                if question.id in texts.questions:
                    raise UserError(
                        f"{path}: data[{a}].paragraphs[{p}]: question {question.id!r} occurs a second time; every id "
                        "must be unique in its file"
                    )
                place = f"{path}: data[{a}].paragraphs[{p}], question {question.id!r}"
                answered = (names[_sentence_of(answer, breaks, place)] for answer in question.answers)
                texts.questions[question.id] = question.question
                texts.relevant[question.id] = list(dict.fromkeys(answered))
    if not texts.questions:
        raise UserError(f"{path}: holds no question; expected them as data[..].paragraphs[..].qas")
    return texts


def _sentence_of(answer: _Answer, breaks: list[tuple[int, int]], place: str) -> int:
    # An answer that begins with a space may begin between two sentences.
    start = answer.answer_start + len(answer.text) - len(answer.text.lstrip())
    holding = [s for s, (begin, end) in enumerate(breaks) if begin <= start < end]
    if len(holding) != 1:
        where = f"in {len(holding)} sentences" if holding else "outside every sentence"
        raise UserError(
            f"{place}: its answer, at {start}, is {where}; expected one sentence_breaks [begin, end) around it"
        )
    return holding[0]


def _parse(path: Path) -> _File:
    content = "\n".join(line for _, line in read_lines(path))
    try:
        return _File.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "".join(f"[{part}]" if type(part) is int else f".{part}" for part in first["loc"]).removeprefix(".")
        raise UserError(
            f"{path}: {where and f'{where}: '}{first['msg']}; expected SQuAD's layout, with sentences and "
            "sentence_breaks in every paragraph"
        ) from error


def _files(published: Published, source: Path) -> dict[str, Path]:
    """The data set's files by language, all of them and no others."""
    if not source.is_dir():
        raise UserError(f"{source}: no such folder; get {published.place}")
    inside = [source / name for name in published.folders if (source / name).is_dir()]
    folder = inside[0] if inside else source
    found = files_by_language(folder, "", ".json")
    if missing := [language for language in published.languages if language not in found]:
        raise UserError(
            f"{folder / missing[0]}.json: no such file; {published.title} has {', '.join(published.languages)}; "
            f"get {published.place}"
        )
    if other := next((path for language, path in found.items() if language not in published.languages), None):
        raise UserError(
            f"{other}: {published.title} has no such language, only {', '.join(published.languages)}; remove the file, "
            "or see whether this is another data set"
        )
    return found


def _check_parallel(published: Published, files: Mapping[str, Path], texts: Mapping[str, LanguageTexts]) -> None:
    for language in texts:
        for here, there in ((ENGLISH, language), (language, ENGLISH)):
            if lost := next((q for q in texts[here].questions if q not in texts[there].questions), None):
                raise UserError(
                    f"{files[there]}: question {lost!r} of {files[here].name} is missing; {published.title} has every "
                    "question in every language"
                )


def _readme(published: Published, texts: Mapping[str, LanguageTexts], fingerprint: str) -> str:
    return _README.format(
        title=published.title,
        documents=sum(len(found.documents) for found in texts.values()),
        languages=len(texts),
        codes=", ".join(texts),
        queries=len({question for found in texts.values() for question in found.questions}),
        origin=published.origin,
        place=published.place,
        licence=published.licence,
        version=fingerprint,
    )


def _english_first(language: str) -> tuple[bool, str]:
    return language != ENGLISH, language
