"""Writing a collection's bitext from what others publish: cleaned, filtered, and counted."""

import contextlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from shlex import quote

from clir_ot.bitext.filters import Filter
from clir_ot.bitext.formats import Sides
from clir_ot.collections.batches import batches
from clir_ot.collections.collection import Collection
from clir_ot.collections.content import has_content
from clir_ot.collections.folder_files import TEXT_FORMATS, files_by_language
from clir_ot.collections.next_steps import next_steps
from clir_ot.collections.writing import write_pair_lines
from clir_ot.errors import UserError
from clir_ot.files import replacing, write_text
from clir_ot.kit.laying import runnable

EMPTY = "an empty side"

# Of control characters some are white space to Python; a byte order mark in a text is of a file put before another.
_SPACE = re.compile("[\\s\\x00-\\x1f\\x7f-\\x9f\\ufeff]+")


@dataclass
class Counts:
    """What became of the pairs read.

    Attributes:
        read, kept: pairs.
        dropped: `{why: pairs}` in the order of the filters; a pair counts for the first that drops it.
    """

    read: int
    kept: int
    dropped: dict[str, int]

    def __str__(self) -> str:
        rows = [("pairs read", self.read), *((f"- {why}", number) for why, number in self.dropped.items())]
        rows.append(("pairs written", self.kept))
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:{width}}{number:>12}" for name, number in rows)


def bitext_file(folder: Path, language: str) -> Path:
    """`bitext/<language>.tsv` of a collection folder."""
    return folder / "bitext" / f"{language}.tsv"


def existing_bitext(folder: Path, language: str) -> Path | None:
    """The file of a folder that is its bitext in a language, under whatever name and format."""
    return files_by_language(folder / "bitext", "", *TEXT_FORMATS).get(language)


def what_next(folder: Path, *languages: str) -> str:
    """The commands that a user gives next, if the folder is a collection; else what it lacks.

    Args:
        languages: of the bitexts that were written; the first that a student can be distilled into is taken.
    """
    kinds = ("corpus", "queries")
    if lost := next((kind for kind in kinds if not files_by_language(folder, kind, *TEXT_FORMATS)), None):
        return (
            f"{folder} has no {lost} file: add what the README's collection has, or put "
            f"{bitext_file(folder, languages[0]).relative_to(folder)} into a collection"
        )
    try:
        collection = Collection(folder)
        first = next_steps(collection, languages[0])
        others = (next_steps(collection, language) for language in languages[1:])
        steps = next((steps for steps in chain([first], others) if "distill" in steps), first)
    except UserError:
        return f"clir-ot collection check {quote(str(folder))}   # has a file that cannot be read"
    if "--output" in steps:  # nothing to train on: what the bitext is for is not there
        steps = f"{folder} has no English training queries for a teacher: add them and qrels/train.tsv"
    stats = f"clir-ot collection stats {quote(str(folder))} --strict"
    return f"{stats}   # has the bitext seen test queries?\n      {runnable(steps)}"


def write_bitext_pairs(
    folder: Path,
    language: str,
    pairs: Iterable[Sides],
    filters: Sequence[Filter] = (),
    says: str = "",
    notes: Sequence[str] = (),
    replace: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Counts:
    """Write `bitext/<language>.tsv`, and beside it `README.<language>.md` with where it is from, whole or not at all.

    Sides are brought to NFC with one space for every stretch of white space and control characters, tabs and line ends
    among them. Pairs with a side without a character that can be seen are dropped.

    Args:
        folder: a collection's, or what is to become one.
        pairs: a stream; held in memory are a few of them.
        filters: in this order.
        says: where the pairs are from, source, version and licence; lines of Markdown.
        notes: what reading them found, looked at when they are read.
        replace: a bitext that is there already, which is refused otherwise. `pairs` may be read from it.
        progress: called with the number of pairs read since the last call.

    Raises:
        UserError: the language has a bitext; no pair is left; what `pairs` raises.
    """
    old = existing_bitext(folder, language)
    if old and not replace:
        raise UserError(f"{old}: is there already; --replace writes it anew")
    target = bitext_file(folder, language)
    with no_empty_folders(target.parent, folder), replacing(target) as temporary:
        counts = Counts(0, 0, {EMPTY: 0, **{rule.drops: 0 for rule in filters}})
        write_pair_lines(temporary, _kept(pairs, filters, counts, progress))
        if not counts.kept:
            dropped = "; ".join(f"{why}: {number}" for why, number in counts.dropped.items() if number)
            raise UserError(
                f"{target}: not written, for no pair of {counts.read} is left ({dropped or 'none was read'})"
            )
    if old and old != target:
        old.unlink()
    table = "\n".join(f"    {line}" for line in str(counts).splitlines())
    about = "\n".join([says, *(f"- {note}" for note in notes)])
    write_text(target.with_name(f"README.{language}.md"), f"# Bitext: English and {language}\n\n{about}\n\n{table}\n")
    return counts


@contextlib.contextmanager
def no_empty_folders(*folders: Path) -> Iterator[None]:
    """On a failure, without those folders that were not there before."""
    made = [folder for folder in folders if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _kept(
    pairs: Iterable[Sides], filters: Sequence[Filter], counts: Counts, progress: Callable[[int], None]
) -> Iterator[str]:
    """The lines to write; counts on."""
    for batch in batches(pairs):
        counts.read += len(batch)
        cleaned = [(_clean(english), _clean(foreign)) for english, foreign in batch]
        left = [pair for pair in cleaned if all(map(has_content, pair))]
        counts.dropped[EMPTY] += len(cleaned) - len(left)
        for rule in filters:
            if not left:
                break
            before, keeps = len(left), rule.keeps(left)
            left = [pair for pair, keep in zip(left, keeps, strict=True) if keep]
            counts.dropped[rule.drops] += before - len(left)
        counts.kept += len(left)
        yield from (f"{english}\t{foreign}" for english, foreign in left)
        progress(len(batch))


def _clean(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")
