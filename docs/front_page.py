"""The README's picture and figures, and those of pages with the same markers, from docs/results/: make front-page.

After a study has been made again: make front-page ARGS=runs/starter/report/figures.json, which keeps that file first.
"""

import os
import re
import sys
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure as Picture

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.table import columns
from clir_ot.files import replacing, write_text
from clir_ot.report.effectiveness import Effectiveness, read_effectiveness
from clir_ot.report.figures import effectiveness
from clir_ot.runs.rankings import DISTILLED, HYBRID
from clir_ot.runs.system_names import ENGLISH_REFERENCE, ZERO_SHOT

DOCS = Path(__file__).parent
FIGURES, PRINTED, PICTURE = DOCS / "results/starter.json", DOCS / "results/distill-yo.txt", DOCS / "images/starter.svg"
_WIDTH = 4.8  # inches: the letters can be read where a phone is as wide as that


def shown(found: Effectiveness) -> dict[str, str]:
    """`{system: what the front page calls it}`: what the question is about."""
    return {ZERO_SHOT: ZERO_SHOT, found.primary[HYBRID]: HYBRID, found.primary[DISTILLED]: DISTILLED}


def description(found: Effectiveness) -> str:
    """What the picture shows, for those who cannot see it; it stands in the picture's file, too."""
    rows = [
        f"{language_name(code)}: {', '.join(f'{label} {found.systems[name][code].mean:.3f}' for name, label in names)}"
        for names in [shown(found).items()]
        for code in found.languages
    ]
    reference = f"{ENGLISH_REFERENCE}: {found.systems[ZERO_SHOT][ENGLISH].mean:.3f}"
    return f"{found.measure} by query language, with 95 % intervals. {'; '.join([*rows, reference])}."


def picture(found: Effectiveness) -> Picture:
    """Every language's figures of the systems that the front page shows."""
    return effectiveness(found, _WIDTH, shown(found))


def table(found: Effectiveness) -> str:
    """The picture's figures."""
    names = shown(found)
    rows = [["queries", *names.values()]]
    rows += [
        [language_name(code), *(found.systems[name][code].with_interval for name in names)]
        for code in [*found.languages, ENGLISH]
    ]
    return columns(rows)


def filled(page: Path, found: Effectiveness, printed: str) -> str:
    """A page's text with what stands between its markers, <!-- figures: ... --> and <!-- end -->, made anew."""
    source = os.path.relpath(PICTURE, page.parent)
    blocks = {
        "picture": f'<img src="{source}" width="520" alt="{description(found)}">',
        "figures": table(found),
        "printed": f"```text\n{printed}```",
    }
    return re.sub(
        rf"(<!-- ({'|'.join(blocks)}):[^>]*-->\n).*?(<!-- end -->)",
        lambda marked: f"{marked[1]}{blocks[marked[2]]}\n{marked[3]}",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def pages() -> list[Path]:
    """Those that may have markers."""
    return [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


def main() -> None:
    if sys.argv[1:]:
        write_text(FIGURES, Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = read_effectiveness(FIGURES)
    # The same bytes on any day.
    with rc_context({"svg.hashsalt": "front-page"}), replacing(PICTURE) as temporary:
        metadata = {"Date": None, "Description": description(found)}
        picture(found).savefig(temporary, format="svg", metadata=metadata)
    made = {page: filled(page, found, PRINTED.read_text(encoding="utf-8")) for page in pages()}
    changed = [page for page, text in made.items() if text != page.read_text(encoding="utf-8")]
    for page in changed:
        write_text(page, made[page])
    print("\n".join([f"picture: {PICTURE}", *(f"figures: {page}" for page in changed)]))


if __name__ == "__main__":
    main()
