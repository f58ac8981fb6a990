"""Progress lines add up and are not too many."""

import time

import pytest

from clir_ot.progress import counting


def test_lines_count_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    progress = counting("documents encoded", seconds=0)
    progress(3)
    progress(4)
    assert capsys.readouterr().out == "3 documents encoded\n7 documents encoded\n"


def test_what_is_done_at_once_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = counting("documents encoded", 8)
    progress(3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("left", "said"), [(30, "about 30 s"), (1800, "about 30 min"), (7200, "about 2.0 h")])
def test_of_a_known_number_the_rest_is_estimated(
    left: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = counting("documents encoded", 10 + left)
    now += 10
    progress(10)
    now += 10
    progress(left)
    assert capsys.readouterr().out == (
        f"10 of {10 + left} documents encoded, {said} left\n{10 + left} of {10 + left} documents encoded\n"
    )
