"""Progress lines add up and are not too many."""

import pytest

from clir_ot.progress import counting


def test_lines_count_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    progress = counting("documents encoded", seconds=0)
    progress(3)
    progress(4)
    assert capsys.readouterr().out == "3 documents encoded\n7 documents encoded\n"


def test_what_is_done_at_once_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = counting("documents encoded")
    progress(3)
    assert capsys.readouterr().out == ""
