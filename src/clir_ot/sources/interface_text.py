"""Plain text from interface messages: ICU MessageFormat and markup taken out."""

import html
import re
from typing import Any

from pyicumessageformat import Parser

_PARSER = Parser({"allow_tags": False, "loose_submessages": True})
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# What a removed placeholder leaves behind: empty quotes and brackets, then separators with nothing beside them.
_EMPTY_PAIR = re.compile(r"\(\s*\)|\[\s*\]|«\s*»|„\s*“|“\s*”|‘\s*’|\"\s*\"|(?<!\w)'\s*'(?!\w)")
_EDGE = re.compile(r"^[\s,;:·•|/\-–—]+|[\s,;·•|/\-–—]+$")
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;!?)\]])")


def plain_text(message: str) -> str:
    """The readable text of an ICU message, `""` where nothing readable is left.

    A plural or select keeps its `other` branch, a placeholder (`{name}`, `{count, number}`) is dropped,
    tags and the LaTeX backslashes of exercise texts go, spaces are single.

    Raises:
        ValueError: the message is not ICU MessageFormat (translators do leave a brace open).
    """
    try:
        nodes = _PARSER.parse(message)
    except SyntaxError as error:
        raise ValueError(f"not ICU MessageFormat: {error}") from error
    # Quoted braces ('{name}') are literal text to ICU, but here they are placeholders that the writers put in quotes.
    text = _PLACEHOLDER.sub(" ", _render(nodes))
    return tidy(html.unescape(_TAG.sub(" ", text)).replace("\\", " "))


def tidy(text: str) -> str:
    """Text out of which placeholders were taken, on one line, without the quotes, brackets and separators that they
    left with nothing in them; `""` where no letter is left."""
    text = re.sub(r"\s+", " ", _EMPTY_PAIR.sub(" ", text))
    text = _EDGE.sub("", _SPACE_BEFORE_MARK.sub(r"\1", text))
    return text if any(character.isalpha() for character in text) else ""


def _render(nodes: list[Any]) -> str:
    return "".join(node if type(node) is str else _branch(node) for node in nodes)


def _branch(node: dict[str, Any]) -> str:
    options = node.get("options")
    if not options:
        return " "
    return _render(options.get("other") or next(iter(options.values())))
