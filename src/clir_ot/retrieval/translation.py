"""Translation into English by any sequence-to-sequence model of Hugging Face."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.models.pretrained import quietly
from clir_ot.retrieval.translator_languages import direction

_BATCH = 16  # texts translated together
_LENGTH = 512  # tokens, of models without positions of their own (T5)


class Translator:
    """A loaded model that translates from one language into English, on a GPU where there is one.

    Args:
        model: folder or name of NLLB, M2M100, mBART-50, Marian (opus-mt), MADLAD-400 or their like.
        language: to translate from.
        beams: of beam search; 1 for greedy search.

    Raises:
        UserError: no such model; it does not know the language; its tokenizer needs a package that is not installed.
    """

    def __init__(self, model: str | Path, language: str, beams: int = 4) -> None:
        self._tokenizer, self._model = _load(str(model))
        self._direction = direction(str(model), self._tokenizer, canonical_language(language))
        self._beams = beams
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        if self._direction.source:
            self._tokenizer.src_lang = self._direction.source
        positions = getattr(self._model.config, "max_position_embeddings", None) or _LENGTH
        self._longest = min(positions, self._tokenizer.model_max_length)

    def __call__(self, texts: Sequence[str], progress: Callable[[int], None] = lambda done: None) -> list[str]:
        """The English of each text, which may be empty; the same model and texts give the same English.

        Args:
            texts: cut at the longest that the model reads, 512 tokens or more.
            progress: called with the number of texts done since the last call.
        """
        english = [""] * len(texts)
        order = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(order), _BATCH):
            positions = order[start : start + _BATCH]
            for position, text in zip(positions, self._batch([texts[p] for p in positions]), strict=True):
                english[position] = text.strip()
            progress(len(positions))
        return english

    @torch.inference_mode()
    def _batch(self, texts: list[str]) -> list[str]:
        prefixed = [self._direction.prefix + text for text in texts]
        tokens = self._tokenizer(
            prefixed, padding=True, truncation=True, max_length=self._longest, return_tensors="pt"
        ).to(self._model.device)
        options: dict[str, Any] = {"num_beams": self._beams, "do_sample": False}
        if self._direction.first_token is not None:
            options["forced_bos_token_id"] = self._direction.first_token
        # Room for more tokens than the source has, and an end for a model that repeats itself.
        options["max_new_tokens"] = min(self._longest - 1, 2 * tokens["input_ids"].shape[1] + 16)
        with quietly():
            output = self._model.generate(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], **options
            )
        # The language's token is not special to every tokenizer: M2M100's may print it.
        rows = [[token for token in row if token != self._direction.first_token] for row in output.tolist()]
        decoded: list[str] = self._tokenizer.batch_decode(rows, skip_special_tokens=True)
        return decoded


def translate(
    texts: Sequence[str],
    model: str | Path,
    language: str,
    *,
    beams: int = 4,
    progress: Callable[[int], None] = lambda done: None,
) -> list[str]:
    """Load a model and translate some texts into English; see `Translator`."""
    return Translator(model, language, beams)(texts, progress)


def _load(name: str) -> tuple[Any, Any]:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(name)
            model = AutoModelForSeq2SeqLM.from_pretrained(name, dtype=torch.float32)
    except ImportError as error:  # M2M100 and Marian read SentencePiece models
        raise UserError(f"{name}: its tokenizer needs more packages: pip install 'clir-ot[translate]'") from error
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{name}: no translation model there, neither a Hugging Face folder nor a hub name ({reason})"
        ) from error
    return tokenizer, model
