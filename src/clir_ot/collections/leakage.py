"""Leakage: test queries that training has seen, as training queries or in the bitext.

The same text counts, whatever its case and punctuation (`fold`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clir_ot.collections.folder_files import ENGLISH, FolderFiles, find_folder
from clir_ot.collections.folding import FoldedTexts
from clir_ot.collections.reading import read_judgements, read_pairs, read_texts
from clir_ot.errors import UserError


@dataclass(frozen=True)
class Leak:
    """What one file has of the test queries.

    Attributes:
        what: `training queries in yo`, `bitext pairs of yo`.
        found, of: how many of them are a test query, or hold one.
        text, place, test_place: the first that is, where it is, and where the test query is; `FILE:LINE`.
    """

    what: str
    found: int
    of: int
    text: str
    place: str
    test_place: str

    def __str__(self) -> str:
        verb = "is a test query" if self.found == 1 else "are test queries"
        return (
            f"{self.found} of {self.of} {self.what} {verb}; the first, {self.text!r}, is at {self.place} and at "
            f"{self.test_place}"
        )


def find_leaks(folder: Path) -> list[Leak]:
    """Every file of training queries and of bitext that has a test query; the files are streamed.

    Held in memory are the test queries and, while its file is read, the ids of a language's training queries.

    Raises:
        UserError: a file is malformed; names file and line.
    """
    files = FolderFiles.find(folder)
    english = queries_under_test(files, ENGLISH)
    leaks: list[Leak] = []
    for language in sorted(files.queries):
        tested = english if language == ENGLISH else queries_under_test(files, language)
        if tested:
            trained = _judged(files, "train", [language])
            texts = ((text.place, [text.text]) for text in read_texts(files.queries[language]) if text.name in trained)
            leaks += _leaks(f"training queries in {language}", texts, [tested])
    for language in sorted(files.bitexts):
        tests = [english, queries_under_test(files, language)]
        if any(tests):
            pairs = ((pair.place, [pair.english, pair.foreign]) for pair in read_pairs(files.bitexts[language]))
            leaks += _leaks(f"bitext pairs of {language}", pairs, tests)
    return leaks


def queries_under_test(files: FolderFiles, language: str, splits: Iterable[str] = ("test",)) -> FoldedTexts:
    """The queries of a language that the splits judge.

    Where a split judges no English query, but those of other languages, English queries with their ids are taken for
    their translations: who has seen the translation has seen the query. Where it does, the languages may have ids of
    their own (`test.<lang>.tsv`).
    """
    found = FoldedTexts()
    if language not in files.queries:
        return found
    judged: set[str] = set()
    for split in splits:
        is_parallel = language == ENGLISH and files.qrels_of(split, ENGLISH) is None
        judged |= _judged(files, split, files.queries if is_parallel else [language])
    for text in read_texts(files.queries[language]) if judged else ():
        if text.name in judged:
            found.add(text.text, text.place)
    return found


def tested_and_tuned(folder: Path, language: str) -> tuple[FoldedTexts, FoldedTexts]:
    """Test and dev queries of a collection in English and in a language, for `bitext_filters.no_overlap`.

    Raises:
        UserError: there are none, so that nothing would be kept apart.
    """
    files = FolderFiles.find(find_folder(folder))
    splits = ("test", "dev")
    both = queries_under_test(files, ENGLISH, splits), queries_under_test(files, language, splits)
    if not any(both):
        raise UserError(f"{folder}: has no test or dev queries in {ENGLISH} or {language}; leave --no-test-overlap out")
    return both


def is_tested(folder: Path) -> bool:
    """Whether there is a query that the test split judges."""
    files = FolderFiles.find(folder)
    return any(queries_under_test(files, language) for language in files.queries)


def _judged(files: FolderFiles, split: str, languages: Iterable[str]) -> set[str]:
    paths = {files.qrels_of(split, language) for language in languages}
    return {judgement.query for path in paths if path for judgement in read_judgements(path)}


def _leaks(what: str, texts: Iterable[tuple[str, list[str]]], tests: list[FoldedTexts]) -> Iterator[Leak]:
    """One leak if any of the texts, or sides of pairs, is among the test queries of its side; else none."""
    found = of = 0
    first = ("", "", "")
    for place, sides in texts:
        of += 1
        for side, tested in zip(sides, tests, strict=True):
            if test_place := tested.place(side):
                if not found:
                    first = (side, place, test_place)
                found += 1
                break
    if found:
        yield Leak(what, found, of, *first)
