"""Which file of a collection folder holds what, by its name."""

from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from clir_ot.collections.cache import locate
from clir_ot.collections.languages import canonical_language, find_code
from clir_ot.errors import Report, UserError, stop
from clir_ot.files import user_path

SPLITS = ("train", "dev", "test")
ENGLISH = "en"

TEXT_FORMATS = (".jsonl", ".tsv", ".parquet")
_COMPRESSIONS = ("", ".gz", ".zst")


def find_folder(name: str | Path) -> Path:
    """The collection folder that `name` means: itself, or for `starter` that of the starter.

    Raises:
        UserError: there is none.
    """
    folder = user_path(locate(name, "collection"))
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such collection folder; `clir-ot collection build starter` builds the default one"
        )
    return folder


@dataclass(frozen=True)
class FolderFiles:
    """The files of one folder.

    Attributes:
        folder: that has them.
        corpora, queries, bitexts: `{language: file}`.
    """

    folder: Path
    corpora: dict[str, Path]
    queries: dict[str, Path]
    bitexts: dict[str, Path]

    @classmethod
    def find(cls, folder: Path, report: Report = stop) -> "FolderFiles":
        """Look at the names alone.

        Args:
            report: takes a name that says no language, or that of another file; or that there is no corpus, or no
                queries.
        """
        refused = []

        def refuse(path: Path, problem: str) -> None:
            refused.append(path)
            report(path, problem)

        # Their names look like those of queries.
        translations = [*_translations(folder, refuse).values(), *refused]
        found = cls(
            folder,
            files_by_language(folder, "corpus", *TEXT_FORMATS, report=report),
            files_by_language(folder, "queries", *TEXT_FORMATS, apart=translations, report=report),
            files_by_language(folder / "bitext", "", *TEXT_FORMATS, report=report),
        )
        for split in SPLITS:
            found._qrels_by_language(split, report)
        for kind, files in (("corpus", found.corpora), ("queries", found.queries)):
            if not files:
                report(folder, f"{folder}: holds no {kind}.jsonl or {kind}.<lang>.jsonl; see the README")
        return found

    def translations(self, report: Report = stop) -> dict[str, Path]:
        """`queries.<lang>-en.jsonl` by language; looked for at every call, for they are made from the collection."""
        return _translations(self.folder, report)

    def qrels(self) -> list[Path]:
        """Every file of judgements."""
        found = (path for ending in _endings(".tsv") for path in (self.folder / "qrels").glob(f"*{ending}"))
        return sorted(path for path in found if not _is_hidden(path))

    def qrels_of(self, split: str, language: str) -> Path | None:
        """`qrels/<split>.<lang>.tsv` where it exists, else `<split>.tsv`, or None."""
        asked = self.code(self.queries, language)
        # The names have been looked at before. What another file of queries is judged by is not theirs.
        found = self._qrels_by_language(split, lambda path, problem: None).items()
        own = {code: path for code, path in found if code == asked or code not in self.queries}
        if (code := self.code(own, asked)) in own:
            return own[code]
        return next(iter(self._qrels_of_all(split)), None)

    def _qrels_of_all(self, split: str) -> list[Path]:
        """The split's file for every language, more than one only by mistake."""
        paths = (self.folder / "qrels" / f"{split}{ending}" for ending in _endings(".tsv"))
        return [path for path in paths if path.is_file()]

    def _qrels_by_language(self, split: str, report: Report) -> dict[str, Path]:
        return files_by_language(self.folder / "qrels", f"{split}.", ".tsv", report=report)

    def code(self, files: Collection[str], language: str) -> str:
        """The code that files have for a language, by `find_code`: `nb` of `no`; its own where none is meant by it.

        Raises:
            UserError: no language code; several are as near.
        """
        code = canonical_language(language)
        return find_code(files, code, str(self.folder)) or code

    def file(self, files: dict[str, Path], what: str, language: str) -> Path:
        """One of `corpora`, `queries` or `bitexts`.

        Raises:
            UserError: there is none in the language; names the languages that there are.
        """
        if (code := self.code(files, language)) not in files:
            raise UserError(
                f"{self.folder} has no {what} in {code!r}; it has {what} in: {', '.join(sorted(files)) or 'none'}"
            )
        return files[code]

    def unread(self) -> Iterator[tuple[Path, str]]:
        """Files that nothing reads though their place or name says that something should, with what was expected."""
        texts = [ending for suffix in TEXT_FORMATS for ending in _endings(suffix)]
        formats = f"{', '.join(TEXT_FORMATS)}, the first two also with {' or '.join(filter(None, _COMPRESSIONS))}"
        judged = [f"{split}{rest}" for split in SPLITS for rest in (".", *_endings(".tsv"))]
        for path in sorted(
            [*self.folder.glob("corpus*"), *self.folder.glob("queries*"), *self.folder.glob("bitext/*")]
        ):
            if _says_something(path) and not path.name.endswith(tuple(texts)):
                yield path, f"{path}: is not read; expected a name that ends in {formats}"
        for read, *others in filter(None, map(self._qrels_of_all, SPLITS)):
            for path in others:
                yield path, f"{path}: is not read, {read.name} is; keep one of them"
        for path in sorted(self.folder.glob("qrels/*")):
            is_tsv = path.name.endswith(tuple(_endings(".tsv")))
            if _says_something(path) and not (is_tsv and path.name.startswith(tuple(judged))):
                yield path, f"{path}: is not read; expected train.tsv, dev.tsv, test.tsv, or test.<lang>.tsv"


def files_by_language(
    folder: Path, stem: str, *formats: str, apart: Container[Path] = (), report: Report = stop
) -> dict[str, Path]:
    """Files named `stem.<lang>` with the ending of a format, or `stem` alone for English, by canonical language.

    Args:
        formats: endings such as `.jsonl`, without that of a compression.
        apart: files to leave out.
        report: takes a name that says no language, or the language of another file.
    """
    found: dict[str, Path] = {}
    for ending in (ending for suffix in formats for ending in _endings(suffix)):
        for path in sorted(folder.glob(f"{stem}*{ending}")):
            if path in apart or _is_hidden(path):
                continue
            code = path.name.removesuffix(ending).removeprefix(stem).lstrip(".")
            try:
                language = canonical_language(code) if code else ENGLISH
            except UserError as error:
                report(path, f"{path}: {error}")
                continue
            if language in found:
                report(path, f"{path}: {found[language].name} is already the {language!r} file; keep one of them")
                continue
            found[language] = path
    return found


def _translations(folder: Path, report: Report) -> dict[str, Path]:
    return files_by_language(folder, "queries.", f"-{ENGLISH}.jsonl", report=report)


def _endings(suffix: str) -> list[str]:
    """A format's own, and those of its compressed files; Parquet is compressed inside."""
    return [suffix] if suffix == ".parquet" else [f"{suffix}{compression}" for compression in _COMPRESSIONS]


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _says_something(path: Path) -> bool:
    return path.is_file() and not _is_hidden(path) and not path.name.upper().startswith(("README", "LICEN"))
