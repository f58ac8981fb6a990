"""Figures are written, and read again or refused in a line."""

from pathlib import Path

import pytest

from clir_ot.errors import UserError
from clir_ot.report.effectiveness import Effectiveness, Figure, read_effectiveness

ONE = Figure(mean=0.4487, low=0.4042, high=0.495, least=0.4287, most=0.464, queries=293, seeds=3)
FOUND = Effectiveness(
    about="a test", measure="MRR@10", low_resource=["yo", "ha"], primary={"hybrid": "hybrid"},
    systems={"zero-shot": {"yo": ONE, "de": ONE, "en": ONE}, "hybrid": {"yo": ONE, "ha": ONE}},
)  # fmt: skip


def test_a_figure_is_written_as_in_the_tables() -> None:
    assert str(ONE) == "0.449 [0.404, 0.495] (0.429 to 0.464)"
    assert str(ONE.model_copy(update={"seeds": 1})) == "0.449 [0.404, 0.495]"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "figures.json").write_text(FOUND.model_dump_json())
    assert read_effectiveness(tmp_path / "figures.json") == FOUND
    assert FOUND.languages == ["yo", "ha", "de"]


@pytest.mark.parametrize("content", ["", "{}", FOUND.model_dump_json().replace('"mean":', '"middle":'), b"\xff"])
def test_another_file_is_refused_in_a_line(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "figures.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=r"figures\.json: no figures\.json of a report; clir-ot report writes one$"):
        read_effectiveness(path)
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_effectiveness(tmp_path / "none.json")
