"""Writing the files of a collection folder, for the builders; line by line, so that no file need fit in memory."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.table_reading import table_reading
from clir_ot.collections.text_files import PAIRS
from clir_ot.errors import UserError
from clir_ot.files import replacing


def write_texts(folder: Path, kind: str, language: str, texts: Mapping[str, str]) -> None:
    """Write `<kind>.<language>.jsonl`, or `<kind>.jsonl` for English.

    Args:
        kind: `corpus` or `queries`.
        texts: `{_id: text}`.
    """
    write_records(folder, kind, language, ({"_id": name, "text": text} for name, text in texts.items()))


def write_records(folder: Path, kind: str, language: str, records: Iterable[Mapping[str, object]]) -> int:
    """`write_texts` of whole records, such as `{"_id": "d1", "title": "...", "text": "..."}`; how many there were."""
    suffix = "" if language == ENGLISH else f".{language}"
    lines = (json.dumps(record, ensure_ascii=False) for record in records)
    return _write(folder / f"{kind}{suffix}.jsonl", lines)


def write_qrels(folder: Path, split: str, rows: Iterable[tuple[str, str] | tuple[str, str, int]]) -> int:
    """Write `qrels/<split>.tsv` of (query, document, grade), or of (query, relevant document) with grade 1.

    Args:
        split: or `<split>.<language>`, of the judgements that hold for that language's queries alone.

    Returns:
        How many judgements there were.
    """
    lines = ("\t".join((row[0], row[1], str(row[2] if len(row) == 3 else 1))) for row in rows)
    return _write(folder / "qrels" / f"{split}.tsv", lines, "query-id\tcorpus-id\tscore\n")


def write_bitext(folder: Path, language: str, lines: Iterable[str]) -> int:
    """Write `bitext/<language>.tsv`, lines of English TAB foreign; how many there were."""
    with replacing(folder / "bitext" / f"{language}.tsv") as temporary:
        return write_pair_lines(temporary, lines)


def write_pair_lines(path: Path, lines: Iterable[str]) -> int:
    """Write lines of English TAB foreign so that they are read as they are; how many there were.

    Texts that would be taken for quoted fields are quoted once more, and a first pair that would be taken for names of
    columns gets such names above it.

    Args:
        path: whose name says the language.
    """
    count = _write_lines(path, lines)
    try:
        reading = table_reading(path, PAIRS)
        is_plain = reading.is_plain and not reading.begins_with_names
    except UserError:  # names of other languages, where they stand first
        is_plain = False
    if not is_plain:
        with (
            replacing(path) as quoted,
            path.open(encoding="utf-8", newline="\n") as plain,
            quoted.open("w", encoding="utf-8", newline="\n") as file,
        ):
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(PAIRS.columns)
            writer.writerows(line.rstrip("\n").split("\t") for line in plain)
    return count


def _write(target: Path, lines: Iterable[str], head: str = "") -> int:
    with replacing(target) as temporary:
        return _write_lines(temporary, lines, head)


def _write_lines(path: Path, lines: Iterable[str], head: str = "") -> int:
    count = 0
    # Its own end of line: Windows would write two characters.
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head)
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count
