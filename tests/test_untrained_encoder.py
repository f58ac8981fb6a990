"""A transformer alone has no projection: only training starts one, and whatever else would use it says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from clir_ot import OTDistillation, TokenEncoder
from clir_ot.errors import UserError

Command = Callable[..., str]


@pytest.fixture
def run(encoder_folder: Path, tmp_path: Path) -> Path:
    """A run folder whose encoder has lost what makes it one."""
    folder = tmp_path / "run"
    (folder / "encoder").mkdir(parents=True)
    for path in encoder_folder.iterdir():
        (folder / "encoder" / path.name).write_bytes(path.read_bytes())
    config = {
        "seed_everything": 0,
        "model": {"class_path": "clir_ot.TeacherRanker", "init_args": {"encoder": str(encoder_folder)}},
        "data": {"collection": "mine", "languages": "en"},
        "trainer": {},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "run.json").write_text('{"collection_fingerprint": "c", "encoder_fingerprint": "e", "steps": 1}')
    return folder


def test_every_command_that_uses_an_encoder_says_so(
    clir: Command, run: Path, encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    plain, collection = ("--encoder", encoder_folder), ("--collection", collection_folder, "--language", "en")
    trained = tmp_path / "trained"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(trained)
    output = "--output", tmp_path / "run.trec"
    said = {
        "search": clir("search", *plain, *collection, *output),
        "documents": clir("search", "--encoder", trained, "--document-encoder", encoder_folder, *collection, *output),
        "index": clir("index", *plain, "--collection", collection_folder, "--output", tmp_path / "index"),
        "evaluate": clir("evaluate", run, "--collection", collection_folder),
        "push": clir("push", run, "--repo", "me/plain"),
        "align": clir("align", "--teacher", encoder_folder, "--student", trained, "--language", "yo", "bara", "xarab"),
    }
    for command, line in said.items():
        assert line.startswith("FAILED: clir-ot: "), command
        assert "is no trained encoder (it has no modules.json, so no projection); give the encoder folder" in line
        assert "\n" not in line
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("run", "trained")] == []


def test_a_student_needs_a_trained_teacher(encoder_folder: Path) -> None:
    with pytest.raises(UserError, match="is no trained encoder"):
        OTDistillation(str(encoder_folder))


def test_a_run_folder_is_told_from_its_encoder(
    clir: Command, run: Path, collection_folder: Path, tmp_path: Path
) -> None:
    collection = "--collection", collection_folder, "--language", "en", "--output", tmp_path / "run.trec"
    failed = clir("search", "--encoder", run, *collection)
    assert failed.endswith(f"{run}: no encoder there (no config.json); did you mean {run / 'encoder'}?")
