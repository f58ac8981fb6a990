"""Pretrained transformers, out of a folder, and what cannot be loaded in one line."""

import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from clir_ot.errors import UserError
from clir_ot.models.folder_files import check_files, read_object

# What transformers, torch and tokenizers raise at folders that they cannot read.
_UNREADABLE = (
    OSError, ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, NotImplementedError, EOFError,
    pickle.UnpicklingError, SafetensorError, StrictDataclassError,
)  # fmt: skip
_ROUNDING = 1e-6
# Where a numbered block of the transformer stands in the name of a weight; heads beside the encoder have none.
_BLOCK = re.compile(r"(?:^|\.)(?:layers?|blocks?|h|groups|albert_layer_groups)\.\d+\.")


def check_kind(folder: Path, name: str | Path) -> None:
    """See that a folder holds an encoder that transformers reads by itself, before anything large is loaded.

    Raises:
        UserError: there is none; an adapter; a model that comes with code of its own.
    """
    if (folder / "adapter_config.json").is_file():
        base = read_object(folder / "adapter_config.json").get("base_model_name_or_path")
        raise UserError(
            f"{name}: a PEFT adapter (adapter_config.json) of {base}, no whole encoder; merge the two with peft's "
            "merge_and_unload, and save tokenizer and model into one folder"
        )
    if not (folder / "config.json").is_file():
        inside = Path(name) / "encoder"
        hint = f"did you mean {inside}?" if inside.is_dir() else "give a Hugging Face folder, or a name on the hub"
        raise UserError(f"{name}: no encoder there (no config.json); {hint}")
    for file in ("config.json", "tokenizer_config.json"):
        if "auto_map" in read_object(folder / file):
            raise UserError(
                f"{folder / file}: auto_map names code that comes with the model, and clir-ot runs none; choose an "
                "encoder that transformers reads by itself"
            )


def load_transformer(folder: Path, name: str | Path) -> Any:
    """Of a Hugging Face folder, in float32, without its pooler; of T5 and its kin the encoder alone.

    Args:
        folder: with config.json.
        name: what messages call it.

    Raises:
        UserError: no encoder there, or one that cannot be had, or weights missing in it.
    """
    from transformers import MODEL_FOR_TEXT_ENCODING_MAPPING, AutoModel, AutoModelForTextEncoding

    check_kind(folder, name)
    check_files(folder)
    config = _load_config(folder, name)
    of_text = type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING
    if config.is_encoder_decoder and not of_text:
        raise UserError(
            f"{name}: an encoder-decoder ({config.model_type}); clir-ot reads T5's kin alone; choose an encoder"
        )
    try:
        with quietly():
            transformer, report = (AutoModelForTextEncoding if of_text else AutoModel).from_pretrained(
                folder, config=config, output_loading_info=True, dtype=torch.float32, local_files_only=True
            )
    except ImportError as error:
        raise UserError(f"{name}: needs a package that is not installed ({first_line(error)})") from error
    except _UNREADABLE as error:
        raise UserError(f"{name}: transformers cannot load it ({first_line(error)}); is the folder whole?") from error
    # Late interaction reads token states; a pooler would be a random, unused layer (and DDP refuses unused ones).
    transformer.pooler = None
    if missing := sorted(key for key in report["missing_keys"] if not key.startswith("pooler")):
        raise UserError(
            f"{name}: the weights lack {len(missing)} tensor(s) of the encoder, {missing[0]} first, which would be "
            "random; is the folder whole?"
        )
    parts = {part for part, _ in transformer.named_children()} | {transformer.base_model_prefix}
    for key in sorted(report["unexpected_keys"]):
        if key == "linear.weight" or (key.split(".")[0] in parts and _BLOCK.search(key)):
            raise UserError(
                f"{name}: its weights have {key}, which {type(transformer).__name__} with its config.json has no place "
                "for; config.json is another model's"
            )
    return transformer


def hidden_size(transformer: Any, name: str | Path) -> int:
    """H, found by reading a few tokens.

    Raises:
        UserError: the transformer does not give a state for every token, or one that does not know what follows.
    """
    try:
        rows = transformer.get_input_embeddings().weight.shape[0]
        ids = torch.tensor([[0, 1, 2, 3, 4], [0, 1, 2, 3, 5]]) % rows
        with torch.no_grad():
            states = transformer(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        if states.shape[:2] != ids.shape:
            raise ValueError(f"{ids.shape[1]} tokens became {states.shape[1]} states")
    except _UNREADABLE as error:
        raise UserError(
            f"{name}: {type(transformer).__name__} does not give a state for every token of a text "
            f"({first_line(error)}); mend config.json, or choose an encoder of text"
        ) from error
    first, other = states[:, 0]
    if (first - other).abs().max() <= _ROUNDING * first.abs().max():
        raise UserError(
            f"{name}: {type(transformer).__name__} is a decoder: its tokens do not know what follows them; choose an "
            "encoder"
        )
    return int(states.shape[2])


def longest_text(transformer: Any) -> int | None:
    """Tokens that the transformer has positions for; None for any number, as with relative positions."""
    positions: int | None = getattr(transformer.config, "max_position_embeddings", None)
    if positions is None or positions < 0:  # XLNet says -1
        return None
    table = getattr(getattr(transformer, "embeddings", None), "position_embeddings", None)
    if (padding := getattr(table, "padding_idx", None)) is not None:
        positions -= padding + 1  # XLM-R counts from behind the padding's number
    return positions


def check_lengths(name: str | Path, transformer: Any, lengths: Mapping[str, int]) -> None:
    """Refuse `{query_length: tokens, ...}` that the transformer has no positions for.

    Raises:
        UserError: a length is above what it reads.
    """
    positions = longest_text(transformer)
    for option, length in lengths.items():
        if positions is not None and length > positions:
            raise UserError(f"model.{option} is {length}; {name} reads {positions} tokens at most")


def _load_config(folder: Path, name: str | Path) -> Any:
    from transformers import AutoConfig

    try:
        with quietly():
            return AutoConfig.from_pretrained(folder, local_files_only=True)
    except _UNREADABLE as error:
        raise UserError(f"{name}: config.json is of no model that transformers knows ({first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """Of what a library says, as much as is read in one line."""
    line = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
    return line if len(line) < 300 else f"{line[:297]}..."


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
