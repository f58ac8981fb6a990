"""A collection is a folder: BEIR's layout, extended by language."""

import hashlib
import json
from collections.abc import Container, Iterator
from functools import lru_cache
from pathlib import Path

from clir_ot.collections.cache import locate
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.files import read_lines

SPLITS = ("train", "dev", "test")
ENGLISH = "en"


class Collection:
    """Documents, queries, judgements and bitext of one folder.

    ```
    corpus.jsonl | corpus.<lang>.jsonl     {"_id": "d1", "title": "", "text": "..."}    no suffix = en
    queries.jsonl | queries.<lang>.jsonl   {"_id": "q1", "text": "..."}
    queries.<lang>-en.jsonl                optional: those of the language, translated to English by a machine
    qrels/{train,dev,test}.tsv             query-id  corpus-id  score; optional qrels/test.<lang>.tsv
    bitext/<lang>.tsv                      English TAB foreign
    ```

    Every file may also end in `.gz`. Translations share their `_id` across languages. `starter` names
    the starter's collection in the cache.

    Raises:
        UserError: the folder does not exist or holds no corpus or no queries; a file has a malformed line
            (raised when that file is first read; names file, line and what was expected).
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(locate(folder, "collection")).expanduser()
        if not self.folder.is_dir():
            raise UserError(f"{self.folder}: no such collection folder; `make starter` builds the default one")
        self._corpora = files_by_language(self.folder, "corpus", ".jsonl")
        self._queries = files_by_language(self.folder, "queries", ".jsonl", apart=self._translations().values())
        self._bitexts = files_by_language(self.folder / "bitext", "", ".tsv")
        for kind, found in (("corpus", self._corpora), ("queries", self._queries)):
            if not found:
                raise UserError(f"{self.folder}: holds no {kind}.jsonl or {kind}.<lang>.jsonl; see the README")

    @property
    def document_languages(self) -> list[str]:
        """Languages with a corpus file."""
        return sorted(self._corpora)

    @property
    def query_languages(self) -> list[str]:
        """Languages with a queries file."""
        return sorted(self._queries)

    @property
    def bitext_languages(self) -> list[str]:
        """Languages with a bitext file."""
        return sorted(self._bitexts)

    def documents(self, language: str = ENGLISH) -> dict[str, str]:
        """`{_id: text}` in file order; a title, where there is one, goes before the text."""
        return _read_texts(self._file(self._corpora, "documents", language))

    def queries(self, language: str = ENGLISH) -> dict[str, str]:
        """`{_id: text}` in file order."""
        return _read_texts(self._file(self._queries, "queries", language))

    def has_translated_queries(self, language: str) -> bool:
        """Whether there is a file of the language's queries translated to English."""
        return canonical_language(language) in self._translations()

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
        # Not from the cache: the file grows while queries are translated.
        return _read_texts.__wrapped__(self.translated_queries_path(code))

    def translated_queries_path(self, language: str) -> Path:
        """The file of a language's queries translated to English; where there is none, the name it is to have."""
        code = canonical_language(language)
        return self._translations().get(code, self.folder / f"queries.{code}-{ENGLISH}.jsonl")

    def negatives(self, language: str = ENGLISH) -> dict[str, list[str]]:
        """`{query: documents}` that a queries file lists as `"negatives": ["d1", ...]`, where it does."""
        return _read_negatives(self._file(self._queries, "queries", language))

    def bitext(self, language: str) -> list[tuple[str, str]]:
        """`[(English, foreign)]` in file order."""
        return _read_bitext(self._file(self._bitexts, "bitext", language))

    def qrels(self, split: str, language: str = ENGLISH) -> dict[str, dict[str, int]]:
        """`{query: {document: score}}` of a split: `qrels/<split>.<lang>.tsv` where it exists, else `<split>.tsv`."""
        if (path := self._qrels_path(split, language)) is None:
            raise UserError(f"{self.folder / 'qrels' / split}.tsv: no such file; the split {split!r} has no judgements")
        return _read_qrels(path)

    def is_judged(self, split: str, language: str) -> bool:
        """Whether there are queries in the language and a qrels file of the split for them."""
        return canonical_language(language) in self._queries and self._qrels_path(split, language) is not None

    def all_qrels(self) -> Iterator[tuple[Path, dict[str, dict[str, int]]]]:
        """Every qrels file there is, with its judgements."""
        for path in sorted((self.folder / "qrels").glob("*.tsv*")):
            yield path, _read_qrels(path)

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
                f"{self._file(self._queries, 'queries', language)}: none of its queries is judged in split "
                f"{split!r}; translations must keep the _id of the query they translate"
            )
        if documents is not None and not (judgements := self._found_in(judgements, documents)):
            raise UserError(
                f"{self._qrels_path(split, language)}: judges no document in {canonical_language(documents)!r} for the "
                f"queries in {canonical_language(language)!r}, only documents in other languages"
            )
        return {query: texts[query] for query in judgements}, judgements

    def fingerprint(self, kind: str = "all", language: str | None = None) -> str:
        """SHA-256 (16 hex digits) over file names and bytes: of everything, or of one `corpus` or `bitext`."""
        if kind == "all":
            bitexts = [*self._bitexts.values()]
            qrels = sorted((self.folder / "qrels").glob("*.tsv*"))
            paths = [*self._corpora.values(), *self._queries.values(), *bitexts, *qrels]
        else:
            files = {"corpus": self._corpora, "bitext": self._bitexts}[kind]
            paths = [self._file(files, kind, language or ENGLISH)]
        digest = hashlib.sha256()
        for path in sorted(paths):
            digest.update(path.name.encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:16]

    def _translations(self) -> dict[str, Path]:
        """`queries.<lang>-en.jsonl` by language; no part of the fingerprint, for they are made from the collection."""
        return files_by_language(self.folder, "queries.", f"-{ENGLISH}.jsonl")

    def _found_in(self, judgements: dict[str, dict[str, int]], language: str) -> dict[str, dict[str, int]]:
        """Without documents that only other languages' corpora have, and without queries that have no others."""
        others = [other for other in self.document_languages if other != canonical_language(language)]
        if not others:
            return judgements
        here = self.documents(language)
        absent = {document for grades in judgements.values() for document in grades if document not in here}
        if not absent:
            return judgements  # translations share their ids: the other corpora need not be read
        elsewhere = {document for other in others for document in absent.intersection(self.documents(other))}
        kept = {
            query: {document: grade for document, grade in grades.items() if document not in elsewhere}
            for query, grades in judgements.items()
        }
        return {query: grades for query, grades in kept.items() if grades}

    def _qrels_path(self, split: str, language: str) -> Path | None:
        names = (f"{split}.{canonical_language(language)}.tsv", f"{split}.tsv")
        paths = [self.folder / "qrels" / f"{name}{suffix}" for name in names for suffix in ("", ".gz")]
        return next((path for path in paths if path.is_file()), None)

    def _file(self, files: dict[str, Path], what: str, language: str) -> Path:
        code = canonical_language(language)
        if code not in files:
            raise UserError(
                f"{self.folder} has no {what} in {code!r}; it has {what} in: {', '.join(sorted(files)) or 'none'}"
            )
        return files[code]


