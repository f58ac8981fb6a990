"""Pretrained transformers, from a folder or the hub, and what cannot be loaded in one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from clir_ot.errors import UserError


def load_transformer(name: str | Path) -> Any:
    """Of a Hugging Face folder or a name on the hub, in float32, without its pooler.

    Raises:
        UserError: no encoder there, or one that cannot be had, or weights missing in it.
    """
    from transformers import AutoModel

    try:
        with quietly():
            transformer, report = AutoModel.from_pretrained(name, output_loading_info=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise UserError(_not_loaded(name, error)) from error
    # Late interaction reads token states; a pooler would be a random, unused layer (and DDP refuses unused ones).
    transformer.pooler = None
    if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler")):
        raise UserError(f"{name}: the weights lack {len(missing)} tensor(s), {missing[0]} first; is the folder whole?")
    return transformer


def check_lengths(name: str | Path, transformer: Any, lengths: Mapping[str, int]) -> None:
    """Refuse `{query_length: tokens, ...}` that the transformer has no positions for.

    Raises:
        UserError: a length is above what it reads.
    """
    positions = getattr(transformer.config, "max_position_embeddings", None)
    if positions is None:
        return  # relative positions: any length
    table = getattr(getattr(transformer, "embeddings", None), "position_embeddings", None)
    if (padding := getattr(table, "padding_idx", None)) is not None:
        positions -= padding + 1  # XLM-R counts from behind the padding's number
    for option, length in lengths.items():
        if length > positions:
            raise UserError(f"model.{option} is {length}; {name} reads {positions} tokens at most")


def _not_loaded(name: str | Path, error: Exception) -> str:
    from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError

    reason = str(error).splitlines()[0]
    if isinstance(error.__cause__, GatedRepoError):
        return (
            f"{name}: its owners ask you to accept their terms: do so at https://huggingface.co/{name}, run "
            "`hf auth login`, then again"
        )
    if isinstance(error.__cause__, LocalEntryNotFoundError):
        return f"{name}: no such folder, and the hub cannot be reached ({reason}); check name and network"
    return f"{name}: no encoder there, neither a Hugging Face folder nor a hub name ({reason})"


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' bars and its report on missing weights, which is checked here."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
