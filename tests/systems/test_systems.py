"""One training step of each system on the tiny encoder, and what a checkpoint holds."""

from collections import Counter
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from clir_ot import CLIRDataModule, HybridBatchRanker, OTDistillation, TeacherRanker, TokenEncoder
from clir_ot.data.batches import BitextBatch, RankingBatch
from clir_ot.data.training_batches import TrainingBatches
from clir_ot.errors import UserError
from clir_ot.models import maxsim as maxsim_module
from clir_ot.models.maxsim import maxsim
from clir_ot.models.transport import transport_loss
from tests.training import quiet_trainer


def train(module: pl.LightningModule, data: CLIRDataModule, folder: Path, **options) -> pl.Trainer:
    trainer = quiet_trainer(folder, **options)
    trainer.fit(module, data)
    return trainer


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in module.named_parameters()}


def test_distillation_brings_the_student_to_the_teachers_vectors(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    pl.seed_everything(0)
    module = OTDistillation(str(teacher_folder), learning_rate=5e-3, freeze_word_embeddings=False)
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, english_share=0.1, batch_size=12)
    before = snapshot(module.teacher)

    def held_out_cost() -> float:
        collection = data.collection
        queries = [collection.judged("test", language)[0] for language in ("en", "yo")]
        tokens = [module.tokenizer.queries(list(texts.values())) for texts in queries]
        module.encoder.eval()
        with torch.no_grad():
            vectors = module.teacher(tokens[0]), module.encoder(tokens[1])
        module.encoder.train()
        return float(transport_loss(*vectors, tokens[0].mask, tokens[1].mask))

    at_first = held_out_cost()
    train(module, data, tmp_path, max_epochs=30)
    assert held_out_cost() < 0.5 * at_first
    after = snapshot(module.teacher)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not module.teacher.training


