"""Transport plans as heat maps: English tokens down, foreign tokens across."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from clir_ot.pictures.canvas import canvas
from clir_ot.pictures.fonts import lettering
from clir_ot.pictures.sentence_alignment import SentenceAlignment

# Letters of a label that fit below its column.
_UPRIGHT = 6


def draw_plan(axes: Any, plan: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> tuple[Any, str]:
    """Draw a plan, (N, M) with N row and M column labels, as shares of its mass.

    Returns:
        The image, for a colour bar, and the characters that no installed font has (`fonts.missing_message`).
    """
    image = axes.imshow(plan / plan.sum(), cmap="Blues", vmin=0)
    letters = lettering([*rows, *columns])
    # A dollar sign in a token is a dollar sign.
    axes.set_yticks(range(len(rows)), letters.texts[: len(rows)], parse_math=False)
    axes.set_xticks(range(len(columns)), letters.texts[len(rows) :], parse_math=False)
    labels = [*axes.get_yticklabels(), *axes.get_xticklabels()]
    for label, families in zip(labels, letters.families, strict=True):
        label.set(fontfamily=families, fontsize=11)
    # Diacritics are read best upright.
    if max(map(_letters, letters.texts[len(rows) :])) > _UPRIGHT:
        for label in axes.get_xticklabels():
            label.set(rotation=50, ha="right", va="top", rotation_mode="anchor")
    return image, letters.missing


def plan_figure(
    plan: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, sides: Sequence[str]
) -> tuple[Figure, str]:
    """A figure of one plan with title and axis labels (`sides`: rows, columns), and what `draw_plan` found missing."""
    size = (max(5.0, 2.2 + 0.48 * len(columns)), max(3.2, 1.6 + 0.4 * len(rows)))
    figure, axes = canvas(size, layout="compressed")
    image, missing = draw_plan(axes, plan, rows, columns)
    axes.set_title(title, fontsize="medium", parse_math=False)
    axes.set_ylabel(sides[0])
    axes.set_xlabel(sides[1])
    figure.colorbar(image, label="share of the mass", ticks=MaxNLocator(5), format=PercentFormatter(1.0))
    return figure, missing


def alignment_figure(alignment: SentenceAlignment, language: str) -> tuple[Figure, str]:
    """As `plan_figure`, for two sentences.

    Args:
        language: name of the foreign one, `Yoruba`.
    """
    title = f"English to {language}: cost {alignment.value:.3f}, plan entropy {alignment.entropy:.2f}"
    sides = "English tokens (teacher)", f"{language} tokens (student)"
    return plan_figure(alignment.plan, alignment.english, alignment.foreign, title, sides)


def _letters(text: str) -> int:
    """How many, marks on them not counted."""
    return sum(not unicodedata.category(character).startswith("M") for character in text)
