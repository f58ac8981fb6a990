"""Data sets of translations in Hugging Face's layouts: Parquet files, and folders of `datasets`.

A row is `{"translation": {"en": "...", "yo": "..."}}`, the `Translation` feature, or as `TranslationVariableLanguages`
`{"translation": {"language": [...], "translation": [...]}}`; or, as sentence-transformers publishes parallel sentences,
`{"english": "...", "non_english": "..."}`, as a collection has them `{"english": "...", "foreign": "..."}`, or
`{"en": "...", "yo": "..."}` itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import find_code
from clir_ot.errors import UserError
from clir_ot.files import Readable, opened

_ROWS = 4096  # of a Parquet file, held in memory together


def read_translation_parquet(path: Readable, language: str) -> Iterator[tuple[str, str]]:
    """Rows of one Parquet file; an empty text where one is null.

    Raises:
        UserError: no Parquet; no row layout as above, or without one of the languages.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with opened(path) as opened_file, parquet.ParquetFile(opened_file, buffer_size=2**20) as file:
            names = file.schema_arrow.names
            columns = _columns(names, language, str(path))
            if not columns:
                raise UserError(
                    f"{path}: has no column 'translation', nor one for {ENGLISH} and one for {language}; it has "
                    f"{', '.join(names)}"
                )
            number = 0
            for batch in file.iter_batches(_ROWS, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield sides(row, language, f"{path}:row {number}")
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as Parquet ({_line(error)})") from error


def read_translation_set(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    """Rows of the split `train`, streamed.

    Args:
        folder: that `datasets` has saved, or of data files (Parquet, JSON) as on the hub.
        language: of the foreign side.

    Raises:
        UserError: it cannot be loaded, with the reason that `datasets` gives; a row is in no layout as above.
    """
    import datasets

    number = 0
    try:
        for number, row in enumerate(_load(datasets, folder), start=1):
            yield sides(row, language, f"{folder}: row {number}")
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        where = f" behind row {number}" if number else ""
        raise UserError(f"{folder}: cannot be loaded{where}: {_line(error)}") from error


def _load(datasets: Any, folder: Path) -> Any:
    if (folder / "dataset_dict.json").is_file():
        splits = datasets.load_from_disk(folder)
        if "train" not in splits:
            raise UserError(f"{folder}: has no split train; give the folder of another, such as {folder / min(splits)}")
        return splits["train"]
    if (folder / "state.json").is_file():
        return datasets.load_from_disk(folder)
    return datasets.load_dataset(str(folder), split="train", streaming=True)


def sides(row: Mapping[str, Any], language: str, place: str) -> tuple[str, str]:
    """The English and the foreign text of a row.

    Raises:
        UserError: it is in no layout as above, or lacks a language.
    """
    columns = _columns(row, language, place)
    if not columns:
        raise UserError(f'{place}: expected {{"translation": {{"{ENGLISH}": "...", "{language}": "..."}}}}')
    texts: Any = row
    if columns == ["translation"]:
        texts = row["translation"]
        if type(texts) is not dict:
            raise UserError(f'{place}: expected {{"translation": {{"{ENGLISH}": "...", "{language}": "..."}}}}')
        if texts.keys() == {"language", "translation"}:
            texts = dict(zip(texts["language"], texts["translation"], strict=False))
        columns = [find_code(texts, wanted, place) or wanted for wanted in (ENGLISH, language)]
    found = []
    for column in columns:
        if column not in texts:
            raise UserError(f"{place}: no text in {column!r}; it has {', '.join(texts) or 'none'}")
        text = texts[column] or ""
        if type(text) is not str:
            raise UserError(f"{place}: the text in {column!r} is no string")
        found.append(text)
    return found[0], found[1]


def _columns(names: Iterable[str], language: str, place: str) -> list[str]:
    """The column of translations, or those of English and of the foreign side; none where there are no such."""
    there = list(names)
    for columns in (["translation"], ["english", "non_english"], ["english", "foreign"]):
        if {*columns} <= {*there}:
            return columns
    codes = [find_code(there, wanted, place) for wanted in (ENGLISH, language)]
    return [] if None in codes else [str(code) for code in codes]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
