"""The teacher's vectors of the bitext: those it gives in a step, kept once, made anew where the file is damaged."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from clir_ot import CLIRDataModule, OTDistillation, TokenEncoder
from clir_ot.data.training_batches import TrainingBatches
from clir_ot.runs.teacher_vectors import TeacherVectors
from tests.training import quiet_trainer

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def teacher(encoder_folder: Path, tmp_path: Path) -> Path:
    torch.manual_seed(2)
    folder = tmp_path / "teacher" / "encoder"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(folder)
    return folder


def arguments(teacher: Path, collection: Path, run: Path) -> list[object]:
    return [
        "fit", "--config", ROOT / "experiments" / "distill.yaml", "--model.teacher", teacher, "--run", run,
        "--data.collection", collection, "--data.languages", "yo", "--data.batch_size", 12,
        "--trainer.max_epochs", 1, "--trainer.logger", "false", "--trainer.callbacks", "null",
        "--trainer.accelerator", "cpu",
    ]  # fmt: skip


def test_they_are_those_of_a_step(teacher: Path, collection_folder: Path, tmp_path: Path, clir: Callable) -> None:
    run = tmp_path / "run"
    clir(*arguments(teacher, collection_folder, run))
    (path,) = (run / "bitext").glob("*.safetensors")  # the teacher is no run of its own
    found = load_file(path)
    module = OTDistillation(str(teacher))
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, english_share=0.25, batch_size=12)
    data.setup("fit")
    names = [f"yo:{n}" for n, _ in enumerate(data.texts.bitext["yo"], start=1)]
    vectors = dict(zip(names, found["vectors"].split(found["lengths"].tolist()), strict=True))
    batches = TrainingBatches(data.texts, module.tokenizer, None, 32)
    plans = list(data.sampler(module.tokenizer))
    assert len(plans) > 1
    for plan in plans:
        batch = batches[plan]
        direct = module._teacher_vectors(batch)
        module.remember(vectors)
        assert torch.allclose(module._teacher_vectors(batch), direct, atol=1e-6)
        module._remembered = None


def test_of_a_part_of_the_bitext_they_are_those_of_a_step(
    teacher: Path, collection_folder: Path, tmp_path: Path
) -> None:
    module = OTDistillation(str(teacher))
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, bitext_pairs=8, batch_size=4)
    trainer = quiet_trainer(tmp_path, max_epochs=1, callbacks=[TeacherVectors([tmp_path / "bitext"], "a fingerprint")])
    trainer.fit(module, data)  # where it names a pair otherwise than a batch does, this is a KeyError
    kept, module._remembered = module._remembered, None
    assert kept is not None
    lines = data.collection.bitext("yo")
    for name, vectors in kept.items():
        tokens = module.tokenizer.queries([lines[int(name.removeprefix("yo:")) - 1][0]])
        assert torch.allclose(module.teacher(tokens)[0], vectors, atol=1e-6)
    assert len(kept) == 8
    assert kept.keys() != {f"yo:{n}" for n in range(1, 9)}


def test_they_are_made_once_and_anew_when_damaged(
    teacher: Path, collection_folder: Path, tmp_path: Path, clir: Callable
) -> None:
    runs = [tmp_path / name for name in ("teacher", "one", "two", "three")]
    # The teacher is a run: its students share the file in its folder.
    (runs[0] / "config.yaml").write_text("model: {init_args: {encoder: an-encoder}}")
    assert "encodes 36 English sentences" in clir(*arguments(teacher, collection_folder, runs[1]))
    (path,) = (runs[0] / "bitext").iterdir()
    assert "English sentences" not in clir(*arguments(teacher, collection_folder, runs[2]))
    path.write_bytes(path.read_bytes()[:100])
    assert "is damaged" in clir(*arguments(teacher, collection_folder, runs[3]))
    weights = [load_file(run / "encoder" / "model.safetensors") for run in runs[1:]]
    for other in weights[1:]:
        assert all(torch.equal(weights[0][name], other[name]) for name in other)
    facts = [json.loads((run / "run.json").read_text()) for run in runs[1:]]
    assert len({fact["tokens"] for fact in facts}) == 1
    assert os.listdir(runs[0] / "bitext") == [path.name]
