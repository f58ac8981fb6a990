"""The rankings of an encoder: searched when first asked for, and kept as TREC runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name, parse_languages
from clir_ot.collections.trec import Qrels, Run, read_run, write_run
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import DEFAULT_MEASURES
from clir_ot.evaluation.query_noise import noisy
from clir_ot.evaluation.systems import Measured, measure
from clir_ot.files import is_writable, placed
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.progress import counting
from clir_ot.retrieval.index_folder import StoredIndex, open_folder
from clir_ot.retrieval.search import search
from clir_ot.retrieval.stored_index import open_index
from clir_ot.retrieval.token_index import encode
from clir_ot.retrieval.translated_queries import pick_translations
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.teacher import find_teacher

TEACHER, DISTILLED, HYBRID = "teacher", "distilled", "hybrid"


@dataclass(frozen=True)
class Queries:
    """Judged queries of a collection.

    Attributes:
        language: in which they were asked.
        split: train, dev or test.
        noise: typed that way, see `clir_ot.evaluation.query_noise.noisy`; None as they are.
        translated: read as translated to English (translate-test).
        documents: language of those that are searched.
    """

    language: str
    split: str = "test"
    noise: str | None = None
    translated: bool = False
    documents: str = ENGLISH

    def __str__(self) -> str:
        """`yo.test`, `yo.test.swaps@0.1`, `yo-en.test`, `yo.test.over-yo`; part of a file's name."""
        language = f"{self.language}-{ENGLISH}" if self.translated else self.language
        over = [] if self.documents == ENGLISH else [f"over-{self.documents}"]
        return ".".join([language, self.split, *([self.noise] if self.noise else []), *over])

    def read(self, collection: Collection) -> tuple[dict[str, str], Qrels]:
        """The texts and their judgements.

        Raises:
            UserError: there are none; a query has no translation.
        """
        texts, qrels = collection.judged(self.split, self.language, self.documents)
        if self.translated:
            texts = pick_translations(collection, self.language, texts)
        return noisy(texts, self.noise) if self.noise else texts, qrels

    def changed(self, collection: Collection) -> str:
        """How many of the queries their noise changes at all: `diacritics: changes 287 of 293 Yoruba queries`."""
        typed, _ = self.read(collection)
        written, _ = replace(self, noise=None).read(collection)
        count = sum(typed[query] != text for query, text in written.items())
        return f"{self.noise}: changes {count} of {len(written)} {language_name(self.language)} queries"


@dataclass(frozen=True)
class DocumentIndexes:
    """A collection's documents as an encoder has indexed them.

    Attributes:
        encoder: of the documents, folder or name.
        homes: runs that keep what it has encoded: the first whose index is whole, or can be written.
        collection: that is searched.
    """

    encoder: str | Path
    homes: Sequence[RunFolder]
    collection: Collection

    def folder(self, language: str) -> Path:
        """Of those in a language, be it there or not."""
        places = [home.path / "index" / self.collection.fingerprint("corpus", language) for home in self.homes]
        return next((place for place in places if is_writable(place) or _is_whole(place)), places[-1])

    def open(self, language: str) -> StoredIndex:
        """Those in a language, encoded if they are not there."""
        encoder = TokenEncoder.from_pretrained(self.encoder)
        made_by = fingerprint(self.encoder)
        return open_index(self.folder(language), encoder, made_by, self.collection, language, counting)


def _is_whole(index: Path) -> bool:
    try:
        open_folder(index)
    except UserError:
        return False
    return True


