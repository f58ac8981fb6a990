"""From what a builder reads to a collection folder: written whole or not at all, and no corpus is held in memory."""

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from clir_ot.collections.collection import Collection
from clir_ot.collections.content import has_content
from clir_ot.collections.id_index import IdIndex, hashed
from clir_ot.collections.statistics import statistics
from clir_ot.collections.trec_fields import id_problem
from clir_ot.collections.writing import write_bitext, write_qrels, write_records
from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers, replacing, require_place, write_text
from clir_ot.sources.hub_files import Judgement

Document = tuple[str, str, str] | tuple[str, str, str, str]
"""(_id, title or nothing, text), and perhaps where the published files have it, `FILE:LINE`."""

Progress = Callable[[int], None]
"""Is called with the number of documents written since the last call."""

_LOST = 0.01
"""Share of the judgements whose text may be missing: published sets have a few; more is an incomplete copy."""


@dataclass(frozen=True)
class Contents:
    """What goes into a folder; all but `negatives` are read when they are written.

    Judgements are read twice, and so are the documents of a language where some are there a second time.

    Attributes:
        documents, queries: by language; a query may come several times.
        judgements: by file name without `.tsv`, such as `train` or `dev.sw`.
        negatives: `{query: documents}`, known not to be relevant.
        bitext: (English, foreign) by language.
    """

    documents: Mapping[str, Callable[[], Iterable[Document]]]
    queries: Mapping[str, Callable[[], Iterable[tuple[str, str]]]]
    judgements: Mapping[str, Callable[[], Iterable[Judgement]]]
    negatives: Mapping[str, Sequence[str]] = field(default_factory=dict)
    bitext: Mapping[str, Callable[[], Iterable[tuple[str, str]]]] = field(default_factory=dict)


@dataclass(frozen=True)
class About:
    """What the folder's README.md says.

    Attributes:
        title, what: its name, and what is searched for what.
        source, version, licence: where it is from.
        notes: what was done to it.
    """

    title: str
    what: str
    source: str
    version: str
    licence: str
    notes: Sequence[str] = ()


def untold(done: int) -> None:
    """The progress that nobody asked for."""


