"""A student's teacher is known by its content: moved, renamed, in a folder that nobody may write."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clir_ot import Collection
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.rankings import Queries, run_searchers
from clir_ot.runs.teacher import find_teacher

Fit = Callable[..., str]


def contents(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def taught(fit: Fit, tmp_path: Path) -> tuple[Path, Path]:
    """The runs of a teacher and of its student, in different folders."""
    teacher, student = tmp_path / "there" / "teacher", tmp_path / "here" / "yo"
    fit(teacher)
    fit(student, "--model.teacher", teacher / "encoder", system="distill")
    return teacher, student


def test_a_teacher_that_was_moved_is_found_where_one_says_and_then_again(
    taught: tuple[Path, Path], clir: Callable[..., str], collection_folder: Path, tmp_path: Path
) -> None:
    teacher, student = taught
    moved = tmp_path / "far" / "off" / "english"
    moved.parent.mkdir(parents=True)
    teacher.rename(moved)
    evaluate = ["evaluate", student, "--collection", collection_folder]
    said = clir(*evaluate)
    assert said.startswith(f"FAILED: clir-ot: {student}: its teacher's folder {teacher / 'encoder'} is not there; say")
    assert "\n" not in said
    assert "is not the encoder that" in clir(*evaluate, "--teacher", student / "encoder")
    table = clir(*evaluate, "--teacher", moved)
    assert "zero-shot" in table
    assert (moved / "trec").is_dir()
    # It is noted, for commands that do not ask: reports and cards.
    shutil.rmtree(moved / "trec")
    assert clir(*evaluate) == table


@pytest.mark.parametrize("beside", ["teacher", "another-name"])
def test_a_teacher_that_moved_with_its_students_is_found_beside_them(
    beside: str, taught: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, student = taught
    teacher.rename(student.parent / beside)
    (student.parent / "something-else" / "encoder").mkdir(parents=True)
    found = find_teacher(RunFolder(student))
    assert found == student.parent / beside / "encoder"
    assert "its teacher is no longer in" in capsys.readouterr().out
    assert find_teacher(RunFolder(student)) == found
    assert capsys.readouterr().out == ""


def test_another_encoder_in_the_teachers_place_is_no_teacher(
    taught: tuple[Path, Path], teacher_folder: Path, clir: Callable[..., str], collection_folder: Path
) -> None:
    teacher, student = taught
    shutil.rmtree(teacher / "encoder")
    shutil.copytree(teacher_folder, teacher / "encoder")
    assert "holds another encoder now" in clir("evaluate", student, "--collection", collection_folder)


def test_of_a_teacher_that_nobody_may_write_all_is_kept_with_the_student(
    taught: tuple[Path, Path], fit: Fit, clir: Callable[..., str], collection_folder: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    teacher, _ = taught
    shutil.rmtree(teacher / "bitext")
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: allowed(path, mode) and not Path(path).is_relative_to(teacher)
    )  # root may write everywhere
    before = contents(teacher)
    student = tmp_path / "mine"
    fit(student, "--model.teacher", teacher / "encoder", system="distill")
    assert len(list((student / "bitext").glob("*.safetensors"))) == 1
    first = clir("evaluate", student, "--collection", collection_folder)
    assert "zero-shot" in first
    assert contents(teacher) == before
    assert len(list((student / "index").iterdir())) == 1
    assert (student / "trec" / "teacher.yo.test.trec").is_file()
    # What its owner has put there is read.
    monkeypatch.undo()
    clir("evaluate", teacher, "--collection", collection_folder)
    monkeypatch.setattr(os, "access", lambda path, mode: not Path(path).is_relative_to(teacher))
    shutil.rmtree(student / "index")
    own, above = run_searchers(RunFolder(student), Collection(collection_folder))
    own.documents()
    assert own.index_folders()[0].is_relative_to(teacher / "index")
    assert not (student / "index").exists()
    assert above is not None
    assert above.path(Queries("en")) == teacher / "trec" / "teacher.en.test.trec"


def test_hidden_files_are_no_part_of_an_encoder_or_a_collection(
    teacher_folder: Path, own_collection: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(teacher_folder, folder)
    before = fingerprint(folder), Collection(own_collection).fingerprint(), fingerprint(teacher_folder)
    assert before[0] == before[2]
    for place in (folder, own_collection, own_collection / "qrels", own_collection / "bitext"):
        (place / ".DS_Store").write_text("x")
        (place / ".cache" / "huggingface").mkdir(parents=True)
        (place / ".cache" / "huggingface" / "x.metadata").write_text("today")
    (own_collection / "._corpus.jsonl").write_text("a resource fork")
    (own_collection / "bitext" / "._yo.tsv").write_text("a resource fork")
    assert (fingerprint(folder), Collection(own_collection).fingerprint(), before[2]) == before
    (folder / "more.json").write_text("{}")
    assert fingerprint(folder) != before[0]
