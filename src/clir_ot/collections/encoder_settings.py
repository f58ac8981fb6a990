"""What of an encoder's folder counts pieces and tells what is cut; read without torch or transformers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

from clir_ot.collections.cache import locate
from clir_ot.errors import UserError
from clir_ot.files import user_path

Kind = Literal["query", "document"]

_TOKENIZER = "tokenizer.json"
_SETTINGS = "config_sentence_transformers.json"


@dataclass(frozen=True)
class EncoderSettings:
    """A tokenizer, with what the encoder puts before a text and how much of it the encoder reads.

    Attributes:
        folder: that it was read from.
        prefixes: put before each kind of text.
        lengths: longest sequence in tokens by kind, special tokens and prefix included; None where the folder does not
            say.
    """

    folder: Path
    tokenizer: Tokenizer = field(repr=False)
    prefixes: dict[Kind, str]
    lengths: dict[Kind, int] | None

    @classmethod
    def read(cls, name: str | Path) -> "EncoderSettings":
        """From an encoder's folder, or the starter's.

        Raises:
            UserError: there is no `tokenizer.json`, or a file is damaged.
        """
        folder = user_path(locate(name, "encoder"))
        path = folder / _TOKENIZER
        if not path.is_file():
            raise UserError(f"{path}: no such file; --encoder takes the folder of an encoder with a fast tokenizer")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise UserError(f"{path}: no tokenizer that the library tokenizers can read ({error})") from error
        # The file may say to cut or pad, which would count something else than the text.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        settings = _read_settings(folder / _SETTINGS)
        kinds: tuple[Kind, Kind] = ("query", "document")
        has_lengths = all(settings.get(f"{kind}_length") for kind in kinds)  # published ones say null
        return cls(
            folder,
            tokenizer,
            {kind: _prefix(settings, kind) for kind in kinds},
            {kind: int(str(settings[f"{kind}_length"])) for kind in kinds} if has_lengths else None,
        )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Pieces of each text alone: no prefix, no special token, nothing cut."""
        return [len(encoded.ids) for encoded in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def is_cut(self, kind: Kind, texts: Sequence[str], pieces: Sequence[int]) -> list[bool] | None:
        """Whether the encoder leaves out the end of each text; None if the folder does not say how much it reads.

        Args:
            kind: that the texts are encoded as.
            pieces: what `count` says of them.
        """
        if self.lengths is None:
            return None
        if prefix := self.prefixes[kind]:
            pieces = self.count([prefix + text for text in texts])
        room = self.lengths[kind] - self.tokenizer.num_special_tokens_to_add(is_pair=False)
        return [length > room for length in pieces]


def _prefix(settings: dict[str, Any], kind: Kind) -> str:
    # Folders of earlier versions have no prompts.
    prompts = settings.get("prompts") or {}
    return str(prompts.get(kind, settings.get(f"{kind}_prefix", "")))


def _read_settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: expected a JSON object ({error})") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path}: expected a JSON object")
    return settings
