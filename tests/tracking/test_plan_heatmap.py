"""What the callback logs, on the tiny encoder."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
from pytorch_lightning.loggers import WandbLogger

from clir_ot import CLIRDataModule, OTDistillation
from clir_ot.pictures.canvas import pixels
from clir_ot.pictures.plan_picture import plan_figure
from clir_ot.tracking.plan_heatmap import PlanHeatmap, solve_plans
from tests.training import quiet_trainer


class Recorded(WandbLogger):
    """Keeps what is logged; no Weights & Biases process."""

    def __init__(self, folder: Path) -> None:
        super().__init__(save_dir=folder, offline=True)
        self.values: list[tuple[int | None, dict[str, float]]] = []
        self.pictures: list[tuple[str, np.ndarray]] = []

    @property
    def experiment(self) -> None: ...

    def log_metrics(self, metrics, step=None) -> None:
        self.values.append((step, dict(metrics)))

    def log_image(self, key, images, step=None, **options) -> None:
        self.pictures.append((key, images[0]))

    def log_hyperparams(self, *arguments, **options) -> None: ...
    def after_save_checkpoint(self, *arguments) -> None: ...
    def finalize(self, status) -> None: ...


@pytest.fixture
def module(teacher_folder: Path) -> OTDistillation:
    return OTDistillation(str(teacher_folder), learning_rate=5e-3, freeze_word_embeddings=False)


def test_scalars_before_and_after_every_epoch_and_pictures_after(
    module: OTDistillation, collection_folder: Path, tmp_path: Path
) -> None:
    pl.seed_everything(0)
    logger = Recorded(tmp_path)
    data = CLIRDataModule(collection_folder, "yo", bitext_rate=1.0, batch_size=12)
    trainer = quiet_trainer(tmp_path, logger=logger, callbacks=[PlanHeatmap(pairs=2)], max_epochs=4)
    trainer.fit(module, data)
    logged = [(step, values) for step, values in logger.values if "plans/yo/entropy" in values]
    assert [step for step, _ in logged] == [0, *range(3, 13, 3)]
    assert all(values.keys() == {"plans/yo/entropy", "plans/yo/residual"} for _, values in logged)
    assert all(0 <= values["plans/yo/residual"] < 0.1 for _, values in logged)
    entropies = [values["plans/yo/entropy"] for _, values in logged]
    assert all(0.5 - 1e-6 <= entropy <= 1 for entropy in entropies)
    assert entropies[-1] < entropies[0]
    assert [key for key, _ in logger.pictures] == ["plans/yo/1", "plans/yo/2"] * 4
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for _, picture in logger.pictures)


def test_plans_are_of_the_real_tokens_and_leave_the_module_as_it_was(module: OTDistillation) -> None:
    module.encoder.train()
    plans, residual = solve_plans(module, ["bara desil", "fitem"], ["xarab xlised xmetif", "xmetif"])
    assert [(rows, columns) for _, rows, columns in plans] == [
        (["bara", "desil"], ["xarab", "xlised", "xmetif"]),
        (["fitem"], ["xmetif"]),
    ]
    assert [plan.shape for plan, _, _ in plans] == [(2, 3), (1, 1)]
    assert all(plan.sum() == pytest.approx(1, abs=1e-5) for plan, _, _ in plans)
    assert 0 <= residual < 0.1
    assert module.encoder.training


def test_the_picture_shows_where_the_mass_is() -> None:
    figure, missing = plan_figure(np.array([[0.5, 0.0], [0.0, 0.5]]), ["a", "$b$"], ["ẹ́", "d"], "title", ("x", "y"))
    picture = pixels(figure)
    assert missing == ""
    assert picture.dtype == np.uint8

    def brightness(row: int, column: int) -> float:
        x, y = figure.axes[0].transData.transform((column, row))
        return float(picture[picture.shape[0] - int(y), int(x)].mean())

    assert max(brightness(0, 0), brightness(1, 1)) < 100 < 200 < min(brightness(0, 1), brightness(1, 0))
