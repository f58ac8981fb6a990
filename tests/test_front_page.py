"""What README, results and the files beside them say is what the committed figures, the code and each other say."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from matplotlib.lines import Line2D

import clir_ot
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.metrics import DEFAULT_MEASURES
from clir_ot.evaluation.systems import Measured, compare_all
from clir_ot.evaluation.table import render
from clir_ot.report.effectiveness import read_effectiveness
from clir_ot.runs.rankings import DISTILLED
from clir_ot.runs.system_names import ENGLISH_REFERENCE, ZERO_SHOT
from docs import front_page

ROOT = Path(__file__).parent.parent
README, RESULTS, ABLATIONS = (ROOT / name for name in ("README.md", "RESULTS.md", "experiments/ablation/results.md"))
FOUND = read_effectiveness(front_page.FIGURES)
_FIGURE = re.compile(r"(?<![\d.])[+-]?\d?\.\d{3,4}(?!\d)")


def _rows(page: str) -> list[list[str]]:
    """The cells of a page's tables."""
    lines = [line for line in page.splitlines() if line.startswith("|") and not set(line) <= set("|- ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_figures_are_those_of_the_report() -> None:
    section = RESULTS.read_text().partition("\n## Effectiveness\n")[2].partition("\n## ")[0]
    header, *rows = _rows(section)
    names = {language_name(code): code for code in (*FOUND.languages, ENGLISH)}
    assert header[1:] == [
        *map(language_name, FOUND.languages),
        f"mean of {len(FOUND.low_resource)} low-resource",
        "English",
    ]
    assert [row[0] for row in rows] == [*FOUND.systems]
    for row in rows:
        figures = FOUND.systems[row[0]]
        said = {names[name]: cell for name, cell in zip(header[1:], row[1:], strict=True) if name in names and cell}
        assert said == {code: str(figure) for code, figure in figures.items()}


def test_pages_are_as_make_front_page_writes_them() -> None:
    for page in front_page.pages():
        made = front_page.filled(page, FOUND, front_page.PRINTED.read_text())
        assert made == page.read_text(), "make front-page writes it anew"
    text = README.read_text()
    assert all(f"<!-- {name}: " in text for name in ("picture", "figures", "printed"))
    assert len(text.splitlines()) <= 150
    assert front_page.description(FOUND) in front_page.PICTURE.read_text(), "make front-page draws it anew"
    # Not see-through: the letters are dark.
    assert re.search(r'<g id="patch_1">\s*<path [^>]*style="fill: #ffffff"', front_page.PICTURE.read_text())


def test_the_picture_shows_the_figures() -> None:
    (axes,) = front_page.picture(FOUND).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [*map(language_name, FOUND.languages)]
    drawn = {c.get_label(): c for c in axes.containers}
    assert [*drawn] == [*front_page.shown(FOUND).values()]
    for name, label in front_page.shown(FOUND).items():
        points, _, (bars,) = drawn[label].lines
        figures = [FOUND.systems[name][code] for code in FOUND.languages]
        assert points.get_xdata() == pytest.approx([figure.mean for figure in figures])
        assert [round(place) for place in points.get_ydata()] == [*range(len(figures))]
        ends = [segment[:, 0].tolist() for segment in bars.get_segments()]
        assert ends == [pytest.approx([figure.low, figure.high]) for figure in figures]
    top = FOUND.systems[ZERO_SHOT][ENGLISH]
    (line,) = [line for line in axes.lines if isinstance(line, Line2D) and line.get_label() == ENGLISH_REFERENCE]
    assert line.get_xdata() == [top.mean, top.mean]
    (band,) = axes.patches
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((top.low, top.high))


def test_the_command_prints_such_a_table() -> None:
    rows = [(ENGLISH_REFERENCE, "en"), (ZERO_SHOT, "yo"), (DISTILLED, "yo"), (DISTILLED, "en")]
    systems = [
        Measured(name, code, {name: {measure: {"q1": 0.1 * n, "q2": 0.2} for measure in DEFAULT_MEASURES}})
        for n, (name, code) in enumerate(rows)
    ]
    now = render(systems, compare_all([(systems[2:3], systems[1:2]), (systems[3:], systems[:1])], "MRR@10"))

    def form(text: str) -> list[str]:
        """Without figures, verdicts, and the columns' widths."""
        lines = [
            re.sub(r": (better|worse|no difference shown)(, (not shown to be )?within .*)?$", "", line)
            for line in text.strip().splitlines()
        ]
        return [re.sub(r"[-+<=]* ?\d*\.?\d+", "#", re.sub(r" +|-{3,}", " ", line)) for line in lines]

    assert form(front_page.PRINTED.read_text()) == form(now)


def _unknown(words: str, known: str) -> set[str]:
    """Figures that are not among the known ones; one without sign is that of a difference, too."""
    found = {*_FIGURE.findall(known)}
    return {*_FIGURE.findall(words)} - found - {figure.lstrip("+-") for figure in found}


def test_every_figure_in_words_is_in_a_table() -> None:
    known = front_page.PRINTED.read_text()
    for page in (RESULTS, ABLATIONS):
        tables = "\n".join(line for line in page.read_text().splitlines() if line.startswith("|"))
        words = "\n".join(line for line in page.read_text().splitlines() if not line.startswith("|"))
        assert _unknown(words, tables) == set(), page
        known += tables
    for page in (README, *(ROOT / "docs").glob("index.md"), *(ROOT / "docs").glob("results.md")):
        assert _unknown(page.read_text(), known) == set(), page


def test_the_changelog_names_modules_that_are_there_and_those_that_are_not() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert f"\n## [{clir_ot.__version__}]" in text
    moved = [[re.findall(r"`([a-z_.]*(?:\{.*?\})?)`", cell) for cell in row] for row in _rows(text)[1:]]
    assert len(moved) > 10

    def modules(said: str) -> list[str]:
        room, _, names = said.partition("{")
        return [f"clir_ot.{room}{name.strip()}" for name in names.rstrip("}").split(",")]

    for (was, *_), (now, *_) in moved:
        assert [module for module in modules(was) if find_spec(module)] == []
        assert [module for module in modules(now) if not find_spec(module)] == []


def test_citation_and_hooks_are_of_this_version_and_of_make_lint() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == clir_ot.__version__
    assert f"\n## [{cited['version']}] - {cited['date-released']}\n" in (ROOT / "CHANGELOG.md").read_text()
    lint = (ROOT / "environment.mk").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    (hooks,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    asked = re.findall(r"\$\(BIN\)/(\S+(?: check| format)?)", lint)
    assert [re.match(r"\.venv/bin/(\S+(?: check| format)?)", hook["entry"])[1] for hook in hooks["hooks"]] == asked
