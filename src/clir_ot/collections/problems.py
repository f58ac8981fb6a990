"""The problems of a folder's files: all are counted, and the first of each file are kept to be said."""

from collections.abc import Iterator
from pathlib import Path


class Problems:
    """Collects what is wrong, as a `clir_ot.errors.Report` that lets reading go on.

    Args:
        shown: problems kept of each file: a file of ten million bad lines takes no more memory than one of twenty.

    Attributes:
        notes: lines on what is read otherwise than it stands there, and is no problem.
    """

    def __init__(self, shown: int = 20) -> None:
        self.shown, self.count = shown, 0
        self.notes: list[str] = []
        self._kept: dict[Path, list[str]] = {}
        self._counts: dict[Path, int] = {}

    def add(self, path: Path, problem: str) -> None:
        """Take a problem of a file: the line that says it."""
        self.add_unsaid(path, 1)
        kept = self._kept[path]
        if len(kept) < self.shown:
            kept.append(problem)

    def add_unsaid(self, path: Path, count: int) -> None:
        """Count so many of a file, of which nothing more is said."""
        if not count:
            return
        self.count += count
        self._kept.setdefault(path, [])
        self._counts[path] = self._counts.get(path, 0) + count

    def lines(self) -> Iterator[str]:
        """A line for each problem kept, file by file, and one for those of a file that are not."""
        for path, kept in self._kept.items():
            yield from kept
            if more := self._counts[path] - len(kept):
                yield f"{path}: and {more} more problem{'s' * (more > 1)}"
