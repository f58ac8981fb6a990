"""A compiled encoder trains as the plain one does."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from clir_ot import CLIRDataModule, OTDistillation, TeacherRanker, TokenEncoder
from clir_ot.errors import UserError
from tests.training import quiet_trainer


def train(module: pl.LightningModule, data: CLIRDataModule, folder: Path) -> None:
    quiet_trainer(folder, max_steps=3).fit(module, data)


@pytest.mark.slow
@pytest.mark.parametrize("system", ["teacher", "distill"])
def test_three_steps_lead_to_the_same_weights(
    encoder_folder: Path, teacher_folder: Path, collection_folder: Path, tmp_path: Path, system: str
) -> None:
    found = []
    for compiled in (False, True):
        pl.seed_everything(0)
        options: dict[str, Any] = {"compiled": compiled, "learning_rate": 1e-3}
        if system == "teacher":
            module: Any = TeacherRanker(str(encoder_folder), dimensions=8, dropout=False, **options)
            data = CLIRDataModule(collection_folder, "en", batch_size=6)
        else:
            module = OTDistillation(str(teacher_folder), **options)
            data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, english_share=0.3, batch_size=6)
        assert (module.encoder.transformer._compiled_call_impl is not None) is compiled
        before = {name: weights.clone() for name, weights in module.encoder.state_dict().items()}
        train(module, data, tmp_path)
        encoder = module.query_encoder()
        encoder.save_pretrained(tmp_path / f"{compiled}")
        found.append(encoder.state_dict())
    plain, fast = found
    assert plain.keys() == fast.keys() == before.keys()
    assert any((plain[name] - before[name]).abs().max() > 1e-4 for name in plain)
    for name, weights in plain.items():
        assert torch.allclose(weights, fast[name], atol=2e-5), name
    texts = encoder.tokenizer.queries(["ba ra de sil"])
    saved = TokenEncoder.from_pretrained(tmp_path / "True")
    with torch.no_grad():
        assert torch.allclose(saved(texts), encoder.eval()(texts), atol=1e-5)


def test_without_a_compiler_one_line_says_so(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    module = TeacherRanker(str(encoder_folder), dimensions=8, compiled=True)
    with pytest.raises(UserError, match=r"^model\.compiled needs a C\+\+ compiler on a CPU, and there is no no-such-c"):
        train(module, CLIRDataModule(collection_folder, "en", batch_size=6), tmp_path)
