"""A collection is a folder: BEIR's layout, extended by language."""

import hashlib
import json
from collections.abc import Iterator
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
        self._corpora = _by_language(self.folder, "corpus", ".jsonl")
        self._queries = _by_language(self.folder, "queries", ".jsonl")
        self._bitexts = _by_language(self.folder / "bitext", "", ".tsv")
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

    def judged(self, split: str, language: str) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
        """The queries of a language that a split judges, and those judgements, both keyed by query.

        Raises:
            UserError: none of the split's judged queries exists in that language.
        """
        texts, judgements = self.queries(language), self.qrels(split, language)
        queries = {query: texts[query] for query in judgements if query in texts}
        if not queries:
            raise UserError(
                f"{self._file(self._queries, 'queries', language)}: none of its queries is judged in split "
                f"{split!r}; translations must keep the _id of the query they translate"
            )
        return queries, {query: judgements[query] for query in queries}

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


def _by_language(folder: Path, stem: str, suffix: str) -> dict[str, Path]:
    """Files named `stem.<lang>suffix`, or `stem+suffix` for English, by canonical language."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"{stem}*{suffix}")) + sorted(folder.glob(f"{stem}*{suffix}.gz")):
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
