"""What the three systems share: a token encoder that is trained, its optimizer, its checkpoints."""

import math
import os
import shutil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from transformers import get_linear_schedule_with_warmup

from clir_ot.data.batches import BitextBatch, RankingBatch
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError, require, require_share
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.gather import from_all


class Ranker(pl.LightningModule):
    """A LightningModule around one trained `TokenEncoder`.

    Args:
        encoder: trained in place; frozen parts as the next two say.
        freeze_word_embeddings: keep the word embedding table as it is (most parameters of a small multilingual
            encoder; its rows see few updates in a few thousand sentences).
        frozen_layers: keep that many lower blocks as well.
        dropout: train with the encoder's dropout; without is faster and smaller, and right for few epochs.
        learning_rate: peak of AdamW's, reached after the warm-up, then linearly to 0.
        weight_decay: AdamW's, on matrices only.
        warmup_share: of all optimizer steps.
        compiled: train the transformer through `torch.compile`; the same up to rounding, and minutes to begin.

    Raises:
        UserError: a learning rate, weight decay or share that cannot be one.
    """

    def __init__(
        self,
        encoder: TokenEncoder,
        freeze_word_embeddings: bool,
        frozen_layers: int,
        dropout: bool,
        learning_rate: float,
        weight_decay: float,
        warmup_share: float,
        compiled: bool,
    ) -> None:
        require("model.learning_rate", learning_rate, above=0)
        require("model.weight_decay", weight_decay, least=0)
        require_share("model.warmup_share", warmup_share)
        require("model.frozen_layers", frozen_layers, least=0)
        encoder.tokenizer.check_lengths()
        super().__init__()
        self.encoder = encoder
        self.encoder.freeze(word_embeddings=freeze_word_embeddings, layers=frozen_layers)
        # from_pretrained leaves eval mode, and Lightning keeps the mode it finds. Dropout is all that the mode changes.
        self.encoder.train(dropout)
        self.compiled = compiled
        if compiled:
            self.encoder.transformer.compile(dynamic=True)  # batches differ in length
        self.learning_rate, self.weight_decay, self.warmup_share = learning_rate, weight_decay, warmup_share
        # A checkpoint holds what is trained; the rest is where it was loaded from.
        self.strict_loading = False
        self._batch_ids: list[str] = []
        self._gradient_norm = torch.zeros(())

    @property
    def tokenizer(self) -> TextTokenizer:
        """With which the DataModule makes this system's batches."""
        return self.encoder.tokenizer

    @property
    def document_encoder(self) -> TokenEncoder:
        """The encoder of the document side."""
        return self.encoder

    def query_encoder(self) -> TokenEncoder:
        """The encoder of the query side as it would be saved now."""
        return self.encoder

    def configure_optimizers(self) -> Any:
        """AdamW, with warm-up and linear decay a step."""
        trained = [p for p in self.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": self.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.learning_rate, fused=True)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = get_linear_schedule_with_warmup(optimizer, int(self.warmup_share * steps), steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_model(self) -> None:
        """See that there is what compiles on a CPU, before anything slow begins.

        Raises:
            UserError: no C++ compiler.
        """
        compiler = os.environ.get("CXX", "g++")
        if self.compiled and self.trainer.strategy.root_device.type == "cpu" and not shutil.which(compiler):
            raise UserError(
                f"model.compiled needs a C++ compiler on a CPU, and there is no {compiler}; set it to false"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Leave frozen weights out, except where Lightning's `WeightAveraging` has put all of the average there."""
        if "averaging_state" in checkpoint:
            return
        trained = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        checkpoint["state_dict"] = {k: v for k, v in checkpoint["state_dict"].items() if k in trained}

    def on_train_batch_start(self, batch: RankingBatch | BitextBatch, batch_idx: int) -> None:
        """Remember what to name if training diverges on it."""
        self._batch_ids = batch.ids

    def on_before_backward(self, loss: torch.Tensor) -> None:
        """Stop before a loss that is not finite spoils the weights."""
        # On all ranks or on none: one that stopped alone would leave the others waiting for its gradient.
        if self.trainer.strategy.reduce_boolean_decision(not bool(loss.isfinite()), all=False):
            losses = from_all(loss.item())
            worst = next(value for value in losses if not math.isfinite(value))
            raise self._diverged(f"the loss is {worst}")

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the norm of the gradient before it is clipped, and stop where it is not finite."""
        gradients = [p.grad for p in _trained_by(optimizer) if p.grad is not None]
        self._gradient_norm = norm = torch.nn.utils.get_total_norm(gradients)
        # Half precision scales its loss by trial and error, and skips such a step by itself.
        # Ranks have the same gradient here, so they stop together.
        if not norm.isfinite() and self.trainer.precision != "16-mixed":
            raise self._diverged(f"the gradient's norm is {norm.item()}")
        self.log("train/gradient_norm", norm)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: int | float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip as the trainer says; by the norm that has just been logged, which takes as long as AdamW's step."""
        if not gradient_clip_val or gradient_clip_algorithm == "value":
            super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif self._gradient_norm > gradient_clip_val - 1e-5:  # else all gradients would be multiplied by 1
            torch.nn.utils.clip_grads_with_norm_(_trained_by(optimizer), gradient_clip_val, self._gradient_norm)

    def _diverged(self, what: str) -> UserError:
        """What to raise, on every rank at once: the batch is that of all of them."""
        ids = dict.fromkeys(name for own in from_all(self._batch_ids) for name in own)
        checkpoint = Path(self.trainer.default_root_dir) / "checkpoints" / "last.ckpt"
        kept = f"the last good checkpoint is {checkpoint}" if checkpoint.is_file() else "there is no checkpoint yet"
        return UserError(
            f"step {self.global_step}: {what}, in the batch of {', '.join(ids)}; {kept}; lower "
            "model.learning_rate, or raise trainer.precision"
        )

    def part(self, own: int, total: int) -> float:
        """What to multiply a mean over own rows by, so that the mean of all ranks is that over all ranks' rows."""
        return own * (self._trainer.world_size if self._trainer else 1) / max(1, total)

    def log_step(self, values: dict[str, torch.Tensor], rows: int) -> None:
        """Log scalars of a training step, averaged over ranks, and the learning rate under `train/`."""
        self.log("train/learning_rate", self.trainer.optimizers[0].param_groups[0]["lr"])
        for name, value in values.items():
            self.log(f"train/{name}", value, prog_bar=name == "loss", batch_size=rows, sync_dist=True)


def _trained_by(optimizer: torch.optim.Optimizer) -> list[torch.nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
