"""Letters for the labels of pictures, from the fonts that are installed: none is bundled but matplotlib's DejaVu.

Where no font has a label's letters, the label is romanised from the Unicode names of its characters, never drawn as
empty boxes.
"""

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

OWN_FONT = "DejaVu Sans"
"""Comes with matplotlib: Latin with all its diacritics, Cyrillic, Greek, Arabic, but no script of India."""

_EAST_ASIAN = ("CJK", "Hiragana", "Katakana", "Hangul")


@dataclass(frozen=True)
class Lettering:
    """How to write some labels.

    Attributes:
        texts: the labels as to be drawn; romanised where no installed font has their characters.
        families: of each label, what to give matplotlib as its font family, in the order in which it looks.
        missing: the characters that no installed font has, sorted.
    """

    texts: list[str]
    families: list[list[str]]
    missing: str


def lettering(labels: Sequence[str]) -> Lettering:
    """Find the fonts for some labels among those installed."""
    found = [_families(frozenset(filter(_needs_glyph, label))) for label in labels]
    return Lettering(
        texts=[romanise(label) if lacking else label for label, (_, lacking) in zip(labels, found, strict=True)],
        families=[families for families, _ in found],
        missing="".join(sorted(frozenset[str]().union(*(lacking for _, lacking in found)))),
    )


def missing_message(missing: str) -> str:
    """One line for the user: which characters of which scripts no font has, and what to install."""
    scripts = dict.fromkeys(map(script_name, missing))
    packages = dict.fromkeys("fonts-noto-cjk" if script in _EAST_ASIAN else "fonts-noto-core" for script in scripts)
    codes = ", ".join(f"U+{ord(character):04X}" for character in missing[:4])
    return (
        f"no installed font has {' and '.join(scripts)} ({_count(missing)}: {codes}"
        f"{', ...' if len(missing) > 4 else ''}); the picture shows them romanised. Install a font, for instance "
        f"Debian's {' and '.join(packages)}, and draw it again"
    )


def _count(characters: str) -> str:
    return f"{len(characters)} character{'s' if len(characters) > 1 else ''}"


def script_name(character: str) -> str:
    """The script by the Unicode name of a character, e.g. `Devanagari`."""
    name = unicodedata.name(character, "unnamed").split(" ")[0]
    return name if name == "CJK" else name.capitalize()


def romanise(label: str) -> str:
    """A label with the characters that matplotlib's own font lacks spelt by their Unicode names.

    No transliteration by any standard, but it can be read: in the scripts of India a vowel sign takes the place of the
    inherent `a` (`हटवा` is `hattavaa`), others are kept apart (`ሰላም` is `sa-laa-me`). What has no such name is its
    code point, `U+4E2D`.
    """
    drawn = _characters(font_manager.findfont(OWN_FONT))
    written = ""
    for character in label:
        if character in drawn or not _needs_glyph(character):
            written += character
            continue
        script, *words = unicodedata.name(character, "unnamed").lower().split(" ")
        indic = _is_indic(script)
        if indic and "vowel" in words:
            written = written.removesuffix("\u25cc").removesuffix("a") + words[-1]
        elif indic and "sign" in words:
            written = written.removesuffix("a") if words[-1] == "virama" else written + _SIGNS.get(words[-1], "")
        elif {"letter", "syllable", "digit", "character"} & set(words):
            written += words[-1] if indic or not written[-1:].isalpha() else f"-{words[-1]}"
        else:
            written += f"U+{ord(character):04X}"
    return written


_SIGNS = {"anusvara": "ṃ", "visarga": "ḥ", "candrabindu": "ṃ"}


def _families(needed: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Fonts that have the characters together, and the characters that none has."""
    missing = needed - _characters(font_manager.findfont(OWN_FONT))
    if not missing:
        return [OWN_FONT], missing
    for rescan in (False, True):
        fonts = _installed(rescan)
        # One font for all of a label, own letters and marks alike: marks are placed only within a font.
        for wanted in (needed, missing):
            for family, path in fonts.items():
                if wanted <= _characters(path):
                    return [family, OWN_FONT], frozenset()
    some = [family for family, path in fonts.items() if missing & _characters(path)]
    return [*some, OWN_FONT], missing.difference(*(_characters(fonts[family]) for family in some))


def _needs_glyph(character: str) -> bool:
    """Not spaces, nor what is invisible, such as joiners."""
    return not character.isspace() and unicodedata.category(character) != "Cf"


def _is_indic(script: str) -> bool:
    try:
        return bool(unicodedata.lookup(f"{script} sign virama"))
    except KeyError:
        return False


@functools.cache
def _installed(rescan: bool) -> dict[str, str]:
    """File of every family in regular weight; those made for screens, sans serif, first.

    Args:
        rescan: also what was installed since matplotlib wrote its list, which it never refreshes by itself.
    """
    if rescan:
        known = {entry.fname for entry in font_manager.fontManager.ttflist}
        for path in sorted(set(font_manager.findSystemFonts()) - known):
            try:
                font_manager.fontManager.addfont(path)
            except Exception:  # whatever a damaged or exotic file makes the parsers raise: the next one may do
                continue
    regular = [e for e in font_manager.fontManager.ttflist if e.style == "normal" and e.weight in (400, "normal")]
    files = {entry.name: entry.fname for entry in regular if not entry.name.startswith("Last Resort")}
    return dict(sorted(files.items(), key=lambda item: (not item[0].startswith("Noto Sans"), "Sans" not in item[0])))


@functools.cache
def _characters(path: str) -> frozenset[str]:
    """All that a font file has a glyph for."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (RuntimeError, OSError):
        return frozenset()  # a font of bitmaps, which matplotlib cannot draw
