"""Training in a test."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl


def quiet_trainer(folder: Path | str, **options: Any) -> pl.Trainer:
    """A trainer on the processor that says, logs and saves nothing of its own.

    Args:
        folder: its `default_root_dir`.
        options: of the trainer, in place of these and beside them.
    """
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    own = {"accelerator": "cpu", "enable_checkpointing": False, "use_distributed_sampler": False}
    return pl.Trainer(default_root_dir=folder, **{**quiet, **own, **options})
