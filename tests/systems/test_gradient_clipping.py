"""Gradients are clipped as torch clips them, by the norm that was logged."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from clir_ot import TeacherRanker


@pytest.mark.parametrize("share", [0.3, 1.0, 2.0])
def test_the_gradient_is_that_of_torchs_clipping(
    share: float, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = TeacherRanker(str(encoder_folder), dimensions=8, freeze_word_embeddings=True)
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    matrices, others = ([p for p in trained if (p.ndim > 1) is is_matrix] for is_matrix in (True, False))
    optimizer = torch.optim.AdamW([{"params": matrices}, {"params": others}])
    torch.manual_seed(0)
    for parameter in trained[:-1]:  # one has none
        parameter.grad = torch.randn_like(parameter)
    wanted = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in trained]
    copies = [torch.nn.Parameter(torch.zeros_like(gradient)) for gradient in wanted]
    for parameter, gradient in zip(copies, wanted, strict=True):
        parameter.grad = gradient
    limit = share * float(torch.nn.utils.get_total_norm(wanted))
    norm = torch.nn.utils.clip_grad_norm_(copies, limit)

    logged = {}
    monkeypatch.setattr(module, "_trainer", SimpleNamespace(precision="32-true"))
    monkeypatch.setattr(module, "log", lambda name, value: logged.update({name: float(value)}))
    module.on_before_optimizer_step(optimizer)
    module.configure_gradient_clipping(optimizer, limit, None)
    assert logged["train/gradient_norm"] == pytest.approx(float(norm), rel=1e-6)
    for parameter, copied in zip(trained[:-1], copies, strict=False):
        assert torch.allclose(parameter.grad, copied.grad, rtol=1e-5)
