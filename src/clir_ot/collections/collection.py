"""A collection is a folder: BEIR's layout, extended by language."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from clir_ot.collections.folder_files import ENGLISH, SPLITS, FolderFiles, files_by_language, find_folder
from clir_ot.collections.languages import canonical_language
from clir_ot.collections.loading import (
    load_documents,
    load_judgements,
    load_negatives,
    load_pairs,
    load_small_texts,
    load_texts,
)
from clir_ot.collections.reading import read_pairs
from clir_ot.collections.table_reading import is_read_plainly
from clir_ot.collections.text_files import PAIRS, TEXTS
from clir_ot.errors import UserError
from clir_ot.files import sha256

# Texts were once read as they are written.
_READ_AS = b"NFC"

__all__ = ["ENGLISH", "SPLITS", "Collection", "files_by_language"]


class Collection:
    """Documents, queries, judgements and bitext of one folder.

    ```
    corpus.jsonl | corpus.<lang>.jsonl     {"_id": "d1", "title": "", "text": "..."}    no suffix = en
    queries.jsonl | queries.<lang>.jsonl   {"_id": "q1", "text": "..."}
    queries.<lang>-en.jsonl                optional: those of the language, translated to English by a machine
    qrels/{train,dev,test}.tsv             query-id  corpus-id  score; optional qrels/test.<lang>.tsv
    bitext/<lang>.tsv                      English TAB foreign
    ```

    Texts may also be in `.tsv` (`_id TAB text`; of other columns, a first line gives the names: `_id TAB title TAB
    text`), bitext in `.jsonl` (`{"english": "...", "foreign": "..."}`), both in `.parquet` (columns of those names).
    Every file but Parquet may also end in `.gz` or `.zst`. Texts are in Unicode NFC when they are read. Translations
    share their `_id` across languages. `starter` names the starter's collection in the cache.

    Small files are held in memory. Large ones are written into the cache as Arrow when they are first read, and read
    from there: ten million documents or pairs take some hundred MB of memory.

    Raises:
        UserError: the folder does not exist or holds no corpus or no queries; a file has a malformed line
            (raised when that file is first read; names file, line and what was expected).
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = find_folder(folder)
        self._files = FolderFiles.find(self.folder)

    @property
    def document_languages(self) -> list[str]:
        """Languages with a corpus file."""
        return sorted(self._files.corpora)

    @property
    def query_languages(self) -> list[str]:
        """Languages with a queries file."""
        return sorted(self._files.queries)

    @property
    def bitext_languages(self) -> list[str]:
        """Languages with a bitext file."""
        return sorted(self._files.bitexts)

    def has(self, kind: str, language: str) -> bool:
        """Whether there is a file of `documents`, `queries` or `bitext` that a language means, as `nb` is of `no`."""
        files = {"documents": self._files.corpora, "queries": self._files.queries, "bitext": self._files.bitexts}[kind]
        return self._files.code(files, language) in files

    def documents(self, language: str = ENGLISH) -> Mapping[str, str]:
        """`{_id: text}` in file order; a title, where there is one, goes before the text.

        Without documents that have neither, see `blank_documents`, and without those that are there a second time.
        """
        return load_documents(self._corpus(language)).texts

    def blank_documents(self, language: str = ENGLISH) -> tuple[str, ...]:
        """`_id`s of documents without a visible character, as published corpora have them; no search finds them."""
        return load_documents(self._corpus(language)).blank

    def notes(self, language: str = ENGLISH) -> list[str]:
        """What of a language's documents is read otherwise than it stands in their file, a line each."""
        return list(load_documents(path := self._corpus(language)).notes(path))

    def queries(self, language: str = ENGLISH) -> Mapping[str, str]:
        """`{_id: text}` in file order."""
        return load_texts(self._queries(language))

    def has_translated_queries(self, language: str) -> bool:
        """Whether there is a file of the language's queries translated to English."""
        return self.translated_queries_path(language) in self._files.translations().values()

    def translated_queries(self, language: str) -> dict[str, str]:
        """`{_id: English text}` of a language's queries as a machine translated them, or some of them.

        Raises:
            UserError: there are none; says how to make them.
        """
        code = canonical_language(language)
        if not self.has_translated_queries(code):
            raise UserError(
                f"{self.folder}: the queries in {code!r} are not translated to English; run `clir-ot translate --model "
                f"NAME --collection {self.folder} --language {code}`, or bring a file queries.{code}-{ENGLISH}.jsonl"
            )
        return load_small_texts(self.translated_queries_path(code))

    def translated_queries_path(self, language: str) -> Path:
        """The file of a language's queries translated to English; where there is none, the name it is to have."""
        found = self._files.translations()
        code = self._files.code(found, language)
        return found.get(code, self.folder / f"queries.{code}-{ENGLISH}.jsonl")

    def negatives(self, language: str = ENGLISH) -> dict[str, list[str]]:
        """`{query: documents}` that a queries file lists as `"negatives": ["d1", ...]`, where it does."""
        return load_negatives(self._queries(language))

    def bitext(self, language: str) -> Sequence[tuple[str, str]]:
        """`[(English, foreign)]` in file order."""
        return load_pairs(self._files.file(self._files.bitexts, "bitext", language))

    def pair_place(self, language: str, position: int) -> str:
        """`FILE:LINE` of a pair of the bitext, counted from 0; for messages, the file is read as far as that."""
        path = self._files.file(self._files.bitexts, "bitext", language)
        return next(islice(read_pairs(path), position, None)).place

    def qrels(self, split: str, language: str = ENGLISH) -> dict[str, dict[str, int]]:
        """`{query: {document: score}}` of a split: `qrels/<split>.<lang>.tsv` where it exists, else `<split>.tsv`."""
        if (path := self._files.qrels_of(split, language)) is None:
            raise UserError(f"{self.folder / 'qrels' / split}.tsv: no such file; the split {split!r} has no judgements")
        return load_judgements(path)

    def is_judged(self, split: str, language: str) -> bool:
        """Whether there are queries in the language and a qrels file of the split for them."""
        return self.has("queries", language) and self._files.qrels_of(split, language) is not None

    def searched_by(self, split: str, language: str) -> str:
        """Language of the documents that a language's queries are asked of: English, or their own.

        Their own where the split judges no English document for them, as in MIRACL, whose languages are not parallel.
        """
        code = self._files.code(self._files.corpora, language)
        if code not in self._files.corpora or not self.is_judged(split, code):
            return ENGLISH
        english = self.documents() if ENGLISH in self._files.corpora else {}
        judgements = self.qrels(split, code).values()
        return ENGLISH if any(document in english for grades in judgements for document in grades) else code

    def judged(
        self, split: str, language: str, documents: str | None = ENGLISH
    ) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        """The queries of a language that a split judges, and their judgements of the documents searched, by query.

        Judgements of documents that are only in other languages' corpora are left out: a search cannot find them, and
        recall and AP would divide by them. So are queries without any judgement then, as trec_eval leaves out queries
        without judgements: no ranking could answer them. The mean is over fewer queries then; every table says over how
        many (`n`), and comparisons pair the queries that both sides have. A judgement of a document in no corpus stays,
        and `clir_ot.collections.check` refuses it.

        Args:
            documents: language of the documents searched; None searches those of all languages.

        Raises:
            UserError: none of the split's judged queries exists in that language, or none has a judged document there.
        """
        texts, judgements = self.queries(language), self.qrels(split, language)
        judgements = {query: grades for query, grades in judgements.items() if query in texts}
        if not judgements:
            raise UserError(
                f"{self._queries(language)}: none of its queries is judged in split "
                f"{split!r}; translations must keep the _id of the query they translate"
            )
        if documents is not None and not (judgements := self._found_in(judgements, documents)):
            raise UserError(
                f"{self._files.qrels_of(split, language)}: judges no document in {canonical_language(documents)!r} for "
                f"the queries in {canonical_language(language)!r}, only documents in other languages"
            )
        return {query: texts[query] for query in judgements}, judgements

    def fingerprint(self, kind: str = "all", language: str | None = None) -> str:
        """SHA-256 (16 hex digits) over file names and bytes: of everything, or of one `corpus` or `bitext`.

        Runs and indexes that were made when texts were read in another way have other fingerprints. So has what is
        read otherwise than line by line as it stands, which it once was.
        """
        if kind == "all":
            found = (self._files.corpora, self._files.queries, self._files.bitexts)
            paths = [*(path for files in found for path in files.values()), *self._files.qrels()]
        else:
            files = {"corpus": self._files.corpora, "bitext": self._files.bitexts}[kind]
            paths = [self._files.file(files, kind, language or ENGLISH)]
        layouts = dict.fromkeys((*self._files.corpora.values(), *self._files.queries.values()), TEXTS)
        layouts |= dict.fromkeys(self._files.bitexts.values(), PAIRS)
        digest = hashlib.sha256(_READ_AS)
        for path in sorted(paths):
            digest.update(path.name.encode())
            digest.update(sha256(path))
            if path in layouts and not is_read_plainly(path, layouts[path]):
                digest.update(b"as a table")
        return digest.hexdigest()[:16]

    def _corpus(self, language: str) -> Path:
        return self._files.file(self._files.corpora, "documents", language)

    def _queries(self, language: str) -> Path:
        return self._files.file(self._files.queries, "queries", language)

    def _found_in(self, judgements: dict[str, dict[str, int]], language: str) -> dict[str, dict[str, int]]:
        """Without documents that only other languages' corpora have, and without queries that have no others."""
        here_code = self._files.code(self._files.corpora, language)
        others = [other for other in self.document_languages if other != here_code]
        if not others:
            return judgements
        here, blank = self.documents(language), frozenset(self.blank_documents(language))
        judged = {document for grades in judgements.values() for document in grades}
        absent = {document for document in judged if document not in here and document not in blank}
        if not absent:
            return judgements  # translations share their ids: the other corpora need not be read
        elsewhere = {document for other in others for document in absent if document in self.documents(other)}
        kept = {
            query: {document: grade for document, grade in grades.items() if document not in elsewhere}
            for query, grades in judgements.items()
        }
        return {query: grades for query, grades in kept.items() if grades}
