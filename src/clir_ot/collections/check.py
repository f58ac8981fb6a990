"""Does a collection have what an experiment needs? Said before anything slow begins, and all of it at once."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from clir_ot.collections.folder_files import ENGLISH, FolderFiles, find_folder
from clir_ot.collections.id_index import IdIndex, hashed, union
from clir_ot.collections.languages import canonical_language
from clir_ot.collections.loading import corpus_notes
from clir_ot.collections.problems import Problems
from clir_ot.collections.reading import (
    Text,
    listed_negatives,
    read_judgements,
    read_pairs,
    read_texts,
    repeated_id,
    score_changed,
)
from clir_ot.collections.table_reading import table_notes
from clir_ot.errors import UserError


def find_problems(folder: str | Path, languages: Sequence[str], shown: int = 20) -> Problems:
    """Read every file whole, line by line, and look for what distillation and evaluation in some languages read.

    Every malformed line is a problem, every `_id` that no TREC file can hold or that its file has already with another
    text, every judgement, negative or translation of a text that is not there, every file that nothing reads. Documents
    without text, those that are there a second time, and tables that are read otherwise than line by line are no
    problem but noted. Memory does not grow with the texts, only by some tens of bytes a text: `_id`s and texts are
    known by 64 bits of theirs.

    Args:
        folder: of the collection, or `starter`.
        languages: to be distilled into and evaluated; may be empty.
        shown: problems of each file that are kept to be said.

    Raises:
        UserError: there is no such folder; a language is no language code.
    """
    wanted = [canonical_language(language) for language in languages]
    problems = Problems(shown)
    files = FolderFiles.find(find_folder(folder), problems.add)
    for path, problem in files.unread():
        problems.add(path, problem)
    problems.notes += table_notes(files)
    checked = _Check(files, problems)
    checked.texts()
    checked.bitexts()
    checked.translations()
    checked.judgements()
    for language in wanted:
        checked.language(language)
    return problems


class _Check:
    def __init__(self, files: FolderFiles, problems: Problems) -> None:
        self.files, self.problems = files, problems
        self.documents: dict[str, IdIndex] = {}
        self.queries: dict[str, IdIndex] = {}
        self.any_document, self.any_query = union([]), union([])
        self.with_negatives: list[Path] = []
        self.blank: dict[Path, set[int]] = {}

    def texts(self) -> None:
        """Documents and queries, then the negatives that queries list."""
        for found, paths in ((self.documents, self.files.corpora), (self.queries, self.files.queries)):
            found |= {language: self._ids(path, paths is self.files.corpora) for language, path in paths.items()}
        self.any_document, self.any_query = union([*self.documents.values()]), union([*self.queries.values()])
        for path in self.with_negatives:
            if path in self.files.queries.values():
                self._negatives(path)

    def bitexts(self) -> None:
        """Every line of them."""
        for path in self.files.bitexts.values():
            with self._whole(path):
                for _ in read_pairs(path, self.problems.add):
                    pass

    def translations(self) -> None:
        """Queries that a machine translated: each must be one of the language's."""
        for language, path in self.files.translations(_pass_over).items():
            self._ids(path)
            if language in self.queries:
                self._translated(path, language)
            else:
                self.problems.add(
                    path, f"{path}: translates queries in {language!r}, of which there are none; remove it"
                )

    def judgements(self) -> None:
        """That there are some, each of a query and a document that are there."""
        paths = self.files.qrels()
        if not paths:
            self.problems.add(
                self.files.folder / "qrels",
                f"{self.files.folder / 'qrels'}: there are queries, but no judgements; expected train.tsv, dev.tsv or "
                "test.tsv with query-id TAB corpus-id TAB score",
            )
        for path in paths:
            with self._whole(path):
                self._judgements(path)

    def language(self, language: str) -> None:
        """What distillation into it and evaluation in it read."""
        with self._whole(self.files.folder):
            kinds = ("queries", self.files.queries), ("bitext", self.files.bitexts)
            found = {what: code for what, files in kinds if (code := self.files.code(files, language)) in files}
            for what, code in found.items():
                if code != language:
                    self.problems.notes.append(f"{self.files.folder}: {language!r} is read from its {what} in {code!r}")
            self._language(language, found)

    def _language(self, language: str, found: Mapping[str, str]) -> None:
        """Of a language, by the codes of its files."""
        both = {*self.queries} & {*self.files.bitexts} - {ENGLISH}
        distillable, folder = ", ".join(sorted(both)) or "none", self.files.folder
        if language == ENGLISH:
            self.problems.add(folder, f"en is the teacher's language; choose a foreign one, such as {distillable}")
            return
        if not found:
            self.problems.add(
                folder, f"{folder} has nothing in {language!r}; languages with queries and bitext: {distillable}"
            )
            return
        if self.files.corpora and ENGLISH not in self.files.corpora:
            self.problems.add(
                folder,
                f"{folder}: has no English documents, which are what a student's queries search; it has documents in: "
                f"{', '.join(sorted(self.files.corpora))}",
            )
            return
        for files, what in ((self.files.bitexts, "bitext"), (self.files.queries, "queries")):
            with self._whole(folder):
                self.files.file(files, what, language)
        if found.get("queries") in self.queries:
            self._judged(found["queries"])

    def _judged(self, language: str) -> None:
        """That some query of the test split is there in the language, with a judged document in English."""
        path = self.files.qrels_of("test", language)
        if path is None:
            place = self.files.folder / "qrels" / "test.tsv"
            self.problems.add(place, f"{place}: no such file; the split 'test' has no judgements")
            return
        judged, english = False, ENGLISH not in self.documents
        with suppress(UserError):  # said when the file was read first
            for judgement in read_judgements(path, _pass_over):
                if judgement.query in self.queries[language]:
                    judged = True
                    english = english or judgement.document in self.documents[ENGLISH]
        if not judged:
            queries = self.files.queries[language]
            self.problems.add(
                queries,
                f"{queries}: none of its queries is judged in split 'test'; translations must keep the _id of the "
                "query they translate",
            )
        elif not english:
            self.problems.add(
                path,
                f"{path}: judges no English document for the queries in {language!r}, only of others",
            )

    def _ids(self, path: Path, are_documents: bool = False) -> IdIndex:
        """Read a file of texts."""
        hashes, contents, negatives, blank = array("Q"), array("Q"), False, array("Q")
        first_blank = ""

        def note_blank(path: Path, problem: str) -> None:
            blank.append(len(hashes))

        with self._whole(path):
            for text in read_texts(path, self.problems.add, note_blank if are_documents else None):
                if blank and blank[-1] == len(hashes):
                    first_blank = first_blank or text.name
                hashes.append(hashed(text.name))
                contents.append(hashed(text.text))
                negatives = negatives or text.negatives is not None
        if negatives:
            self.with_negatives.append(path)
        index = IdIndex.of(hashes)
        doubles = self._repeated(path, index, contents)
        self.blank[path] = {hashes[row] for row in blank}
        if are_documents and blank and len(blank) == len(hashes):
            self.problems.add(path, f"{path}: none of its {len(self.blank[path])} documents has a text")
        else:
            self.problems.notes += corpus_notes(path, len(self.blank[path]), first_blank, doubles)
        return index

    def _repeated(self, path: Path, index: IdIndex, contents: "array[int]") -> int:
        """Say which `_id`s have two texts; how many records are there a second time as they are."""
        pairs = index.repeated_pairs()
        changed = [pair for pair in pairs if contents[pair[0]] != contents[pair[1]]]
        said = changed[: self.problems.shown]
        texts = _texts_at(path, {row for pair in said for row in pair})
        for first, again in said:
            self.problems.add(path, repeated_id(texts[again], texts[first].place))
        self.problems.add_unsaid(path, len(changed) - len(said))
        return len(pairs) - len(changed)

    def _negatives(self, path: Path) -> None:
        with suppress(UserError):  # said when the file was read first
            for query in read_texts(path, _pass_over):
                for document in listed_negatives(path, query, self.problems.add):
                    if document not in self.any_document:
                        self.problems.add(
                            path,
                            f"{query.place}: negative {document!r} of query {query.name!r} is in no corpus file; add "
                            "it there or take it out",
                        )

    def _translated(self, path: Path, language: str) -> None:
        queries = self.files.queries[language].name
        with suppress(UserError):  # said when the file was read first
            for text in read_texts(path, _pass_over):
                if text.name not in self.queries[language]:
                    self.problems.add(path, f"{text.place}: query {text.name!r} is not in {queries}; remove the line")

    def _judgements(self, path: Path) -> None:
        scores: dict[int, int] = {}
        lost, example = 0, ""
        for judgement in read_judgements(path, self.problems.add):
            place, query, document, score = judgement
            if query not in self.any_query:
                self.problems.add(
                    path, f"{place}: query {query!r} is in no queries file; add it there or remove its judgement"
                )
            if document not in self.any_document:
                self.problems.add(
                    path,
                    f"{place}: document {document!r} of query {query!r} is in no corpus file; add it there or remove "
                    "its judgement",
                )
            if scores.setdefault(hashed(f"{query}\t{document}"), score) != score:
                self.problems.add(path, score_changed(judgement))
            if score > 0 and self._has_no_text(document):
                lost, example = lost + 1, example or f"{document!r} of query {query!r}"
        if lost:
            some = (
                "judges 1 document relevant that has no text"
                if lost == 1
                else (f"judges {lost} documents relevant that have no text")
            )
            self.problems.notes.append(f"{path}: {some}, {example}{' first' * (lost > 1)}: it counts as never found")

    def _has_no_text(self, document: str) -> bool:
        """Whether it is there, but without a text in every language that has it."""
        there = [path for language, path in self.files.corpora.items() if document in self.documents[language]]
        return bool(there) and all(hashed(document) in self.blank[path] for path in there)

    @contextmanager
    def _whole(self, path: Path) -> Iterator[None]:
        """What makes a file as a whole unreadable is a problem of it, and others are read all the same."""
        try:
            yield
        except UserError as error:
            self.problems.add(path, str(error))


def _pass_over(path: Path, problem: str) -> None:
    """Takes a problem that an earlier reading of the file has said."""


def _texts_at(path: Path, rows: set[int]) -> dict[int, Text]:
    """The texts at some rows of a file, which has been read as far as the last of them."""
    last = max(rows, default=-1)
    # No further: what is behind may be what cannot be read.
    texts = enumerate(islice(read_texts(path, _pass_over), last + 1))
    return {row: text for row, text in texts if row in rows}
