"""Sinkhorn against exact transport on real sentences: NTREX-128's English and Yoruba."""

from pathlib import Path

import pytest
import torch

from clir_ot import TokenEncoder
from clir_ot.collections.cache import starter_folder
from clir_ot.models.transport import transport_values

ROOT = Path(__file__).parent.parent.parent
NTREX = ROOT.parent / "shared" / "data" / "ntrex"
RUNS = ROOT / "runs" / "starter"
PAIRS = 120


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folders", "made_by", "bound"),
    [
        ([RUNS / "teacher" / "encoder", RUNS / "distill-yo" / "encoder"], "make distill LANG=yo", 0.01),
        # Untrained, all tokens are near each other: the costs are half as large, the errors are as large.
        ([starter_folder() / "encoder"] * 2, "make starter", 0.03),
    ],
)
def test_the_default_transport_is_near_the_exact_one_on_yoruba_sentences(
    folders: list[Path], made_by: str, bound: float
) -> None:
    if not NTREX.is_dir():
        pytest.skip("NTREX-128's sentences are not at ../shared/data/ntrex")
    if not all(folder.is_dir() for folder in folders):
        pytest.skip(f"no encoder to try it with; `{made_by}` makes it")
    sides, masks = [], []
    for language, folder in zip(("en", "yo"), folders, strict=True):
        torch.manual_seed(0)  # of the projection that the starter's encoder lacks
        encoder = TokenEncoder.from_pretrained(folder, dimensions=128, query_prefix="query: ").eval()
        lines = (NTREX / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        step = len(lines) // PAIRS
        tokens = encoder.tokenizer.queries(lines[: PAIRS * step : step])
        with torch.inference_mode():
            sides.append(encoder(tokens))
        masks.append(tokens.content)
    costs, result = transport_values(*sides, *masks)
    exact, _ = transport_values(*sides, *masks, solver="exact")
    assert len(exact) == PAIRS
    assert exact.min() > 0.1
    errors = (costs - exact) / exact
    assert errors.min() > -1e-4  # a plan with these marginals costs no less than the best
    assert errors.max() < bound
    for mass, mask in ((result.plan.sum(2), masks[0]), (result.plan.sum(1), masks[1])):
        assert torch.allclose(mass, mask / mask.sum(1, keepdim=True), atol=1e-5)