class Searcher:
    """A query encoder over the documents as some encoder has indexed them.

    Args:
        name: as tables call it; with its spaces as dashes it begins the files' names.
        encoder: folder or name of the query encoder; loaded when something is to be searched.
        documents: as they are indexed.
        folders: where the rankings are kept: in the first that has one, or that can be written.
        collection: that is searched.
    """

    def __init__(
        self,
        name: str,
        encoder: str | Path,
        documents: DocumentIndexes,
        folders: Sequence[Path],
        collection: Collection,
    ) -> None:
        self.name, self.folders, self.collection = name, folders, collection
        self.name_or_folder, self._documents = encoder, documents
        self._indexes: dict[str, StoredIndex] = {}
        self._wanted: list[str] = []  # languages whose index was asked for, be it whole by now or not

    @cached_property
    def encoder(self) -> TokenEncoder:
        """Of the queries."""
        return TokenEncoder.from_pretrained(self.name_or_folder)

    def documents(self, language: str = ENGLISH) -> StoredIndex:
        """Those in a language."""
        if language not in self._indexes:
            self._wanted.append(language)
            self._indexes[language] = self._documents.open(language)
        return self._indexes[language]

    def index_folders(self) -> list[Path]:
        """Of the languages whose documents were searched, or were to be."""
        return [self._documents.folder(language) for language in self._wanted]

    def path(self, queries: Queries) -> Path:
        """Where the ranking is kept."""
        return placed(self.folders, f"{self.name.replace(' ', '-')}.{queries}.trec")

    def ranking(self, queries: Queries) -> Run:
        """From the file, or searched now and written there."""
        path = self.path(queries)
        if not path.is_file():
            texts, _ = queries.read(self.collection)
            index = self.documents(queries.documents)
            encoded = encode(
                self.encoder, self.encoder.tokenizer.queries, texts, counting("queries encoded", len(texts))
            )
            found = search(encoded, index, progress=counting("documents searched", len(index)))
            write_run(found, path, self.name.replace(" ", "-"))
        return read_run(path)

    def measured(
        self, queries: Queries, measures: tuple[str, ...] = DEFAULT_MEASURES, judging: Judging = USUAL
    ) -> Measured:
        """What the ranking is worth."""
        _, qrels = queries.read(self.collection)
        of = str(self.name_or_folder)
        return measure(self.name, queries.language, self.ranking(queries), qrels, measures, judging, of=of)


def kind_of(config: dict[str, Any]) -> str:
    """What a run trains: `teacher`, `distilled` (it has a teacher) or `hybrid` (several languages)."""
    if config["model"]["init_args"].get("teacher"):
        return DISTILLED
    return TEACHER if parse_languages(config["data"]["languages"]) == [ENGLISH] else HYBRID


def run_searchers(
    run: RunFolder, collection: Collection, teacher: str | Path | None = None
) -> tuple[Searcher, Searcher | None]:
    """A run's encoder, under the name of its kind, and its teacher where it is a student; both over its documents.

    A teacher that is a run itself keeps the index and its rankings in its own folder, so that every student finds them
    there; another one's are kept in the student's, and so is what cannot be written there.

    Args:
        run: of the encoder.
        collection: that is searched.
        teacher: where it is now, if it was moved; see `find_teacher`.

    Raises:
        UserError: the folder is no run; the teacher is not there.
    """
    config = run.read_config()
    name = kind_of(config)
    own_rankings = rankings_folder(run, collection)
    if name != DISTILLED:
        if teacher is not None:
            raise UserError(f"{run.path}: is no student, so it has no teacher; leave --teacher out")
        own = DocumentIndexes(run.encoder, [run], collection)
        return Searcher(name, run.encoder, own, [own_rankings], collection), None
    found = find_teacher(run, teacher)
    homes = run.homes_of(found)
    index = DocumentIndexes(found, homes, collection)
    rankings = [rankings_folder(home, collection) for home in homes]
    return (
        Searcher(name, run.encoder, index, [own_rankings], collection),
        Searcher(TEACHER, found, index, rankings, collection),
    )


def rankings_folder(run: RunFolder, collection: Collection) -> Path:
    """A run's rankings; those of another collection than it was trained on in a folder of their own."""
    found = collection.fingerprint()
    own = run.read_facts()["collection_fingerprint"] == found
    return run.rankings if own else run.rankings / found


def languages_file(run: RunFolder, collection: Collection) -> Path:
    """What a run was found to be worth over the documents of several languages, see `languages_as_json`."""
    folder = rankings_folder(run, collection)
    return run.languages if folder == run.rankings else folder / run.languages.name
