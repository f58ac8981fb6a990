"""Whatever is encoded for long is told in the log: how much of how much, and about how long it still takes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import progress


@pytest.fixture
def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line after every batch, as if each took long."""
    monkeypatch.setattr(progress.counting, "__defaults__", (None, 0.0))


def told(printed: str, what: str) -> None:
    counted = re.findall(rf"^(\d+) of (\d+) {what}(, about .* left)?$", printed, re.MULTILINE)
    assert counted, f"nothing of {what} in {printed}"
    assert counted[-1][0] == counted[-1][1]
    assert not counted[-1][2]


@pytest.mark.usefixtures("talkative")
def test_what_training_evaluation_and_search_encode_is_told(
    fit: Callable[..., str], clir: Callable[..., str], collection_folder: Path, tmp_path: Path
) -> None:
    run, index = tmp_path / "run", tmp_path / "index"
    printed = fit(run, system="distill")
    told(printed, "English sentences encoded")
    told(printed, "sentences of the bitext in 'yo' tokenised")
    printed = clir("evaluate", run, "--collection", collection_folder)
    told(printed, "documents encoded")
    told(printed, "queries encoded")
    told(printed, "documents searched")
    told(
        clir("index", "--encoder", run / "encoder", "--collection", collection_folder, "--output", index),
        "documents encoded",
    )
    search = ["search", "--encoder", run / "encoder", "--collection", collection_folder, "--language", "yo"]
    for more in ([], ["--index", tmp_path / "other"]):
        printed = clir(*search, "--output", tmp_path / "a.trec", *more)
        told(printed, "queries encoded")
        told(printed, "documents encoded")


@pytest.mark.usefixtures("talkative")
def test_what_a_system_of_several_languages_encodes_is_told(
    fit: Callable[..., str], clir: Callable[..., str], collection_folder: Path, tmp_path: Path
) -> None:
    fit(tmp_path / "run", "--data.languages", "en,yo")
    printed = clir("evaluate", tmp_path / "run", "--collection", collection_folder)
    assert "encoding the documents in Yoruba\n24 of 24 documents encoded\n" in printed
