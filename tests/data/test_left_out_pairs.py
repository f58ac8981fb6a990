"""Pairs of which a tokenizer leaves nothing are not trained on, and named; no text without tokens goes further."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from clir_ot import CLIRDataModule, TokenEncoder
from clir_ot.collections.loading import load_pairs
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError


@pytest.fixture
def deaf_tokenizer(encoder_folder: Path, tmp_path: Path) -> TextTokenizer:
    """Of an encoder whose tokenizer leaves out punctuation, as a cased BERT does control characters."""
    folder = shutil.copytree(encoder_folder, tmp_path / "deaf")
    settings = json.loads((folder / "tokenizer.json").read_text())
    settings["normalizer"] = {"type": "Replace", "pattern": {"Regex": "[!?.]"}, "content": ""}
    (folder / "tokenizer.json").write_text(json.dumps(settings))
    return TokenEncoder.from_pretrained(folder, dimensions=8).tokenizer


def spoil(path: Path, *numbers: int) -> None:
    lines = path.read_text().splitlines()
    for number in numbers:
        lines[number - 1] = f"{lines[number - 1].partition(chr(9))[0]}\t?!"
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("drawn", [None, 30])
def test_they_are_left_out_and_the_first_is_named(
    own_collection: Path, deaf_tokenizer: TextTokenizer, capsys: pytest.CaptureFixture[str], drawn: int | None
) -> None:
    path = own_collection / "bitext" / "yo.tsv"
    spoil(path, 5, 17)
    data = CLIRDataModule(own_collection, "yo", bitext_rate=1.0, bitext_pairs=drawn, batch_size=4)
    data.setup("fit")
    before = {data.texts.pair_id("yo", n): pair for n, pair in enumerate(data.texts.bitext["yo"])}
    gone = sorted((name for name, pair in before.items() if pair[1] == "?!"), key=lambda name: int(name[3:]))
    sampler = data.sampler(deaf_tokenizer)
    after = {data.texts.pair_id("yo", n): pair for n, pair in enumerate(data.texts.bitext["yo"])}
    assert after == {name: pair for name, pair in before.items() if name not in gone}
    assert gone
    assert capsys.readouterr().out == (
        f"{path}:{gone[0][3:]}: the encoder's tokenizer leaves nothing of a side; so it is with {len(gone)} of "
        f"{len(before)} pairs in 'yo', which are left out\n"
    )
    rows = [row.item for plan in sampler for row in plan.rows]
    assert {data.texts.pair_id(*item) for item in rows} <= after.keys()
    data.sampler(deaf_tokenizer)  # once more, nothing is left to say
    assert capsys.readouterr().out == ""


def test_where_none_is_left_that_is_said(own_collection: Path, deaf_tokenizer: TextTokenizer) -> None:
    path = own_collection / "bitext" / "yo.tsv"
    spoil(path, *range(1, 1 + len(load_pairs(path))))
    data = CLIRDataModule(own_collection, "yo", bitext_rate=1.0)
    data.setup("fit")
    with pytest.raises(UserError, match=r"yo\.tsv:1: .*36 of 36 pairs in 'yo': none is left to train on"):
        data.sampler(deaf_tokenizer)


def test_a_text_without_any_token_is_named(deaf_tokenizer: TextTokenizer) -> None:
    assert deaf_tokenizer.knows(["bara", "?!", "."]) == [True, False, False]
    bare = TextTokenizer(deaf_tokenizer.tokenizer)
    bare.tokenizer.backend_tokenizer.post_processor = None
    assert torch.equal(bare.queries(["bara", "!bara"]).mask, torch.ones(2, 1, dtype=torch.bool))
    with pytest.raises(UserError, match=r"'\?!': the tokenizer leaves nothing of this text"):
        bare.queries(["bara", "?!"])
