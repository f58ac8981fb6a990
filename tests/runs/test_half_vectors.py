"""The teacher's vectors of a large bitext: on disk in half precision, made once, and anew where they are not right."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from clir_ot import CLIRDataModule, OTDistillation, TokenEncoder
from clir_ot.runs import half_vectors, teacher_vectors
from clir_ot.runs.half_vectors import HalfVectors
from clir_ot.runs.teacher_vectors import TeacherVectors
from tests.training import quiet_trainer

HALF = 2**-11  # of a coordinate of at most 1


@pytest.fixture(scope="module")
def teacher(encoder_folder: Path) -> TokenEncoder:
    torch.manual_seed(2)
    return TokenEncoder.from_pretrained(encoder_folder, dimensions=8).eval()


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_vectors, "SENTENCES", 10)


def data(collection: Path, **options: object) -> CLIRDataModule:
    module = CLIRDataModule(collection, "yo", bitext_rate=1.0, batch_size=4, **options)  # type: ignore[arg-type]
    module.setup("fit")
    return module


def kept(folder: Path, teacher: TokenEncoder, module: CLIRDataModule) -> HalfVectors:
    vectors = HalfVectors(folder, ["a fingerprint", "32-true"], module.texts)
    vectors.make(teacher, nullcontext())
    return vectors.open()


def differences(vectors: HalfVectors, teacher: TokenEncoder, lines: list[tuple[str, str]]) -> Iterator[float]:
    """From what the teacher says of the sentence that the id names in the file."""
    for name in vectors:
        with torch.no_grad():
            wanted = teacher(teacher.tokenizer.queries([lines[int(name.removeprefix("yo:")) - 1][0]]))[0]
        assert vectors[name].dtype == torch.float32
        yield float((vectors[name] - wanted).abs().max())


@pytest.mark.parametrize("pairs", [None, 17])
def test_they_are_the_teachers_of_the_sentence_that_is_named(
    pairs: int | None, teacher: TokenEncoder, collection_folder: Path, tmp_path: Path
) -> None:
    module = data(collection_folder, bitext_pairs=pairs)
    vectors = kept(tmp_path, teacher, module)
    found = list(differences(vectors, teacher, list(module.collection.bitext("yo"))))
    assert len(found) == len(vectors) == (pairs or 36)
    assert 0 < max(found) <= HALF
    assert len(list(tmp_path.iterdir())) == -(-len(vectors) // 10)


def test_files_are_made_once_and_anew_where_they_are_not_right(
    teacher: TokenEncoder, collection_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = data(collection_folder)
    kept(tmp_path, teacher, module)
    capsys.readouterr()
    kept(tmp_path, teacher, module)
    assert not capsys.readouterr().out
    short, stale, *_ = sorted(tmp_path.iterdir())
    short.write_bytes(short.read_bytes()[:-8])
    others = load_file(stale)
    save_file({**others, "vectors": others["vectors"].flip(0)}, stale)
    vectors = kept(tmp_path, teacher, module)
    said = capsys.readouterr().out
    assert f"{short}: is damaged" in said
    assert f"{stale}: is not what the teacher says" in said
    assert said.count("the teacher has encoded") == 2
    assert max(differences(vectors, teacher, list(module.collection.bitext("yo")))) <= HALF


def test_another_text_or_teacher_has_other_files(
    teacher: TokenEncoder, collection_folder: Path, tmp_path: Path
) -> None:
    module = data(collection_folder)
    kept(tmp_path, teacher, module)
    first, *pairs = module.texts.bitext["yo"]
    module.texts = replace(module.texts, bitext={"yo": [(f"{first[0]} go", first[1]), *pairs]})
    kept(tmp_path, teacher, module)
    assert len(list(tmp_path.iterdir())) == 4 + 1
    HalfVectors(tmp_path, ["another", "32-true"], module.texts).make(teacher, nullcontext())
    assert len(list(tmp_path.iterdir())) == 4 + 1 + 4


def test_a_student_is_taught_from_them_where_the_bitext_is_large(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(tmp_path / "teacher")
    trained = []
    for most, free in ((2**32, 10**12), (0, 10**12), (0, 10)):
        monkeypatch.setattr(teacher_vectors, "_MOST_BYTES", most)
        monkeypatch.setattr(teacher_vectors.shutil, "disk_usage", lambda _, free=free: type("", (), {"free": free}))
        torch.manual_seed(3)
        module = OTDistillation(str(tmp_path / "teacher"), alignment="mse", learning_rate=1e-3, dropout=False)
        trainer = quiet_trainer(
            tmp_path, max_epochs=1, callbacks=[TeacherVectors([tmp_path / f"{most}-{free}"], "a fingerprint")]
        )
        trainer.fit(module, CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=12))
        assert (module._remembered is None) == (free == 10)
        trained.append([*module.encoder.parameters()])
    assert "they are encoded step by step" in capsys.readouterr().out
    for single, half, stepwise in zip(*trained, strict=True):
        assert torch.allclose(single, stepwise, atol=1e-5)
        assert torch.allclose(single, half, atol=5e-3)
