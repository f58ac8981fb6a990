"""What MkDocs calls while it builds the site; see https://www.mkdocs.org/user-guide/plugins/#events."""

import html
import logging
import re
from typing import Any

import latex2mathml.converter
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

import public_names
import reference
import repository

_LOG = logging.getLogger("mkdocs.hooks.site")
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_sources: dict[str, str] = {}  # of pages outside docs/: {place on the site: path}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference, and the files of the repository that pages link to."""
    for problem in public_names.undocumented():
        _LOG.warning(problem)  # strict: the build fails
    pages = {f.src_uri: f.content_string for f in files.documentation_pages()} | reference.pages()
    for name in pages.keys() - files.src_uris.keys():
        files.append(File.generated(config, name, content=pages[name]))
    for path, content in repository.outside({repository.DOCS + name: text for name, text in pages.items()}).items():
        place = repository.place(path)
        _sources[place] = path
        files.append(File.generated(config, place, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Let links to files of the repository lead to their pages."""
    return repository.rewritten(_sources.get(page.file.src_uri, repository.DOCS + page.file.src_uri), markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Formulas as MathML, which browsers show without a script."""
    return _FORMULA.sub(_as_mathml, content)


def _as_mathml(match: re.Match[str]) -> str:
    display = "block" if match[1] == "div" else "inline"
    return latex2mathml.converter.convert(html.unescape(match[2]), display=display)
