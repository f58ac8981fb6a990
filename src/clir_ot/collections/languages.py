"""Language codes: BCP 47, so that `yo` and `yor`, `tl` and `fil`, `pt_BR` and `pt-BR` mean the same.

langcodes loads its tables, which takes as long as all other imports of a command; so each function imports it.
"""

from functools import lru_cache

from clir_ot.errors import UserError


def canonical_language(code: str) -> str:
    """The standard BCP 47 form of a language code.

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
    return standard


@lru_cache(maxsize=4096)
def same_language(code: str, wanted: str) -> bool:
    """Whether text marked `code` is in the language `wanted`; what `wanted` leaves open, `code` may say.

    `en-US` and `eng_Latn` are `en`, `swh` is `sw`, and `pt-BR` is `pt`; but `pt` need not be `pt-BR`.

    Args:
        code: as a file has it; what is no language code is no language's.
        wanted: a language code.
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    try:
        found = langcodes.Language.get(langcodes.standardize_tag(code, macro=True))
    except LanguageTagError:
        return False
    asked = langcodes.Language.get(langcodes.standardize_tag(wanted, macro=True))
    return (
        found.language == asked.language
        and asked.script in (None, found.script)
        and asked.territory in (None, found.territory)
    )


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
