"""Translation against greedy decoding written out, one text at a time, with the tokens that each family wants."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from clir_ot.errors import UserError
from clir_ot.retrieval import translation
from clir_ot.retrieval.translation import Translator, translate

Make = Callable[..., Path]
TEXTS = ["golam gora defi yo", "bara", "desil fivu goba", "bara desil"]

# What stands before and behind the pieces of a Yoruba text, and what the English begins with.
FRAMES = {
    "nllb": (["yor_Latn"], ["</s>"], "eng_Latn"),
    "m2m100": (["__yo__"], ["</s>"], "__en__"),
    "marian": ([], ["</s>"], None),
    "madlad": (["<2en>"], ["</s>"], None),
}


def greedy(model: Any, tokenizer: Any, tokens: list[int], first: str | None, limit: int) -> str:
    """One step at a time, everything computed anew, no padding."""
    end, output = model.config.eos_token_id, [model.config.decoder_start_token_id]
    for step in range(limit):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([tokens]), decoder_input_ids=torch.tensor([output])).logits
        forced = first is not None and step == 0
        output.append(tokenizer.convert_tokens_to_ids(first) if forced else int(logits[0, -1].argmax()))
        if output[-1] == end:
            break
    words = tokenizer.decode(output[2 if first else 1 :], skip_special_tokens=True)
    return str(words).strip()


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("family", FRAMES)
def test_translates_as_greedy_decoding_by_hand(
    translator_folder: Make, monkeypatch: pytest.MonkeyPatch, family: str, batch: int
) -> None:
    monkeypatch.setattr(translation, "_BATCH", batch)
    folder = translator_folder(family)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSeq2SeqLM.from_pretrained(folder)
    before, after, first = FRAMES[family]
    read = []
    for text in TEXTS:
        pieces = [*before, *tokenizer.tokenize(text), *after]
        read.append(tokenizer.convert_tokens_to_ids(pieces))
        assert tokenizer.unk_token_id not in read[-1]
    longest = max(map(len, read))
    # Marian's generation ends with its end token when the room is used up (`forced_eos_token_id`).
    rooms = [2 * (longest if batch > 1 else len(tokens)) + 16 for tokens in read]
    expected = [
        greedy(model, tokenizer, tokens, first, room - (family == "marian"))
        for tokens, room in zip(read, rooms, strict=True)
    ]
    done: list[int] = []
    found = translate(TEXTS, folder, "yo", beams=1, progress=done.append)
    assert found == expected
    assert len(set(found)) > 1, "a model that says the same whatever it reads shows nothing"
    assert sum(done) == len(TEXTS)


def test_the_language_asked_for_is_the_one_the_model_is_told(translator_folder: Make) -> None:
    by_language = {code: translate(TEXTS, translator_folder("nllb"), code, beams=1) for code in ("yo", "yor", "sw")}
    assert by_language["yo"] == by_language["yor"]
    assert by_language["yo"] != by_language["sw"]


def test_beams_are_searched_and_every_time_the_same(translator_folder: Make) -> None:
    folder = translator_folder("m2m100")
    greedily, beams = (translate(TEXTS, folder, "yo", beams=n) for n in (1, 4))
    assert beams != greedily
    torch.manual_seed(99)
    assert Translator(folder, "yo", 4)(TEXTS) == beams


def test_a_text_longer_than_the_model_reads_is_cut(translator_folder: Make) -> None:
    (english,) = translate(["bara desil " * 100], translator_folder("nllb"), "yo", beams=1)
    assert english


def test_no_bar_and_no_warning_is_printed(translator_folder: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = translator_folder("nllb")
    capsys.readouterr()
    translate(["bara"], folder, "yo")
    assert capsys.readouterr() == ("", "")


def test_what_is_no_translation_model_is_named(encoder_folder: Path, tmp_path: Path) -> None:
    for folder in (tmp_path, encoder_folder):
        with pytest.raises(UserError, match="no translation model there") as caught:
            translate(["bara"], folder, "yo")
        assert str(folder) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_package_is_said(translator_folder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(*_: object, **__: object) -> None:
        raise ImportError("\nM2M100Tokenizer requires the SentencePiece library\nbut it was not found")

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", without)
    with pytest.raises(UserError, match=r"pip install 'clir-ot\[translate\]'"):
        translate(["bara"], translator_folder("m2m100"), "yo")
