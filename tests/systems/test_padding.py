"""What an encoder reads in training is real tokens, in every system, although texts are of very unequal lengths."""

import random
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from clir_ot import CLIRDataModule, HybridBatchRanker, OTDistillation, TeacherRanker
from tests.training import quiet_trainer

BATCH = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection whose texts are as long as sentences are: most short, some five times as long."""
    folder = tmp_path_factory.mktemp("padding") / "collection"
    chance = random.Random(3)
    (folder / "qrels").mkdir(parents=True)
    (folder / "bitext").mkdir()
    texts: dict[str, list[str]] = {kind: [] for kind in ("queries", "corpus")}
    foreign: dict[str, list[str]] = {kind: [] for kind in texts}
    for number in range(480):
        for kind, mean, longest in (("queries", 1.8, 40), ("corpus", 2.6, 60)):
            words = min(longest, max(1, round(chance.lognormvariate(mean, 0.7))))
            there = min(longest, max(1, round(words * chance.lognormvariate(0.2, 0.35))))
            name = f"{kind[0]}{number}"
            texts[kind].append(f'{{"_id": "{name}", "text": "{" ".join(["bara"] * words)}"}}\n')
            foreign[kind].append(f'{{"_id": "{name}", "text": "{" ".join(["xarab"] * there)}"}}\n')
    pairs = []
    for kind in texts:
        (folder / f"{kind}.jsonl").write_text("".join(texts[kind]))
        (folder / f"{kind}.yo.jsonl").write_text("".join(foreign[kind]))
        sides = zip(texts[kind], foreign[kind], strict=True)
        pairs += [f"{x.split(chr(34))[7]}\t{y.split(chr(34))[7]}\n" for x, y in sides]
    (folder / "bitext" / "yo.tsv").write_text("".join(pairs))
    judged = "".join(f"q{number}\tc{number}\t1\n" for number in range(480))
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
    return folder


def padded(lengths: list[int]) -> tuple[int, int]:
    """Real and padded tokens of batches in the order given."""
    batches = [lengths[i : i + BATCH] for i in range(0, len(lengths), BATCH)]
    return sum(lengths), sum(len(batch) * max(batch) for batch in batches)


@pytest.mark.parametrize("system", ["teacher", "distill", "hybrid"])
def test_padding_is_under_a_tenth(
    system: str, folder: Path, encoder_folder: Path, teacher_folder: Path, tmp_path: Path
) -> None:
    pl.seed_everything(0)
    module: Any
    if system == "distill":
        module = OTDistillation(str(teacher_folder), alignment="mse")
        data = CLIRDataModule(folder, "yo", bitext_rate=1.0, english_share=0.25, batch_size=BATCH)
    else:
        kind = TeacherRanker if system == "teacher" else HybridBatchRanker
        module = kind(str(encoder_folder), dimensions=8, document_length=64)
        data = CLIRDataModule(
            folder, "en" if system == "teacher" else "en,yo", alpha=0.5 if system == "hybrid" else 1.0
        )
        data.batch_size = BATCH
    seen: list[torch.Tensor] = []

    def look(transformer: Any, arguments: Any, named: dict[str, torch.Tensor]) -> None:
        seen.append(named["attention_mask"])

    encoders = [module.encoder, module.teacher] if system == "distill" else [module.encoder]
    for encoder in encoders:
        encoder.transformer.register_forward_pre_hook(look, with_kwargs=True)
    trainer = quiet_trainer(tmp_path, max_epochs=1)
    trainer.fit(module, data)
    real, places = sum(int(mask.sum()) for mask in seen), sum(mask.numel() for mask in seen)
    assert 1 - real / places < 0.1
    # It is not bought by reading text after text.
    assert sum(map(len, seen)) / len(seen) > BATCH / 4
    # In the order of the file it would be many times as much.
    lengths = [len(ids) + 2 for ids in module.tokenizer.pieces([*data.collection.queries("yo").values()])]
    at_random = padded(lengths)
    assert 1 - at_random[0] / at_random[1] > 0.4
