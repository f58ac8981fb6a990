"""Language codes of the families, by the tokenizers that have them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.retrieval.translator_languages import Direction, direction

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("family", "language", "code"),
    [
        ("nllb", "yo", "yor_Latn"),
        ("nllb", "yor", "yor_Latn"),
        ("nllb", "mr", "mar_Deva"),
        ("nllb", "sw", "swh_Latn"),  # of a macrolanguage NLLB has a member
        ("nllb", "fa", "pes_Arab"),
        ("nllb", "ms", "zsm_Latn"),
        ("nllb", "ar", "arb_Arab"),
        ("nllb", "arz", "arz_Arab"),
        ("nllb", "ps", "pbt_Arab"),
        ("nllb", "qu", "quy_Latn"),
        ("nllb", "ff-CM", "fuv_Latn"),
        ("nllb", "om", "gaz_Latn"),
        ("nllb", "no", "nob_Latn"),
        ("nllb", "tw", "twi_Latn"),
        ("nllb", "fil", "tgl_Latn"),
        ("nllb", "zh", "zho_Hans"),
        ("nllb", "zh-TW", "zho_Hant"),
        ("nllb", "pt-PT", "por_Latn"),
        ("nllb", "ks", "kas_Arab"),
        ("nllb", "ks-Deva", "kas_Deva"),
        ("m2m100", "yor", "yo"),
        ("m2m100", "fil", "tl"),
        ("m2m100", "nso", "ns"),
        ("m2m100", "nb", "no"),
        ("m2m100", "pt-BR", "pt"),
    ],
)
def test_a_language_is_found_under_the_models_own_code(
    translator_folder: Make, family: str, language: str, code: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(translator_folder(family))
    english = {"nllb": "eng_Latn", "m2m100": "__en__"}[family]
    found = direction("model", tokenizer, canonical_language(language))
    assert found == Direction(code, tokenizer.convert_tokens_to_ids(english))
    assert found.first_token != tokenizer.unk_token_id


def test_every_code_of_the_models_is_found_by_its_own_language(translator_folder: Make) -> None:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as M2M100
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES as NLLB

    for family, codes in (("nllb", NLLB), ("m2m100", [code for code in M2M100["m2m100"] if code != "ns"])):
        tokenizer = AutoTokenizer.from_pretrained(translator_folder(family))
        assert {code: direction("model", tokenizer, canonical_language(code)).source for code in codes} == {
            code: code for code in codes
        }


@pytest.mark.parametrize(
    ("family", "language", "name"),
    [
        ("nllb", "pcm", "Nigerian Pidgin"),
        ("nllb", "hi-Latn", "Hindi"),
        ("m2m100", "rw", "Kinyarwanda"),
        ("m2m100", "ckb", "Kurdish"),
    ],
)
def test_a_language_that_the_model_does_not_know_is_said(
    translator_folder: Make, family: str, language: str, name: str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(translator_folder(family))
    with pytest.raises(UserError, match=f"some/model: has no .*{name}.*among its (202|100) languages") as caught:
        direction("some/model", tokenizer, language)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Direction()),
        ({"source": "nic"}, Direction()),  # Niger-Congo
        ({"source": "NORTH_EU"}, Direction()),
        ({"target": "eng"}, Direction()),
        ({"target": "mul", "targets": "fra eng"}, Direction(prefix=">>eng<< ")),
        ({"source": "de"}, "translates from 'de', not from Yoruba"),
        ({"target": "fr"}, "translates into 'fr', not into English"),
        ({"target": "ROMANCE"}, "translates into 'ROMANCE', not into English"),
        ({"target": "roa", "targets": "fra ita"}, "translates into 'roa', not into English"),
    ],
)
def test_a_marian_model_is_made_for_one_direction(
    translator_folder: Make, options: dict[str, str], expected: Direction | str
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(translator_folder("marian", **options))
    if isinstance(expected, Direction):
        assert direction("model", tokenizer, "yo") == expected
    else:
        with pytest.raises(UserError, match=expected):
            direction("model", tokenizer, "yo")
