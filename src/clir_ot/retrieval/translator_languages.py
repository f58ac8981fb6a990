"""How a translation model is told from which language to translate into English: every family has its own way.

| family | of the source | of English |
|---|---|---|
| NLLB, mBART-50 | a code such as `yor_Latn`, `sw_KE`, put before the text | forced as the first token of the output |
| M2M100 | the same with `yo` | the same |
| Marian (opus-mt) | nothing: a model is made for it | nothing, or `>>eng<<` before the text |
| MADLAD-400 | nothing: it is recognised | `<2en>` before the text |
"""

import re
from dataclasses import dataclass
from typing import Any

import langcodes
from langcodes.tag_parser import LanguageTagError

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.errors import UserError

_CODE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]+")
_ENGLISH_TOKENS = ("<2en>", ">>eng<<", ">>en<<")

# Where a model has another member of a macrolanguage than the one that CLDR takes for the whole: Fula, Pashto, Quechua,
# Norwegian; and M2M100's own name of Northern Sotho.
_UNUSUAL = {"ff": "fuv_Latn", "ps": "pbt_Arab", "qu": "quy_Latn", "no": "nob_Latn", "nb": "no", "nso": "ns"}


@dataclass(frozen=True)
class Direction:
    """What makes a model translate from one language into English.

    Attributes:
        source: to be set as the tokenizer's `src_lang`; None for a model that takes no source language.
        first_token: id that the output begins with (`forced_bos_token_id`), None likewise.
        prefix: before every text.
    """

    source: str | None = None
    first_token: int | None = None
    prefix: str = ""


def direction(model: str, tokenizer: Any, language: str) -> Direction:
    """Find out from the tokenizer how the model is told to translate `language` into English.

    Args:
        model: its name, for messages.
        tokenizer: the model's.
        language: BCP 47, canonical.

    Raises:
        UserError: the model does not know the language, or does not translate into English.
    """
    if codes := _codes(tokenizer):
        source, english = _find(language, codes), _find(ENGLISH, codes)
        if source is None or english is None:
            missing = language if source is None else ENGLISH
            raise UserError(
                f"{model}: has no {language_name(missing)} ({missing}) among its {len(codes)} languages; "
                "choose a model that was trained on it"
            )
        return Direction(source, codes[english])
    vocabulary = tokenizer.get_vocab()
    if token := next((token for token in _ENGLISH_TOKENS if token in vocabulary), None):
        return Direction(prefix=f"{token} ")
    _check_pair(model, tokenizer, language)
    return Direction()


def _codes(tokenizer: Any) -> dict[str, int]:
    """The model's language codes and their tokens' ids; none for a model that takes none."""
    listed: dict[str, int] | None = getattr(tokenizer, "lang_code_to_id", None)
    if listed is not None:
        return listed
    return {token: number for token, number in tokenizer.get_added_vocab().items() if _CODE.fullmatch(token)}


def _find(language: str, codes: dict[str, int]) -> str | None:
    """The code of the language in that script, be it of two letters or three, of the macrolanguage or of a member."""
    exact = langcodes.Language.get(language).language
    same = [code for code in codes if _macrolanguage(code) == _macrolanguage(language)]
    same.sort(key=lambda code: langcodes.Language.get(langcodes.standardize_tag(code)).language != exact)
    # Up to 5 are differences of territory; another script is farther away.
    found = langcodes.closest_match(language, same, max_distance=5)[0]
    if found in codes:
        return found
    unusual = _UNUSUAL.get(exact or "", "")
    return unusual if unusual in codes else None


def _macrolanguage(code: str) -> str | None:
    """`sw` for `swh_Latn` and `sw_KE`; None for what is no language code."""
    try:
        return langcodes.Language.get(langcodes.standardize_tag(code, macro=True)).language
    except LanguageTagError:
        return None


def _check_pair(model: str, tokenizer: Any, language: str) -> None:
    """A Marian tokenizer tells the model's pair of languages, as codes or as names of groups (`ROMANCE`, `bnt`)."""
    source, target = (getattr(tokenizer, name, None) or "" for name in ("source_lang", "target_lang"))
    if target and _macrolanguage(target) != ENGLISH:
        raise UserError(f"{model}: translates into {target!r}, not into English; choose a model that does")
    # Two letters are one language. Three may be a family, and which languages belong to one nothing here knows.
    if len(source) == 2 and _macrolanguage(source) != _macrolanguage(language):
        raise UserError(
            f"{model}: translates from {source!r}, not from {language_name(language)} ({language}); "
            "choose a model that was trained on it"
        )
