"""Writing the files of a collection folder, for the builders."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from clir_ot.collections.collection import ENGLISH
from clir_ot.files import write_text


def write_texts(folder: Path, kind: str, language: str, texts: Mapping[str, str]) -> None:
    """Write `<kind>.<language>.jsonl`, or `<kind>.jsonl` for English.

    Args:
        kind: `corpus` or `queries`.
        texts: `{_id: text}`.
    """
    suffix = "" if language == ENGLISH else f".{language}"
    lines = (json.dumps({"_id": name, "text": text}, ensure_ascii=False) for name, text in texts.items())
    write_text(folder / f"{kind}{suffix}.jsonl", "".join(f"{line}\n" for line in lines))


def write_qrels(folder: Path, split: str, rows: Iterable[tuple[str, str]]) -> None:
    """Write `qrels/<split>.tsv` of (query, relevant document), each with score 1."""
    lines = ["query-id\tcorpus-id\tscore", *(f"{query}\t{document}\t1" for query, document in rows)]
    write_text(folder / "qrels" / f"{split}.tsv", "".join(f"{line}\n" for line in lines))


def write_bitext(folder: Path, language: str, lines: Iterable[str]) -> None:
    """Write `bitext/<language>.tsv`, lines of English TAB foreign."""
    write_text(folder / "bitext" / f"{language}.tsv", "".join(f"{line}\n" for line in lines))
