"""A griffe extension: the project's docstrings as griffe and Markdown take them.

`mask_a, mask_b: ...` documents two parameters at once; and `<P, C>` is an inner product, no tag of HTML.
"""

import re
from typing import Any

import griffe

_SEVERAL = re.compile(r"^( {4}(?: {4})?)((?:\w+, )+\w+)(:.*(?:\n\1 {4}.*)*)", re.MULTILINE)
_CODE = r"```[\s\S]*?```|`[^`\n]*`|^ {8,}.*$"
_MARKUP = re.compile(rf"{_CODE}|<(?=[\w/])|(?<=\w)\*(?!\*)", re.MULTILINE)


def each_by_itself(docstring: str) -> str:
    """With one entry for each of the names that are documented together."""
    return _SEVERAL.sub(lambda m: "\n".join(f"{m[1]}{name}{m[3]}" for name in m[2].split(", ")), docstring)


def escaped(docstring: str) -> str:
    """With what Markdown would take for a tag or an emphasis as it is written."""
    return _MARKUP.sub(lambda m: m[0] if len(m[0]) > 1 else {"<": "&lt;", "*": "&#42;"}[m[0]], docstring)


class Docstrings(griffe.Extension):
    """Applied to every docstring that is shown."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = escaped(each_by_itself(obj.docstring.value))