def test_the_teacher_learns_which_document_a_query_is_from(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    pl.seed_everything(0)
    module = TeacherRanker(str(encoder_folder), dimensions=16, learning_rate=5e-3, temperature=0.05)
    data = CLIRDataModule(collection_folder, "en", batch_size=12)
    trainer = train(module, data, tmp_path, max_epochs=40)
    assert trainer.callback_metrics["train/in_batch_accuracy"] > 0.8


def test_the_hybrid_ranker_trains_on_mixed_batches(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    module = HybridBatchRanker(str(encoder_folder), dimensions=8)
    data = CLIRDataModule(collection_folder, ["en", "yo", "sw"], alpha=0.5, batch_size=6)
    before = snapshot(module)
    train(module, data, tmp_path, max_steps=4)
    after = snapshot(module)
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_the_hybrid_ranker_learns_from_bitext_too(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    pl.seed_everything(0)
    module = HybridBatchRanker(str(encoder_folder), dimensions=16, learning_rate=5e-3, temperature=0.05, dropout=False)
    data = CLIRDataModule(collection_folder, "en,yo", bitext_rate=0.5, batch_size=12)
    data.setup("fit")
    kinds = Counter(plan.kind for plan in data.sampler(module.tokenizer))
    assert kinds.keys() == {"bitext", "monolingual"}

    def found() -> float:
        """How many Yoruba sentences of the bitext find their English one."""
        pairs = data.texts.bitext["yo"]
        english, foreign = (module.tokenizer.queries([pair[side] for pair in pairs]) for side in (0, 1))
        with torch.no_grad():
            scores = maxsim(module.encoder(foreign), module.encoder(english), foreign.mask, english.mask)
        return (scores.argmax(dim=1) == torch.arange(len(scores))).float().mean().item()

    before = found()
    train(module, data, tmp_path, max_epochs=20)
    assert found() > before + 0.5


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_a_student_is_taught_by_bitext_alone(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, rate: float
) -> None:
    data = CLIRDataModule(collection_folder, "en,yo", bitext_rate=rate, batch_size=6)
    with pytest.raises(UserError, match=rf"^data\.bitext_rate is {rate}, but a student is taught by bitext alone"):
        train(OTDistillation(str(teacher_folder)), data, tmp_path, max_steps=1)


def test_a_dense_teacher_is_refused(encoder_folder: Path, tmp_path: Path) -> None:
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8, scoring="dense").save_pretrained(tmp_path / "dense")
    with pytest.raises(UserError, match=r"dense: was trained with scoring dense, but token vectors"):
        OTDistillation(str(tmp_path / "dense"))


@pytest.mark.parametrize(
    ("languages", "options", "weight"),
    [
        ("en", {}, "block"),
        ("en", {}, "correlation"),
        ("en,yo", {"alpha": 1.0}, "block"),
        ("en,yo", {"alpha": 1.0}, "correlation"),
        ("en,yo", {"alpha": 1.0, "bitext_rate": 0.5}, "block"),
    ],
)
def test_a_language_loss_that_would_always_be_0_is_refused(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, languages: str, options: dict, weight: str
) -> None:
    name = f"language_{weight}_weight"
    module = TeacherRanker(str(encoder_folder), dimensions=8, **{name: 0.5})
    data = CLIRDataModule(collection_folder, languages, batch_size=6, **options)
    with pytest.raises(UserError, match=rf"^model\.{name} is 0\.5, but no batch has documents of several languages"):
        train(module, data, tmp_path, max_steps=1)


@pytest.mark.parametrize(
    ("options", "weight"),
    [({"alpha": 0.5}, "block"), ({"mode": "X-X"}, "block"), ({"alpha": 1.0, "bitext_rate": 0.5}, "correlation")],
)
def test_a_language_loss_is_read_where_languages_meet(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, options: dict, weight: str
) -> None:
    module = HybridBatchRanker(str(encoder_folder), dimensions=8, **{f"language_{weight}_weight": 0.5})
    data = CLIRDataModule(collection_folder, "en,yo", batch_size=6, **options)
    trainer = train(module, data, tmp_path, max_epochs=2)
    assert f"train/language_{weight}" in trainer.callback_metrics


def test_a_cost_that_nothing_reads_is_refused(teacher_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    module = OTDistillation(str(teacher_folder), alignment="mse", cost="sqeuclidean")
    with pytest.raises(UserError, match=r"^model\.cost is sqeuclidean, but nothing reads it"):
        train(module, CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=6), tmp_path, max_steps=1)
    english = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, english_share=0.3, batch_size=6)
    assert train(module, english, tmp_path, max_steps=1).global_step == 1
    module = OTDistillation(str(teacher_folder), alignment="nearest", cost="sqeuclidean")
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=6)
    assert train(module, data, tmp_path, max_steps=1).global_step == 1


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_chunks_of_texts_and_scores_change_neither_loss_nor_gradient(
    encoder_folder: Path, collection_folder: Path, monkeypatch: pytest.MonkeyPatch, scoring: str
) -> None:
    """GradCache through the ranker's loss, not of the encoder alone, with MaxSim in blocks."""
    data = CLIRDataModule(collection_folder, "en,yo", alpha=0.0, batch_size=9)
    data.setup("fit")
    found = []
    for chunk, limit in ((None, 2**24), (2, 2**9)):
        monkeypatch.setattr(maxsim_module, "_MAX_SIMILARITIES", limit)
        torch.manual_seed(0)
        module = HybridBatchRanker(
            str(encoder_folder),
            dimensions=8,
            dropout=False,
            scoring=scoring,
            chunk_rows=chunk,  # type: ignore[arg-type]
        )
        monkeypatch.setattr(module, "log_step", lambda values, rows: None)
        plan = next(iter(data.sampler(module.tokenizer)))
        loss = module.training_step(TrainingBatches(data.texts, module.tokenizer, None, 0)[plan], 0)
        loss.backward()
        gradient = torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])
        found.append((loss.detach(), gradient))
    assert found[0][1].norm() > 1e-3
    assert torch.allclose(found[0][0], found[1][0], rtol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-4, atol=1e-6 * float(found[0][1].norm()))


