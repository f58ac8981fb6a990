"""Language codes: BCP 47, so that `yo` and `yor`, `tl` and `fil`, `pt_BR` and `pt-BR` mean the same.

langcodes loads its tables, which takes as long as all other imports of a command; so each function imports it.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from clir_ot.errors import UserError

# By the code of a language that has several: the one that its data is in, where langcodes names another or none.
# Of `no` by Unicode's distances, of the others by FLORES-200 and what follows its codes.
_MAIN_MEMBERS = {"nb": "no", "pbt": "ps", "quy": "qu", "fuv": "ff"}


def canonical_language(code: str) -> str:
    """The standard BCP 47 form of a language code; `sw` also of `swh`, the one that the word Swahili means.

    Args:
        code: ISO 639-1, 639-3 or BCP 47, e.g. `yor`, `zh_Hans`.

    Raises:
        UserError: not a language code.
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        standard = langcodes.standardize_tag(code)
    except LanguageTagError:
        standard = ""
    if not standard or not langcodes.tag_is_valid(standard):
        raise UserError(f"{code!r} is not a language code; use ISO 639 or BCP 47, such as yo, sw or pt-BR")
    wider = langcodes.standardize_tag(standard, macro=True)
    # Only to codes of two letters: what has none is not better known by its group's code.
    return wider if len(wider.partition("-")[0]) < len(standard.partition("-")[0]) else standard


def find_code(codes: Collection[str], wanted: str, place: str) -> str | None:
    """Which of the codes that a file has is meant by the language asked for; None if none is.

    Its own code comes first, however it is spelt. Then what it means where nothing more is said: `swh` of `sw`, `nb` of
    `no`, `zh-Hans` of `zh`. Then what it leaves open, the nearest by Unicode's distances: `fr-CA` of `fr`; but `pt` is
    not `pt-BR`. Of varieties of English that are equally near, the first.

    Args:
        codes: as they are in the file; what is no language code is no language's.
        wanted: a language code.
        place: of the codes, for the message.

    Raises:
        UserError: several are as near.
    """
    if wanted in codes:
        return wanted
    near = [(distance, code) for code in codes if (distance := _distance(code, wanted)) is not None]
    if not near:
        return None
    least = min(near)[0]
    best = {str(_tag(code)): code for distance, code in reversed(near) if distance == least}
    if len(best) > 1 and not same_language(wanted, "en"):
        both = " and ".join(sorted(best.values()))
        raise UserError(f"{place}: {both} are both taken for {wanted}; say which is meant with --language")
    return next(code for distance, code in near if distance == least)


def same_language(code: str, wanted: str) -> bool:
    """Whether text marked `code` can be meant by the language `wanted`, see `find_code`."""
    return _distance(code, wanted) is not None


@lru_cache(maxsize=4096)
def _distance(code: str, wanted: str) -> int | None:
    """-1 if both are the same code, None if the first is not in the language of the second."""
    import langcodes

    found, asked = _tag(code), _tag(wanted)
    if found is None or asked is None:
        return None
    if found == asked:
        return -1
    wide_found, wide_asked = _wide(found), _wide(asked)
    related = found.language in (asked.language, wide_asked.language) or wide_found.language == asked.language
    if (
        not related
        or asked.script not in (None, found.maximize().script)
        or asked.territory not in (None, found.territory)
    ):
        return None
    return langcodes.tag_distance(wide_asked, wide_found)


@lru_cache(maxsize=4096)
def _tag(code: str) -> Any:
    """langcodes' `Language`, or None where the code is none."""
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        return langcodes.Language.get(langcodes.standardize_tag(code))
    except LanguageTagError:
        return None


def _wide(tag: Any) -> Any:
    """The tag with the code of the group whose main member its language is."""
    if group := _MAIN_MEMBERS.get(tag.language or ""):
        return tag.update_dict({"language": group})
    return tag.prefer_macrolanguage()


def parse_languages(languages: str | list[str]) -> list[str]:
    """Canonical codes of a list, or of codes separated by commas."""
    names = languages.split(",") if type(languages) is str else languages
    return [canonical_language(name.strip()) for name in names]


def language_name(code: str) -> str:
    """The English name of a language, e.g. `Yoruba` for `yo`."""
    import langcodes

    return langcodes.Language.get(code).display_name("en")


if __name__ == "__main__":  # for the Makefile, which names folders by it
    import sys

    print(canonical_language(sys.argv[1]))
