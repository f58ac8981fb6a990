"""What counts as text, and that it does so wherever texts are read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.bitext.importing import write_bitext_pairs
from clir_ot.collections.check import find_problems
from clir_ot.collections.content import has_content
from clir_ot.errors import UserError

# Zero-width space and joiners, marks of direction, a byte order mark, a soft hyphen, control characters, a Hangul
# filler, a variation selector, a tag, Braille's blank.
BLANK = ["", " \t\u00a0\u2028", "\u200b", "\u200c\u200d\u2060", "\u200e\u202b\u202c\u2066", "\ufeff", "\u00ad",
         "\x01\x7f\x85", "\u3164", "\ufe0f", "\U000e0041", "\u2800"]  # fmt: skip
TEXT = ["a", "\u200fع\u200e", "क्\u200dष", "。", "?!", "+", "7", "😀", "\u0301", "\ue000", "\ufffd"]


def test_what_can_be_seen_is_content() -> None:
    assert not any(map(has_content, BLANK))
    assert all(map(has_content, TEXT))


@pytest.mark.parametrize("blank", [text for text in BLANK if not text.isspace()])
def test_a_text_without_content_is_none_wherever_it_stands(own_collection: Path, blank: str) -> None:
    record = json.dumps({"_id": "blank", "text": blank}, ensure_ascii=False)
    places = {"corpus.jsonl": record, "queries.yo.jsonl": record, "bitext/yo.tsv": f"fine\t{blank}"}
    for name, line in places.items():
        path = own_collection / name
        path.write_text(f"{path.read_text()}{line}\n")
    collection = Collection(own_collection)
    # As if it were empty: a document that nobody judges may be.
    assert [line.partition(": ")[0] for line in find_problems(own_collection, []).lines()] == [
        f"{own_collection / 'queries.yo.jsonl'}:73", f"{own_collection / 'bitext/yo.tsv'}:37",
    ]  # fmt: skip
    assert "blank" not in collection.documents()
    for read in (collection.queries, collection.bitext):
        with pytest.raises(UserError, match=r":\d+: "):
            read("yo")


def test_a_pair_without_content_is_not_imported(tmp_path: Path) -> None:
    counts = write_bitext_pairs(tmp_path, "yo", [("fine", text) for text in BLANK] + [("fine", text) for text in TEXT])
    assert (counts.read, counts.kept) == (len(BLANK) + len(TEXT), len(TEXT))
    assert counts.dropped == {"an empty side": len(BLANK)}


def test_a_sentence_without_content_is_not_aligned(
    encoder_folder: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    printed = clir(
        "align", "bara", "\u200b", "--teacher", encoder_folder, "--student", encoder_folder, "--language", "yo",
        "--output", tmp_path / "plan.png",
    )  # fmt: skip
    assert printed.startswith("FAILED: clir-ot: ")
    assert "is an empty sentence" in printed
