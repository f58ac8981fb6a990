"""The encoder: a multilingual transformer, a linear projection, L2-normalised vectors, one a token or one a text.

B texts, N tokens, V vectors of a text (N, or 1), H hidden size of the transformer, D dimensions of a vector.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

from clir_ot.data.batches import Tokens
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.errors import UserError
from clir_ot.models.encoder_folder import save_parts
from clir_ot.models.encoder_parts import Parts, load_parts
from clir_ot.models.layout import Pooling, Scoring


class TokenEncoder(nn.Module):
    """Any Hugging Face encoder with a projection on top, ColBERT's architecture (Khattab & Zaharia 2020, section 3.2).

    Attributes:
        transformer: gives (B, N, H) hidden states.
        projection: H -> D, without bias where it was trained here.
        tokenizer: text to tokens, with the prefixes and lengths that the encoder was trained with.
        scoring: `late` interaction over token vectors, or `dense`: one vector a text.
        pooling: what `dense` projects: the mean hidden state, or the first token's (`cls`).
        activation: behind the projection; nothing where it was trained here.
    """

    def __init__(
        self,
        transformer: Any,
        projection: nn.Linear,
        tokenizer: TextTokenizer,
        scoring: Scoring = "late",
        pooling: Pooling = "mean",
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.transformer: Any = transformer
        self.projection = projection
        self.tokenizer = tokenizer
        self.scoring: Scoring = scoring
        self.pooling: Pooling = pooling
        self.activation = activation or nn.Identity()

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        dimensions: int | None = None,
        query_prefix: str = "",
        document_prefix: str = "",
        query_length: int = 64,
        document_length: int = 256,
        scoring: Scoring = "late",
    ) -> Self:
        """Load a trained encoder: a folder, or a name on the hub; what is read is in `published_layouts`.

        The keyword arguments are for training, which may start from any Hugging Face encoder: one without projection
        gets a new one. A trained encoder brings its own settings and ignores them.

        Args:
            dimensions: of a new projection; None refuses an encoder that needs one.

        Raises:
            UserError: no such folder or model, or files missing in it or damaged; no trained projection; settings that
                cannot be honoured; a length above what the encoder reads.
        """
        texts = query_prefix, document_prefix, query_length, document_length
        return cls(*load_parts(name, dimensions, *texts, scoring))

    @property
    def settings(self) -> dict[str, Any]:
        """The values of `from_pretrained`'s keyword arguments: its own where it was saved."""
        texts = ("query_prefix", "document_prefix", "query_length", "document_length")
        own = {"dimensions": self.projection.out_features, "scoring": self.scoring}
        return own | {name: getattr(self.tokenizer, name) for name in texts}

    def save_pretrained(self, folder: str | Path, card: Callable[[Path], str] | None = None) -> None:
        """Write a Hugging Face folder, the projection in sentence-transformers' layout, whole or not at all.

        Args:
            folder: to write, or to replace.
            card: makes the text of its README.md, given the folder with everything else in it.
        """
        parts = self.transformer, self.projection, self.tokenizer, self.scoring, self.pooling, self.activation
        save_parts(Path(folder), Parts(*parts), card)

    def vectors(self, tokens: Tokens, chunk: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """What a text is scored by: unit vectors (B, V, D), and a mask (B, V) that is True on them.

        Dense scoring is MaxSim of one vector with one vector: the projection of the pooled hidden states.

        Args:
            tokens: of B texts.
            chunk: encode that many texts at a time and keep their vectors alone; backwards, each chunk is encoded once
                more. The memory of a contrastive batch is then that of a chunk, its gradient the same (GradCache: Gao
                et al. 2021).
        """
        if chunk is None or len(tokens.input_ids) <= chunk:
            return self._vectors(tokens)
        starts = range(0, len(tokens.input_ids), chunk)
        parts = [checkpoint(self._vectors, tokens[slice(i, i + chunk)], use_reentrant=False) for i in starts]
        return torch.cat([vectors for vectors, _ in parts]), torch.cat([mask for _, mask in parts])

    def _vectors(self, tokens: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
        if self.scoring == "late":
            return self(tokens), tokens.mask
        hidden = self._hidden(tokens)  # (B, N, H)
        mask = tokens.attention_mask
        means = (hidden * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)  # (B, H)
        pooled = hidden[:, 0] if self.pooling == "cls" else means
        ones = torch.ones(len(pooled), 1, dtype=torch.bool, device=pooled.device)
        return self._unit(pooled)[:, None], ones

    def forward(self, tokens: Tokens) -> torch.Tensor:
        """Unit-length token vectors, (B, N, D); zeros where `tokens.mask` is False."""
        return self._unit(self._hidden(tokens)) * tokens.attention_mask[..., None]

    def _unit(self, states: torch.Tensor) -> torch.Tensor:
        """(..., H) -> (..., D) of length 1."""
        return F.normalize(self.activation(self.projection(states)), dim=-1)

    def _hidden(self, tokens: Tokens) -> torch.Tensor:
        """(B, N, H); anything on padding. Texts of like length are read together: padding costs as much."""
        groups = tokens.groups()
        if len(groups) == 1:
            return self._states(tokens.input_ids, tokens.attention_mask)
        parts = []
        for rows in groups:
            n = tokens.lengths[rows[0]]
            states = self._states(tokens.input_ids[rows, :n], tokens.attention_mask[rows, :n])
            parts.append(F.pad(states, (0, 0, 0, tokens.input_ids.shape[1] - n)))
        order = [row for rows in groups for row in rows]
        return torch.cat(parts)[torch.tensor(order).argsort().to(tokens.input_ids.device)]

    def _states(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states

    def freeze(self, *, word_embeddings: bool, layers: int) -> None:
        """Stop the gradient of the word embedding table, and of everything up to the first `layers` blocks.

        Raises:
            UserError: the transformer has fewer blocks, or keeps them elsewhere than BERT and XLM-R do.
        """
        if word_embeddings:
            self.transformer.get_input_embeddings().requires_grad_(False)
        if layers:
            blocks = getattr(getattr(self.transformer, "encoder", None), "layer", None)
            if blocks is None:
                raise UserError("model.frozen_layers works for encoders laid out as BERT is; set it to 0 for this one")
            if layers > len(blocks):
                raise UserError(f"model.frozen_layers is {layers}; the encoder has {len(blocks)} layers")
            self.transformer.embeddings.requires_grad_(False)
            blocks[:layers].requires_grad_(False)
