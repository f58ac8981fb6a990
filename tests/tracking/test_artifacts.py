"""Which student was taught by which encoder; `Api` and `Run` are stand-ins for wandb's, with the few members read."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import wandb
from wandb.sdk.lib.service.service_connection import WandbApiFailedError

from clir_ot.tracking.artifacts import link_teachers, teacher_artifact, use_teacher


def test_the_teachers_artifact_is_named_by_its_run(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    assert teacher_artifact(tmp_path / "encoder") is None
    (tmp_path / "run.json").write_text(json.dumps({"wandb": {"id": "teacher-1"}}))
    assert teacher_artifact(str(tmp_path / "encoder")) == "encoder-teacher-1"


def test_students_uploaded_later_are_linked_once(capsys: pytest.CaptureFixture[str]) -> None:
    linked: list[tuple[str, str]] = []

    def run(name: str, teacher: str | None, used: list[str]) -> Any:
        return SimpleNamespace(
            name=name,
            config={"teacher_artifact": teacher},
            used_artifacts=lambda: [SimpleNamespace(name=f"{known}:v0") for known in used],
            use_artifact=lambda artifact: linked.append((name, artifact)),
        )

    def artifact(path: str) -> str:
        if "missing" in path:
            raise wandb.errors.CommError("not found")
        return path

    students = [
        run("teacher", None, []),
        run("linked", "encoder-t", ["encoder-t"]),
        run("new", "encoder-t", ["rankings-t"]),
        run("early", "encoder-missing", []),
    ]
    api = SimpleNamespace(runs=lambda path: students, artifact=artifact)
    assert link_teachers(api, "lab/clir-ot") == 1
    assert linked == [("new", "lab/clir-ot/encoder-t:latest")]
    assert capsys.readouterr().out == "early: its teacher's encoder-missing is not uploaded yet\n"


def test_a_run_online_uses_the_teachers_encoder_or_says_why_not(capsys: pytest.CaptureFixture[str]) -> None:
    used: list[str] = []

    def use(name: str) -> None:
        if "missing" in name:
            raise wandb.errors.CommError("artifact not found\nmore")
        if "foreign" in name:
            raise WandbApiFailedError("permission denied")  # of a server that refuses, no wandb.Error
        used.append(name)

    online: Any = SimpleNamespace(is_online=True, experiment=SimpleNamespace(use_artifact=use))
    use_teacher(online, "encoder-t")
    use_teacher(online, "encoder-missing")
    use_teacher(online, "encoder-foreign")
    use_teacher(SimpleNamespace(is_online=False), "encoder-t")  # type: ignore[arg-type]
    assert used == ["encoder-t:latest"]
    missing, foreign = capsys.readouterr().out.splitlines()
    assert "artifact not found; the teacher is not linked" in missing
    assert "permission denied; the teacher is not linked" in foreign
