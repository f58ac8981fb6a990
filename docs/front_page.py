"""The README's picture and figures, from docs/results/: make front-page.

After a study has been made again: make front-page ARGS=runs/starter/report/figures.json, which keeps that file first.
"""

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
from clir_ot.runs.system_names import UPPER_BOUND, ZERO_SHOT

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
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
    reference = f"{UPPER_BOUND}: {found.systems[ZERO_SHOT][ENGLISH].mean:.3f}"
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


def filled(text: str, found: Effectiveness, printed: str) -> str:
    """The README with what stands between its markers made anew."""
    blocks = {
        "picture": f'<img src="{PICTURE.relative_to(README.parent)}" width="520" alt="{description(found)}">',
        "figures": table(found),
        "printed": f"```text\n{printed}```",
    }
    for name, block in blocks.items():
        text, count = re.subn(
            rf"(<!-- {name}[^>]*-->\n).*?(<!-- end -->)",
            lambda m, block=block: f"{m[1]}{block}\n{m[2]}",
            text,
            flags=re.S,
        )
        if count != 1:
            sys.exit(f"{README}: has {count} places for {name}, expected one: <!-- {name} --> ... <!-- end -->")
    return text


def main() -> None:
    if sys.argv[1:]:
        write_text(FIGURES, Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = read_effectiveness(FIGURES)
    # The same bytes on any day.
    with rc_context({"svg.hashsalt": "front-page"}), replacing(PICTURE) as temporary:
        metadata = {"Date": None, "Description": description(found)}
        picture(found).savefig(temporary, format="svg", metadata=metadata)
    write_text(README, filled(README.read_text(encoding="utf-8"), found, PRINTED.read_text(encoding="utf-8")))
    print(f"picture: {PICTURE}\nfigures: {README}")


if __name__ == "__main__":
    main()
