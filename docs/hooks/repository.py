"""Files of the repository outside docs/: one that a page links to becomes a page of the site, from its one source.

Links are written as the repository has them, `../experiments/distill.yaml` in docs/transport.md, so that they lead
somewhere there too. Paths are relative to the repository, with slashes.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS, ELSEWHERE = "docs/", "repository/"
PICTURES = {".png", ".svg", ".jpg"}
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".cfg": "ini", ".mk": "make", "": "make"}

_NOT_SEARCHED = "---\nsearch: {exclude: true}\n---\n\n"

_CODE = r"^ *(?P<fence>```+|~~~+)[\s\S]*?^ *(?P=fence) *$|`[^`\n]+`"
_LINK = re.compile(rf"{_CODE}|\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)", re.MULTILINE)


def linked(source: str, text: str) -> Iterator[tuple[str, str]]:
    """`(target, anchor)` of every link that is neither in code nor to another site; the target may not be there.

    Args:
        source: path of the file.
        text: of it, in Markdown.
    """
    for match in _LINK.finditer(text):
        if match["target"] and not re.match(r"[a-z]+:", match["target"]):
            yield _path(source, match["target"]), match["anchor"] or ""


def place(path: str) -> str:
    """Of a file among the site's sources: `scale.md` of docs/scale.md, `repository/setup.cfg.md` of setup.cfg."""
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    return ELSEWHERE + (path if Path(path).suffix in {".md", *PICTURES} else f"{path}.md")


def rewritten(source: str, text: str) -> str:
    """The text with its links to files of the repository leading to their pages."""
    here = posixpath.dirname(place(source))

    def to_page(match: re.Match[str]) -> str:
        target = match["target"] or ":"
        if re.match(r"[a-z]*:", target) or not (ROOT / (path := _path(source, target))).is_file():
            return match[0]
        return f"]({posixpath.relpath(place(path), here or '.')}{match['anchor'] or ''})"

    return _LINK.sub(to_page, text)


def outside(pages: Mapping[str, str]) -> dict[str, str | bytes]:
    """`{path: its page in Markdown}` of all files outside docs/ that pages link to, that those link to, and so on.

    Args:
        pages: `{path: text}`.
    """
    found: dict[str, str | bytes] = {}
    left = dict(pages)
    while left:
        source, text = left.popitem()
        for path, _ in linked(source, text):
            if path not in found and not path.startswith(DOCS) and (ROOT / path).is_file():
                found[path] = content = _as_page(path)
                if isinstance(content, str):
                    left[path] = content
    return found


def _path(source: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))


def _as_page(path: str) -> str | bytes:
    file = ROOT / path
    if file.suffix in PICTURES:
        return file.read_bytes()
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    if file.suffix == ".ipynb":
        return _notebook(text)
    return f"{_NOT_SEARCHED}# {path}\n\n{_fenced(_LANGUAGES.get(file.suffix, ''), text)}"


def _fenced(language: str, text: str) -> str:
    return f"`````{language}\n{text.rstrip()}\n`````\n"


def _notebook(text: str) -> str:
    """Its texts, code and what the code has shown: Markdown, pictures, printed lines."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else _fenced("python", source))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/markdown" in data:
                parts.append("".join(data["text/markdown"]))
            elif "image/png" in data:
                parts.append(f"![](data:image/png;base64,{''.join(data['image/png']).replace(chr(10), '')})")
            elif printed := "".join(output.get("text", data.get("text/plain", ""))):
                parts.append(_fenced("text", printed))
    return "\n\n".join(parts)
