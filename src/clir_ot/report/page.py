"""A report's sections as one HTML page that needs nothing beside itself, and as Markdown."""

import io
import re
from collections.abc import Sequence

from jinja2 import Environment, PackageLoader
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from clir_ot.evaluation.table import columns
from clir_ot.report.sections import Section


def html(title: str, subtitle: str, sections: Sequence[Section], footer: Sequence[str]) -> str:
    """The page: style and pictures (SVG) within it, no script, nothing fetched."""
    environment = Environment(loader=PackageLoader("clir_ot.report", "."), autoescape=True, trim_blocks=True)
    shown = [
        {
            "title": section.title,
            "anchor": re.sub(r"\W+", "-", section.title.lower()).strip("-"),
            "text": section.text,
            "tables": section.tables,
            "pictures": [(caption, _svg(figure, f"{i}-{j}")) for j, (caption, figure) in enumerate(section.figures)],
        }
        for i, section in enumerate(sections)
    ]
    template = environment.get_template("page.html.j2")
    return template.render(title=title, subtitle=subtitle, sections=shown, footer=footer) + "\n"


def markdown(title: str, subtitle: str, sections: Sequence[Section], footer: Sequence[str]) -> str:
    """The text and the tables."""
    parts = [f"# {title}", subtitle]
    for section in sections:
        if section.text or section.tables:
            parts += [f"## {section.title}", *section.text]
            parts += [part for note, table in section.tables for part in (columns(table), note)]
    return "\n\n".join([*parts, *footer]) + "\n"


def _svg(figure: Figure, salt: str) -> Markup:
    """As an element of the page; its ids must not be those of another picture."""
    target = io.StringIO()
    # Text stays text, in the reader's font: small, searchable, sharp. The salt keeps the bytes the same every time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", metadata={"Date": None})
    text = target.getvalue()
    # matplotlib names its groups alike in every picture; only what a picture refers to needs its id.
    used = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", text)
    return Markup(text[text.index("<svg") :])  # matplotlib escapes the labels
