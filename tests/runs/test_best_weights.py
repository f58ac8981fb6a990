"""The best epoch's weights, not the last one's."""

from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

from clir_ot import CLIRDataModule, TeacherRanker
from clir_ot.errors import UserError
from clir_ot.runs.best_weights import BestWeights
from clir_ot.tracking.dev_retrieval import DevRetrieval
from tests.training import quiet_trainer

MONITOR = "dev/en/MRR@10"


class Scripted(DevRetrieval):
    """Figures as given, epoch by epoch; keeps the weights they stand for."""

    def __init__(self, figures: list[float]) -> None:
        super().__init__()
        self.figures, self.weights = figures, []

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        pl_module.log(MONITOR, self.figures[trainer.current_epoch])
        self.weights.append(pl_module.encoder.projection.weight.detach().clone())


def train(encoder: Path, collection: Path, callbacks: list[pl.Callback], folder: Path) -> TeacherRanker:
    module = TeacherRanker(str(encoder), dimensions=8, learning_rate=1e-2)
    trainer = quiet_trainer(folder, callbacks=callbacks, max_epochs=4)
    trainer.fit(module, CLIRDataModule(collection, "en", batch_size=12))
    return module


@pytest.mark.parametrize(
    ("figures", "best"), [([0.2, 0.5, 0.5, 0.1], 2), ([0.1, 0.2, 0.3, 0.4], 4), ([0.0, 0.0, 0.0, 0.0], 1)]
)
def test_the_weights_of_the_earliest_best_epoch_are_restored(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, figures: list[float], best: int
) -> None:
    scripted, kept = Scripted(figures), BestWeights(tmp_path / "best.pt", MONITOR)
    module = train(encoder_folder, collection_folder, [scripted, kept], tmp_path)
    assert not torch.equal(scripted.weights[0], scripted.weights[1])
    # A resumed process knows it from the checkpoint.
    resumed = BestWeights(tmp_path / "best.pt", MONITOR)
    resumed.load_state_dict(kept.state_dict())
    assert resumed.restore(module) == {"epoch": best, "value": pytest.approx(figures[best - 1])}
    assert torch.equal(module.encoder.projection.weight, scripted.weights[best - 1])


def test_a_figure_that_is_not_logged_is_named_before_training(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path
) -> None:
    best = BestWeights(tmp_path / "best.pt", "dev/yo/MRR@10")
    with pytest.raises(UserError, match=r"monitor is dev/yo/MRR@10, which is not logged; there are: dev/en/MRR@10$"):
        train(encoder_folder, collection_folder, [DevRetrieval(), best], tmp_path)
    with pytest.raises(UserError, match="has no DevRetrieval"):
        train(encoder_folder, collection_folder, [best], tmp_path)