def files_by_language(folder: Path, stem: str, suffix: str, apart: Container[Path] = ()) -> dict[str, Path]:
    """Files named `stem.<lang>suffix`, or `stem+suffix` for English, by canonical language; without those set apart."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"{stem}*{suffix}")) + sorted(folder.glob(f"{stem}*{suffix}.gz")):
        if path in apart:
            continue
        code = path.name.removesuffix(".gz").removesuffix(suffix).removeprefix(stem).lstrip(".")
        try:
            language = canonical_language(code) if code else ENGLISH
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        if language in found:
            raise UserError(f"{path}: {found[language].name} is already the {language!r} file; keep one of them")
        found[language] = path
    return found


# Reading is cached by file: a collection is read by the data module, the evaluation and the statistics of one run.
@lru_cache(maxsize=64)
def _read_texts(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for place, line in read_lines(path):
        try:
            record = json.loads(line)
            name, text = record["_id"], record["text"]
            title = record.get("title") or ""
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f'{place}: expected {{"_id": "...", "text": "..."}} on one line ({error})') from error
        if not all(map(_is_text, (name, text, title))) or not f"{title}{text}".strip():
            raise UserError(f'{place}: "_id" and "text" must be non-empty strings')
        if name in texts:
            raise UserError(f"{place}: _id {name!r} occurs a second time; every _id must be unique in its file")
        texts[name] = f"{title}\n{text}" if title else text
    if not texts:
        raise UserError(f'{path}: is empty; expected one {{"_id": "...", "text": "..."}} a line')
    return texts


@lru_cache(maxsize=64)
def _read_negatives(path: Path) -> dict[str, list[str]]:
    found = {}
    for place, line in read_lines(path):
        record = json.loads(line)  # `_read_texts` has seen to it that this is an object with an _id
        if "negatives" in record:
            ids = record["negatives"]
            if not isinstance(ids, list) or not all(map(_is_text, ids)):
                raise UserError(f'{place}: "negatives" must be a list of document _ids')
            found[record["_id"]] = ids
    return found


@lru_cache(maxsize=64)
def _read_bitext(path: Path) -> list[tuple[str, str]]:
    pairs = []
    for place, line in read_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 2 or not all(fields):
            raise UserError(f"{place}: expected English TAB foreign, both non-empty; found {len(fields)} field(s)")
        pairs.append((fields[0], fields[1]))
    if not pairs:
        raise UserError(f"{path}: is empty; expected English TAB foreign, one pair a line")
    return pairs


@lru_cache(maxsize=64)
def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    judgements: dict[str, dict[str, int]] = {}
    for row, (place, line) in enumerate(read_lines(path)):
        fields = line.split("\t")
        if row == 0 and fields[0] == "query-id":
            continue
        try:
            query, document, score = fields
            judgements.setdefault(query, {})[document] = int(score)
        except ValueError as error:
            raise UserError(f"{place}: expected query-id TAB corpus-id TAB whole number") from error
    if not judgements:
        raise UserError(f"{path}: holds no judgement; expected query-id TAB corpus-id TAB score")
    return judgements


def _is_text(value: object) -> bool:
    return isinstance(value, str)
