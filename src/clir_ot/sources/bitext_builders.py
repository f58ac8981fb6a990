"""Builders of bitext alone: OPUS corpora, NLLB's mined pairs, NTREX-128.

Each adds `bitext/<language>.tsv` to a folder, a collection or a new one, and never touches what is there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import langcodes

from clir_ot.bitext.formats import Sides, find_sources
from clir_ot.bitext.importing import (
    Counts,
    bitext_file,
    existing_bitext,
    no_empty_folders,
    what_next,
    write_bitext_pairs,
)
from clir_ot.bitext.moses import read_moses
from clir_ot.bitext.tables import read_columns
from clir_ot.bitext.translation_sets import read_translation_parquet
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language, find_code, same_language
from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers, scratch_beside
from clir_ot.sources.hub import obtain, reason

Progress = Callable[[int], None]

# OPUS corpora that the hub holds as Parquet, by name in lower case.
_HUB = {
    "opus-100": "Helsinki-NLP/opus-100",
    "infopankki": "Helsinki-NLP/opus_infopankki",
    "globalvoices": "sentence-transformers/parallel-sentences-global-voices",
    "tatoeba": "sentence-transformers/parallel-sentences-tatoeba",
    "ccmatrix": "sentence-transformers/parallel-sentences-ccmatrix",
}
_COMPLETE = ".bitext-complete"  # bitext of all languages, to be moved to its place
_OPUS = "https://opus.nlpl.eu"

_NLLB = "https://storage.googleapis.com/allennlp-data-bucket/nllb"
# Where NLLB means one language of a group that has a code of its own.
_NLLB_CODES = {
    "ar": "arb", "ay": "ayr", "az": "azj", "fa": "pes", "ff": "fuv", "fil": "tgl", "ku": "kmr", "lv": "lvs",
    "mg": "plt", "mn": "khk", "ms": "zsm", "ne": "npi", "no": "nob", "om": "gaz", "or": "ory", "ps": "pbt", "qu": "quy",
    "sq": "als", "sw": "swh", "uz": "uzn", "yi": "ydd",
}  # fmt: skip

_NTREX = "https://github.com/MicrosoftTranslator/NTREX"
_NTREX_SOURCE = "newstest2019-src.eng.txt"
_NTREX_REFERENCE = "newstest2019-ref."


def build_opus(argument: str, folder: Path, source: Path | None, progress: Progress = lambda done: None) -> str:
    """`opus:CORPUS:LANGUAGE`: from OPUS's zip or another local copy, or from the hub where that has the corpus.

    Args:
        argument: `CORPUS:LANGUAGE`.
        source: zip, TMX, Moses half or what else `find_sources` tells, or a folder as on the hub; None fetches.

    Returns:
        The counts, and what is next.

    Raises:
        UserError: the folder has the bitext; no such corpus; what the formats raise.
    """
    corpus, _, code = argument.partition(":")
    if not code:
        raise UserError(f"opus:{argument}: expected opus:CORPUS:LANGUAGE, such as opus:GlobalVoices:sw")
    language = _foreign(code)
    _require_room(folder, [language])
    pair = f"{ENGLISH}-{language}"
    notes: list[str] = []
    if source is not None and not (source.is_dir() and corpus.lower() in _HUB):
        found = find_sources([source], language, say=notes.append)[0]
        pairs, origin = found.read(), f"the local copy {source.name}"
    elif repository := _HUB.get(corpus.lower()):
        # Repositories differ in which language stands first, and in how they name the split's files.
        names = (pair, "-".join(reversed(pair.split("-"))))
        patterns = [f"{name}/{files}" for name in names for files in ("train*.parquet", "*train.parquet")]
        copy = obtain(repository, patterns, source)
        files = copy.files(*patterns)
        pairs = chain.from_iterable(read_translation_parquet(path, language) for path in files)
        origin = f"{repository} on the hub, {copy.version}"
    else:
        raise UserError(
            f"opus:{argument}: {corpus} is not fetched by itself (only {', '.join(_HUB)} are); download its Moses zip "
            f"of {ENGLISH} and {language} at {_OPUS}, and give it with --from FILE.zip"
        )
    says = (
        f"- Source: the OPUS corpus {corpus} ({_OPUS}), {origin}.\n- Licence: as the corpus states; see its page, or "
        "LICENSE in the zip."
    )
    return _build(folder, {language: _Part(pairs, says)}, progress, notes)


def build_nllb(argument: str, folder: Path, source: Path | None, progress: Progress = lambda done: None) -> str:
    """`nllb:LANGUAGE`: pairs mined from the web as NLLB's authors did, replicated by the Allen Institute.

    Their repository on the hub is a script, which is never run: the files that it names are fetched.

    Args:
        argument: the language.
        source: the published file `eng_Latn-<code>.gz`, a folder that has it, or OPUS's zip of it; None fetches.

    Returns:
        The counts, and what is next.

    Raises:
        UserError: the folder has the bitext; there is no such file, or no network; a line is malformed.
    """
    language = _foreign(argument)
    _require_room(folder, [language])
    first, second = sorted(["eng_Latn", nllb_code(language)])
    name = f"{first}-{second}"
    columns = (1, 2) if first == "eng_Latn" else (2, 1)
    notes: list[str] = []
    if source is not None and source.suffix == ".zip":
        pairs = find_sources([source], language, say=notes.append)[0].read()
    else:
        path = _fetch(f"{_NLLB}/{name}.gz") if source is None else source
        if path.is_dir():
            there = [file for ending in (".gz", ".tsv.gz", ".tsv", "") if (file := path / f"{name}{ending}").exists()]
            path = there[0] if there else path / f"{name}.gz"
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected the published {name}.gz, which lies at {_NLLB}/{name}.gz")
        pairs = read_columns(path, columns)
    says = (
        f"- Source: {name} of the NLLB pairs mined from the web (allenai/nllb on the hub; NLLB team 2022, arXiv "
        "2207.04672).\n- Licence: ODC-BY 1.0; the texts are bound by Common Crawl's terms of use."
    )
    return _build(folder, {language: _Part(pairs, says)}, progress, notes)


def build_ntrex(
    languages: Sequence[str] | None, folder: Path, source: Path | None, progress: Progress = lambda done: None
) -> str:
    """`ntrex`: 1,997 English news sentences, translated by professionals.

    Args:
        languages: canonical; None is all.
        source: folder of the published files `newstest2019-src.eng.txt` and `newstest2019-ref.<code>.txt`, or of
            `en.txt` and `<lang>.txt`; or the repository that has the former in `NTREX-128`.

    Returns:
        The counts by language, and what is next.

    Raises:
        UserError: no source; it lacks English or a language; files of unequal length; the folder has a bitext.
    """
    if source is None:
        raise UserError(f"ntrex is not fetched by itself: get {_NTREX}, and give its folder with --from")
    english, found = _ntrex_files(source)
    chosen = {language: _chosen(language, found, source) for language in languages or found}
    _require_room(folder, [*chosen])
    source_says = f"- Source: NTREX-128 ({_NTREX}; Federmann, Kocmi & Xin 2022), the local copy"
    parts = {
        language: _Part(read_moses(english, path), f"{source_says} {path.name}.\n- Licence: CC BY-SA 4.0.")
        for language, path in chosen.items()
    }
    return _build(folder, parts, progress)


@dataclass(frozen=True)
class _Part:
    pairs: Iterator[Sides]
    says: str


def _build(folder: Path, parts: dict[str, _Part], progress: Progress, notes: Sequence[str] = ()) -> str:
    """Write all languages or, if one cannot be, none; one that is killed leaves nothing that a second build refuses.

    Args:
        notes: what reading the pairs finds, of which more are added meanwhile.
    """
    written: dict[str, Counts] = {}
    with no_empty_folders(folder), scratch_beside(folder / "bitext") as scratch:
        made = scratch / "bitext"  # a folder like the one that it is for
        try:
            for language, part in parts.items():
                written[language] = write_bitext_pairs(
                    made, language, part.pairs, says=part.says, notes=notes, progress=progress
                )
        except UserError as error:
            raise UserError(str(error).replace(str(made), str(folder))) from error
        (made / "bitext").rename(folder / _COMPLETE)
    _put_in_place(folder)
    tables = [f"{bitext_file(folder, language)}\n{counts}" for language, counts in written.items()]
    return "\n\n".join([*notes, *tables, f"next: {what_next(folder, *written)}"])


def _put_in_place(folder: Path) -> None:
    """Move what is complete to where it is read, also what a kill in the middle of moving has left."""
    complete = folder / _COMPLETE
    if complete.is_dir():
        (folder / "bitext").mkdir(exist_ok=True)
        for path in sorted(complete.iterdir()):
            path.rename(folder / "bitext" / path.name)
        complete.rmdir()


def nllb_code(language: str) -> str:
    """FLORES-200's name of a language, which NLLB's files have: `yor_Latn` of `yo`, `swh_Latn` of `sw`."""
    tag = langcodes.Language.get(language)
    return f"{_NLLB_CODES.get(tag.language or '', tag.to_alpha3())}_{tag.maximize().script}"


def _foreign(code: str) -> str:
    language = canonical_language(code)
    if same_language(language, ENGLISH):
        raise UserError(f"{code} is English; a bitext is of English and another language")
    return language


def _require_room(folder: Path, languages: Sequence[str]) -> None:
    _put_in_place(folder)
    remove_leftovers(folder / "bitext")
    for language in languages:
        if there := existing_bitext(folder, language):
            raise UserError(f"{there}: is there already; remove it to build it again, or name another folder")


def _fetch(url: str) -> Path:
    import datasets

    try:
        return Path(datasets.DownloadManager().download_and_extract(url))
    except (OSError, ValueError) as error:
        raise UserError(f"{url}: could not be fetched ({reason(error)}); give a copy of it with --from FILE") from error


def _ntrex_files(source: Path) -> tuple[Path, dict[str, Path]]:
    """The English file, and the others by canonical language."""
    folder = source / "NTREX-128" if (source / "NTREX-128").is_dir() else source
    published = folder / _NTREX_SOURCE
    english, stem = (published, _NTREX_REFERENCE) if published.is_file() else (folder / f"{ENGLISH}.txt", "")
    if not english.is_file():
        raise UserError(f"{folder}: has neither {_NTREX_SOURCE} nor {ENGLISH}.txt; expected a copy of {_NTREX}")
    found = {}
    for path in sorted(folder.glob(f"{stem}*.txt")):
        language = canonical_language(path.stem.removeprefix(stem))
        if not same_language(language, ENGLISH):  # there are British and Indian English, too
            found[language] = path
    if not found:
        raise UserError(f"{folder}: has English, but no file {stem}<language>.txt beside it")
    return english, found


def _chosen(language: str, found: dict[str, Path], source: Path) -> Path:
    code = find_code(found, language, str(source))
    if code is None:
        raise UserError(f"{source}: has no file in {language!r}; it has {', '.join(found)}")
    return found[code]