def test_every_epoch_has_its_own_batches(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    """Lightning tells the sampler the epoch; what is trained on is what the sampler draws for it."""

    class Ids(pl.Callback):
        def __init__(self) -> None:
            self.epochs: dict[int, list[list[str]]] = {}

        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
            self.epochs.setdefault(trainer.current_epoch, []).append(batch.ids)

    ids = Ids()
    module = TeacherRanker(str(encoder_folder), dimensions=8)
    data = CLIRDataModule(collection_folder, "en", batch_size=6)
    train(module, data, tmp_path, max_epochs=3, callbacks=[ids])
    assert [len(batches) for batches in ids.epochs.values()] == [6, 6, 6]
    sampler = data.sampler(module.tokenizer)
    for epoch, batches in ids.epochs.items():
        sampler.set_epoch(epoch)
        assert batches == [[row.item for row in plan.rows] for plan in sampler]
    assert ids.epochs[0] != ids.epochs[1]
    assert ids.epochs[1] != ids.epochs[2]


def test_a_checkpoint_holds_what_is_trained_and_nothing_frozen(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    module = OTDistillation(str(teacher_folder))
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=12)
    trainer = train(module, data, tmp_path, max_steps=1)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    saved = torch.load(tmp_path / "last.ckpt", weights_only=False)["state_dict"]
    assert saved.keys() == {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    assert not any("word_embeddings" in name or name.startswith("teacher") for name in saved)
    fresh = OTDistillation(str(teacher_folder))
    fresh.load_state_dict(saved, strict=False)
    assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), module.parameters(), strict=True))


def test_a_sentence_beside_itself_costs_nothing_at_the_start_and_a_translation_does(
    teacher_folder: Path, collection_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = OTDistillation(str(teacher_folder))
    logged: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(module, "log_step", lambda values, rows: logged.update(values))
    english = module.tokenizer.queries(["bara desil fitem", "govu kuzo"])
    repeated = torch.eye(2, dtype=torch.bool)
    loss = module.training_step(BitextBatch(english, english, ["en", "en"], repeated, ["yo:1", "yo:2"]), 0)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    english = module.tokenizer.queries(["govu kuzo", "bara desil fitem"])
    foreign = module.tokenizer.queries(["xuvog", "bara desil fitem"])
    mixed = module.training_step(BitextBatch(english, foreign, ["yo", "en"], repeated, ["yo:1", "yo:2"]), 0)
    assert mixed.item() > 0.01
    assert logged["english"].item() == pytest.approx(0, abs=1e-5)
    assert logged["ot"].item() > 0.01


def test_the_saved_student_lies_between_teacher_and_trained_student(teacher_folder: Path) -> None:
    module = OTDistillation(str(teacher_folder), interpolation=0.25)
    with torch.no_grad():
        module.encoder.projection.weight += 1.0
    saved = module.query_encoder()
    assert torch.allclose(saved.projection.weight, module.teacher.projection.weight + 0.25)
    assert torch.allclose(module.encoder.projection.weight, module.teacher.projection.weight + 1.0)
    with pytest.raises(UserError, match=r"model\.interpolation is 0"):
        OTDistillation(str(teacher_folder), interpolation=0)


@pytest.mark.parametrize("dropout", [True, False])
def test_dropout_is_as_asked_for(encoder_folder: Path, dropout: bool) -> None:
    module = TeacherRanker(str(encoder_folder), dropout=dropout)
    tokens = module.tokenizer.queries(["bara desil fitem"])
    assert torch.equal(module.encoder(tokens), module.encoder(tokens)) is not dropout


def test_one_index_serves_teacher_and_student(teacher_folder: Path) -> None:
    module = OTDistillation(str(teacher_folder))
    assert module.document_encoder is module.teacher
    assert all(not parameter.requires_grad for parameter in module.teacher.parameters())


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_divergence_stops_with_step_ids_and_checkpoint(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, where: str
) -> None:
    class Diverging(TeacherRanker):
        def training_step(self, batch: RankingBatch, batch_idx: int) -> torch.Tensor:
            loss = super().training_step(batch, batch_idx)
            if self.global_step < 2:
                return loss
            # The square root's slope at 0 is infinite, its value is not.
            return loss * torch.nan if where == "loss" else loss + (0.0 * loss).sqrt()

    data = CLIRDataModule(collection_folder, "en", batch_size=12)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    said = "the loss is nan" if where == "loss" else "the gradient's norm is (nan|inf)"
    ids = r"in the batch of d\d+\.\d(, d\d+\.\d){11}; the last good checkpoint is .*last\.ckpt"
    with pytest.raises(UserError, match=f"^step 2: {said}, {ids}"):
        train(Diverging(str(encoder_folder), dimensions=8), data, tmp_path, max_epochs=2)