def require_new(folder: Path) -> None:
    """Stop before anything slow if the folder cannot be written, and clear away what a build that was killed has left.

    Raises:
        UserError: it is there and not empty.
    """
    remove_leftovers(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: is there already and not empty; name a new folder, or remove it to build it again")
    require_place(folder, folder=True)


@contextmanager
def whole_collection(folder: Path) -> Iterator[Path]:
    """Give a folder to write, which is read once and then takes its place as `folder`: whole, readable, or not at all.

    Raises:
        UserError: `require_new`'s; what was written cannot be read; whatever the block raises, about `folder`.
    """
    require_new(folder)
    with replacing(folder) as temporary:
        temporary.mkdir()
        try:
            yield temporary
            statistics(Collection(temporary))
        except UserError as error:
            raise UserError(str(error).replace(str(temporary), str(folder))) from error


def assemble(folder: Path, contents: Contents, about: About, progress: Progress = untold) -> None:
    """Write the collection.

    Left out, counted in README.md and said: texts without a visible character; documents that are there a second time;
    queries that no split judges, where there are judgements; judgements of a text that is not there.

    Raises:
        UserError: an id with a space in it, or with two texts; more than 1 in 100 judgements without their text; a
            split without judgements; the folder is not empty.
    """
    require_new(folder)
    judged_queries, wanted = _judged(contents)
    wanted.update(name for names in contents.negatives.values() for name in names)
    with whole_collection(folder) as temporary:
        tally = _Tally(progress)
        for language, read in contents.documents.items():
            written = _write_documents(temporary, language, read, wanted, tally)
            tally.lines.append(f"- Documents in `{language}`: {written}.")
        negatives = {
            query: there
            for query, names in contents.negatives.items()
            if (there := [name for name in names if name in tally.found])
        }
        for language, texts in contents.queries.items():
            queries = tally.queries(texts(), judged_queries, negatives)
            tally.lines.append(f"- Queries in `{language}`: {write_records(temporary, 'queries', language, queries)}.")
        for split, rows in contents.judgements.items():
            kept = write_qrels(temporary, split, tally.judged(rows()))
            tally.check(folder, split, kept)
            tally.lines.append(f"- Judgements in `{split}`: {kept}.")
        for language, pairs in contents.bitext.items():
            lines = ("\t".join(" ".join(side.split()) for side in pair) for pair in tally.pairs(pairs()))
            tally.lines.append(f"- Bitext in `{language}`: {write_bitext(temporary, language, lines)} pairs.")
        write_text(temporary / "README.md", _readme(about, tally))
    for count, what in tally.left_out():
        print(f"left out: {count} {what}", flush=True)


def _write_documents(
    folder: Path, language: str, read: Callable[[], Iterable[Document]], wanted: set[str], tally: "_Tally"
) -> int:
    """Those that are there a second time are found when all are written; without them, all is written once more."""
    written = _Pass(frozenset())
    count = write_records(folder, "corpus", language, written.records(read(), wanted, tally.progress))
    if pairs := IdIndex.of(written.names).repeated_pairs():
        if changed := next((p for p in pairs if written.contents[p[0]] != written.contents[p[1]]), None):
            (name, first), (_, second) = _rows_at(read(), changed)
            raise UserError(f"document {name!r} has two texts in the published files, at {first} and at {second}")
        tally.doubles += len(pairs)
        written = _Pass(frozenset(again for _, again in pairs))
        count = write_records(folder, "corpus", language, written.records(read(), wanted, untold))
    tally.blank += written.blank
    tally.found |= written.found
    return count


def _rows_at(documents: Iterable[Document], rows: tuple[int, int]) -> list[tuple[str, str]]:
    """_id and place of some documents."""
    named = (
        (document[0], document[3] if len(document) > 3 else f"row {row + 1}")
        for row, document in enumerate(documents)
        if row in rows
    )
    return [found for found, _ in zip(named, rows, strict=False)]


@dataclass
class _Pass:
    """One reading of a language's documents, by row: hashes of their `_id`s, and of their texts.

    Attributes:
        left_out: rows that are not written.
    """

    left_out: Container[int]
    names: "array[int]" = field(default_factory=lambda: array("Q"))
    contents: "array[int]" = field(default_factory=lambda: array("Q"))
    found: set[str] = field(default_factory=set)
    blank: int = 0

    def records(self, rows: Iterable[Document], wanted: set[str], progress: Progress) -> Iterator[dict[str, object]]:
        for row, (name, title, text, *_) in enumerate(rows):
            _check_id(name)
            progress(1)
            self.names.append(hashed(name))
            self.contents.append(hashed(_whole(f"{title}\n{text}")))
            if row in self.left_out:
                continue
            if not has_content(f"{title}{text}"):
                self.blank += 1
                continue
            if name in wanted:
                self.found.add(name)
            named = {"_id": name, "title": _whole(title)} if title else {"_id": name}
            yield {**named, "text": _whole(text)}


def _judged(contents: Contents) -> tuple[set[str] | None, set[str]]:
    """Ids of the judged queries, None where nothing is judged; and of the judged documents."""
    queries: set[str] = set()
    documents: set[str] = set()
    for split, rows in contents.judgements.items():
        empty = True
        for query, document, _ in rows():
            empty = False
            queries.add(query)
            documents.add(document)
        if empty:
            raise UserError(f"qrels/{split}: the published files hold no judgement")
    return (queries if contents.judgements else None), documents


@dataclass
class _Tally:
    """What was found and what was left out."""

    progress: Progress
    found: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    blank: int = 0
    doubles: int = 0
    unjudged: int = 0
    kept: int = 0
    lost: int = 0
    example: str = ""
    lines: list[str] = field(default_factory=list)

    def queries(
        self, rows: Iterable[tuple[str, str]], judged: set[str] | None, negatives: Mapping[str, Sequence[str]]
    ) -> Iterator[dict[str, object]]:
        here: dict[str, str] = {}
        for name, text in rows:
            _check_id(name, leads=True)
            if here.setdefault(name, text) != text:
                raise UserError(f"query {name!r} has two texts in the published files, {here[name]!r} and {text!r}")
            if judged is not None and name not in judged:
                self.unjudged += 1
            elif not has_content(text):
                self.blank += 1
        for name, text in here.items():
            if has_content(text) and (judged is None or name in judged):
                self.asked.add(name)
                record: dict[str, object] = {"_id": name, "text": _whole(text)}
                yield record | {"negatives": negatives[name]} if name in negatives else record

    def pairs(self, rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for pair in rows:
            if all(map(has_content, pair)):
                yield pair
            else:
                self.blank += 1

    def judged(self, rows: Iterable[Judgement]) -> Iterator[Judgement]:
        for row in rows:
            if row[0] in self.asked and row[1] in self.found:
                self.kept += 1
                yield row
            else:
                self.lost += 1
                self.example = self.example or (f"document {row[1]!r}" if row[0] in self.asked else f"query {row[0]!r}")

    def check(self, folder: Path, split: str, kept: int) -> None:
        if self.lost > _LOST * (self.kept + self.lost) or not kept:
            raise UserError(
                f"{folder} is not written: in qrels/{split}, texts that are judged are not there, such as "
                f"{self.example} ({self.lost} of {self.kept + self.lost} judgements so far); the copy is incomplete, "
                "or not of the files that the judgements are of"
            )

    def left_out(self) -> list[tuple[int, str]]:
        """How many of what."""
        kinds = (
            (self.blank, "texts without a visible character"),
            (self.doubles, "documents that are there a second time as they are"),
            (self.unjudged, "queries that no split judges"),
            (self.lost, f"judgements of a text that is not there, such as {self.example}"),
        )
        return [(count, what) for count, what in kinds if count]


def _check_id(name: str, *, leads: bool = False) -> None:
    if problem := "an _id is empty" if not name else id_problem(name, leads=leads):
        raise UserError(problem)


def _whole(text: str) -> str:
    """Without half characters, which crawled JSON has and no file can hold: U+FFFD stands for each."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _readme(about: About, tally: _Tally) -> str:
    notes = [f"- {note}." for note in about.notes]
    notes += [f"- Left out: {count} {what}." for count, what in tally.left_out()]
    facts = [f"- Source: {about.source}.", f"- Version: {about.version}.", f"- Licence: {about.licence}."]
    return "\n".join([f"# {about.title}", "", about.what, "", *facts, *tally.lines, *notes, ""])
