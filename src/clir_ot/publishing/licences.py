"""What READMEs say of licences, quoted, and as the Hugging Face hub names them."""

import re

# A clause with the word in it: up to a full stop, a semicolon, a bracket or the end of the line.
_CLAUSE = re.compile(r"(?:(?!\.\s|[;()\n]).)*licen[cs]e(?:(?!\.\s|[;()\n]).)*", re.IGNORECASE)
_HUB_NAMES = {
    "mit": r"\bMIT\b",
    "apache-2.0": r"\bApache[ -](?:licen[cs]e[, ]*)?(?:version )?2",
    "cc0-1.0": r"\bCC0\b",
    "cc-by-nc-sa-4.0": r"\bCC[ -]BY[ -]NC[ -]SA[ -]4",
    "cc-by-nc-4.0": r"\bCC[ -]BY[ -]NC[ -]4",
    "cc-by-sa-4.0": r"\bCC[ -]BY[ -]SA[ -]4",
    "cc-by-sa-3.0": r"\bCC[ -]BY[ -]SA[ -]3",
    "cc-by-4.0": r"\bCC[ -]BY[ -]4",
}
_SPLIT = re.compile(r"\s+")


def stated_licence(readme: str) -> str | None:
    """The first clause of a README that speaks of a licence, as it stands there; None if none does."""
    found = _CLAUSE.search(readme)
    return _SPLIT.sub(" ", found[0]).strip(" -*#|,:.") if found else None


def hub_licence(stated: list[str | None]) -> str:
    """The hub's name of what was stated for weights and data: one that all have, else `other`; `unknown` if none is.

    >>> hub_licence(["MIT licence", "Licence: CC BY-SA 4.0"])
    'other'
    """
    if not any(stated):
        return "unknown"
    names = {_hub_name(licence) if licence else None for licence in stated}
    name = names.pop()
    return name if name and not names else "other"


def _hub_name(licence: str) -> str | None:
    return next((name for name, pattern in _HUB_NAMES.items() if re.search(pattern, licence, re.IGNORECASE)), None)
