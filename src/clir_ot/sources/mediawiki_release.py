"""An unpacked MediaWiki release: where its interface messages lie, and in which languages.

Messages are in folders of one file a language, `{"@metadata": {"authors": [...]}, "key": "wikitext", ...}`. The file
`qqq.json` of each documents the messages for translators, in English, by the same keys.
"""

import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from clir_ot.collections.folder_files import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError

DOCUMENTATION = "qqq"

# Debian keeps the extensions that come with MediaWiki in extensions-core.
_TOPS = ("languages", "includes", "extensions", "extensions-core", "skins")
_COMPONENT_TOPS = ("extensions", "extensions-core", "skins")
_NOT_ITS_OWN = {"vendor", "node_modules", "tests"}
_ROOTS = ("", "usr/share/mediawiki", "*")  # as unpacked; of a Debian package; below the folder of a tarball

# From MediaWiki's includes/language/LanguageCode.php; what is a language code as it stands needs no entry. Without
# these, some would be taken for other languages: nrm is Narom in ISO 639-3, and Norman in MediaWiki.
_CODES = {
    "als": "gsw",
    "bat-smg": "sgs",
    "be-x-old": "be-tarask",
    "cbk-zam": "cbk",
    "de-formal": "de-x-formal",
    "eml": "egl",
    "en-rtl": "en-x-rtl",
    "es-formal": "es-x-formal",
    "fiu-vro": "vro",
    "hu-formal": "hu-x-formal",
    "map-bms": "jv-x-bms",
    "mo": "ro-Cyrl-MD",
    "nl-informal": "nl-x-informal",
    "nrm": "nrf",
    "roa-rup": "rup",
    "roa-tara": "nap-x-tara",
    "simple": "en-simple",
    "sr-ec": "sr-Cyrl",
    "sr-el": "sr-Latn",
    "zh-classical": "lzh",
    "zh-cn": "zh-Hans-CN",
    "zh-hk": "zh-Hant-HK",
    "zh-min-nan": "nan",
    "zh-mo": "zh-Hant-MO",
    "zh-my": "zh-Hans-MY",
    "zh-sg": "zh-Hans-SG",
    "zh-tw": "zh-Hant-TW",
    "zh-yue": "yue",
}

_MESSAGES = TypeAdapter(dict[str, str | list[object]])
_AUTHORS = TypeAdapter(list[str | int])  # some call themselves by a number, which released files have as one


@dataclass(frozen=True)
class Messages:
    """One language's.

    Attributes:
        texts: `{"component:key": wikitext}`; the component is `core`, or the name of an extension or skin.
        authors: names of those who wrote or translated them.
    """

    texts: dict[str, str]
    authors: set[str]


@dataclass(frozen=True)
class Languages:
    """Of a release, besides English.

    Attributes:
        codes: `{BCP 47: MediaWiki's code}`.
        unknown: MediaWiki's codes that are no language codes.
        english: variants of English.
        second: those that mean the same language as another with more messages.
    """

    codes: dict[str, str]
    unknown: list[str]
    english: list[str]
    second: list[str]


@dataclass(frozen=True)
class Release:
    """Attributes:
    version: as `includes/Defines.php` has it.
    folders: of messages, each with its component.
    """

    version: str
    folders: list[tuple[str, Path]]

    @property
    def components(self) -> list[str]:
        """Whose messages there are, `core` first."""
        return sorted({component for component, _ in self.folders}, key=lambda name: (name != "core", name))

    def messages(self, code: str) -> Messages:
        """Those in a language by MediaWiki's code; a key that a component has twice is the first one's.

        Raises:
            UserError: a file is not in the layout.
        """
        found = Messages({}, set())
        for component, folder in self.folders:
            if (path := folder / f"{code}.json").is_file():
                texts, authors = _read(path)
                for key, text in texts.items():
                    found.texts.setdefault(re.sub(r"\s", "_", f"{component}:{key}"), text)  # TREC separates by spaces
                found.authors.update(authors)
        return found

    def languages(self) -> Languages:
        """Whose files there are, by their BCP 47 codes."""
        codes = {path.stem for _, folder in self.folders for path in folder.glob("*.json")} - {DOCUMENTATION, ENGLISH}
        meaning: dict[str, list[str]] = defaultdict(list)
        found = Languages({}, [], [], [])
        for code in sorted(codes):
            try:
                language = canonical_language(_CODES.get(code, code))
            except UserError:
                found.unknown.append(code)
                continue
            if language.partition("-")[0] == ENGLISH:
                found.english.append(code)
            else:
                meaning[language].append(code)
        for language, same in sorted(meaning.items()):
            largest = max(same, key=lambda code: len(self.messages(code).texts)) if len(same) > 1 else same[0]
            found.codes[language] = largest
            found.second.extend(code for code in same if code != largest)
        return found


def open_release(tree: Path) -> Release:
    """Find the messages of an unpacked release.

    Args:
        tree: the folder that has `languages/i18n`, or one around it: of a tarball, of an unpacked Debian package.

    Raises:
        UserError: there is no MediaWiki.
    """
    if not tree.is_dir():
        raise UserError(f"{tree}: no such folder; unpack a MediaWiki release and give its folder")
    roots = [root for place in _ROOTS for root in sorted(tree.glob(place) if place else [tree])]
    marked = [
        root for root in roots if all((root / "languages/i18n" / f"{code}.json").is_file() for code in ("en", "qqq"))
    ]
    if not marked:
        raise UserError(
            f"{tree}: has no languages/i18n with en.json and qqq.json; expected an unpacked MediaWiki release"
        )
    root = marked[0]
    return Release(_version(root), list(_folders(root)))


def _folders(root: Path) -> list[tuple[str, Path]]:
    found = []
    for top in _TOPS:
        for place, inside, files in os.walk(root / top):
            inside[:] = sorted(set(inside) - _NOT_ITS_OWN)
            if {"en.json", "qqq.json"} <= set(files):
                parts = Path(place).relative_to(root).parts
                found.append((parts[1] if parts[0] in _COMPONENT_TOPS else "core", Path(place)))
    return found


def _version(root: Path) -> str:
    path = root / "includes" / "Defines.php"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if not (stated := re.search(r"""define\(\s*['"]MW_VERSION['"]\s*,\s*['"]([^'"]+)""", text)):
        raise UserError(f"{path}: states no MW_VERSION; expected an unpacked MediaWiki release, 1.35 or newer")
    return stated[1]


def _read(path: Path) -> tuple[dict[str, str], list[str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        metadata = content.pop("@metadata", None) or {}  # an empty one is written as a list
        messages = _MESSAGES.validate_python(content)
        authors = _AUTHORS.validate_python(metadata.get("authors", []))
    except (ValueError, AttributeError, TypeError) as error:  # pydantic's and json's errors are ValueErrors
        raise UserError(
            f'{path}: is not in the layout of MediaWiki\'s messages, {{"key": "text", ...}} ({_first_line(error)})'
        ) from error
    # Released files do have stray lists, `"1": []`, which are no messages.
    return {key: text for key, text in messages.items() if type(text) is str}, [str(name) for name in authors]


def _first_line(error: Exception) -> str:
    if type(error) is ValidationError:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error).partition("\n")[0]
