"""Plain text from wikitext: MediaWiki's interface messages, and what is written about them for translators."""

import unicodedata
from collections.abc import Callable
from typing import Any

import mwparserfromhell
import regex
from mwparserfromhell import nodes

from clir_ot.sources.interface_text import tidy

_PARAMETER = regex.compile(r"\$\d+")
_DIRECTION_MARK = regex.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LIST_MARK = regex.compile(r"^[*#:;\s]+|^-{4,}")
# What lists of parameters and of other messages are headed by; templates or list items that followed are gone.
_HEADING = regex.compile(
    r"(?:^|(?<=[.!?)\]\"]\s))"
    r"(?:(?:additional |optional )?parameters?(?: are)?|see(?: also)?|cf|refers to|similar to|usage)\s*[:.;]*$",
    regex.IGNORECASE,
)
# Of a path such as `Preferences > {{msg-mw|..}}`.
_OPEN_PATH = regex.compile(r"(?:\s*[>→])+(?=\s*(?:[.,;)]|$))")
# Of `[$1 read more]`: an address that is filled in is no address to the parser.
_FILLED_IN_LINK = regex.compile(r"\[\s+([^\[\]]*)\]")
_BRACKETS = regex.compile(r"\[\[|\]\]|\{\{|\}\}|\{\||\|\}")
_NOT_SHOWN = ("style", "script", "ref", "math")

# A form with a number of its own, `0=nobody`, is of that number only.
_NUMBERED_FORM = regex.compile(r"\s*\d+\s*=")


def message_text(wikitext: str) -> str:
    """What a reader of the interface sees, in NFC on one line; `""` where no letter is left, or where markup is open.

    A plural keeps its last form, the general one; a gender its first, which MediaWiki shows where none is known. What
    is filled in when the message is shown goes: parameters (`$1`), names of the wiki and of pages, other messages
    (`{{int:}}`).
    """
    text = _plain(wikitext, _shown_form)
    return "" if _BRACKETS.search(text) else tidy(text)


def documentation_text(wikitext: str) -> str:
    """What a message's documentation says in words, in NFC line by line; `""` where it says nothing.

    Templates go, for their text is elsewhere, often another message's key; so do list items and headings that are empty
    then.
    """
    text = _BRACKETS.sub(" ", _plain(wikitext, _nothing))
    lines = (tidy(_LIST_MARK.sub("", line)) for line in text.splitlines())
    said = (_HEADING.sub("", _OPEN_PATH.sub("", line)).strip() for line in lines)
    return "\n".join(line for line in said if line)


def templates(wikitext: str) -> set[str]:
    """Names of the templates of a documentation, in small letters: `notranslate`."""
    return {_name(template) for template in mwparserfromhell.parse(wikitext).filter_templates()}


def _plain(wikitext: str, of_template: Callable[[nodes.Template], str]) -> str:
    text = _render(mwparserfromhell.parse(wikitext), of_template)
    text = _DIRECTION_MARK.sub("", _PARAMETER.sub(" ", unicodedata.normalize("NFC", text)))
    plain: str = _FILLED_IN_LINK.sub(r"\1", text)
    return plain


def _render(code: Any, of_template: Callable[[nodes.Template], str]) -> str:
    return "".join(_RENDERED.get(type(node), _blank)(node, of_template) for node in code.nodes)


def _nothing(template: nodes.Template) -> str:
    return " "


def _shown_form(template: nodes.Template) -> str:
    forms = [str(form) for form in template.params]
    match _name(template).partition(":")[0]:
        case "plural":
            general = [form for form in forms if not _NUMBERED_FORM.match(form)] or forms
            return _plain(general[-1], _shown_form) if general else " "
        case "gender":
            return _plain(forms[0], _shown_form) if forms else " "
    return " "


def _name(template: nodes.Template) -> str:
    return str(template.name).strip().casefold()


def _blank(node: nodes.Node, of_template: Callable[[nodes.Template], str]) -> str:
    return " "


def _tag(node: nodes.Tag, of_template: Callable[[nodes.Template], str]) -> str:
    name = str(node.tag).casefold()
    if name in _NOT_SHOWN:
        return " "
    if node.wiki_markup in ("*", "#", ":", ";", "----"):
        return ""
    inside = _render(node.contents, of_template) if node.contents is not None else ""
    return inside or " "


def _link(node: nodes.Wikilink, of_template: Callable[[nodes.Template], str]) -> str:
    if node.text is None:
        return _render(node.title, of_template).lstrip(":#")
    return _render(node.text, of_template)


def _address(node: nodes.ExternalLink, of_template: Callable[[nodes.Template], str]) -> str:
    return _render(node.title, of_template) if node.title is not None else " "


_RENDERED: dict[type, Callable[[Any, Callable[[nodes.Template], str]], str]] = {
    nodes.Text: lambda node, of_template: str(node.value),
    nodes.HTMLEntity: lambda node, of_template: str(node.normalize()),
    nodes.Heading: lambda node, of_template: _render(node.title, of_template),
    nodes.Template: lambda node, of_template: of_template(node),
    nodes.Tag: _tag,
    nodes.Wikilink: _link,
    nodes.ExternalLink: _address,
}
