"""Writing the files of a collection folder, for the builders; line by line, so that no file need fit in memory."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
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
    return _write_lines(folder / f"{kind}{suffix}.jsonl", lines)


def write_qrels(folder: Path, split: str, rows: Iterable[tuple[str, str] | tuple[str, str, int]]) -> int:
    """Write `qrels/<split>.tsv` of (query, document, grade), or of (query, relevant document) with grade 1.

    Args:
        split: or `<split>.<language>`, of the judgements that hold for that language's queries alone.

    Returns:
        How many judgements there were.
    """
    lines = ("\t".join((row[0], row[1], str(row[2] if len(row) == 3 else 1))) for row in rows)
    return _write_lines(folder / "qrels" / f"{split}.tsv", lines, "query-id\tcorpus-id\tscore\n")


def write_bitext(folder: Path, language: str, lines: Iterable[str]) -> int:
    """Write `bitext/<language>.tsv`, lines of English TAB foreign; how many there were."""
    return _write_lines(folder / "bitext" / f"{language}.tsv", lines)


def _write_lines(target: Path, lines: Iterable[str], head: str = "") -> int:
    count = 0
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(head)
        for line in lines:
            file.write(f"{line}\n")
            count += 1
    return count
