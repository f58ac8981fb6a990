"""What the frozen teacher says of the bitext: encoded once, kept as a file, read by every epoch and every run."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from clir_ot.data.training_batches import TrainingTexts
from clir_ot.files import replacing
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.tracking.progress import say

_MOST_BYTES = 4 * 2**30  # held in memory; a larger bitext is encoded step by step


class TeacherVectors(pl.Callback):
    """Give a distillation its teacher's token vectors of all English sentences before training starts.

    They are encoded in a fixed order, so that a run that was stopped goes on with the same bits, and lie in a file
    named after all that decides them: teacher, precision and sentences. A file that is damaged is made anew.

    Args:
        folder: of the files.
        teacher: fingerprint of the teacher's encoder.
    """

    def __init__(self, folder: Path, teacher: str) -> None:
        self._folder, self._teacher = folder, teacher

    def on_fit_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        read, teacher = trainer.datamodule.texts, pl_module.teacher  # type: ignore[attr-defined]
        if _too_many(read, teacher):
            count = sum(map(len, read.bitext.values()))
            say(f"{count} sentences: too many to keep the teacher's vectors of; they are encoded step by step")
            return
        texts = {
            read.pair_id(language, position): pair[0]
            for language, pairs in read.bitext.items()
            for position, pair in enumerate(pairs)
        }
        named = json.dumps([self._teacher, str(trainer.precision), texts], ensure_ascii=False)
        path = self._folder / f"{hashlib.sha256(named.encode()).hexdigest()[:16]}.safetensors"
        # Rank 0 makes the file, the others read it.
        index = self._index(path, trainer, teacher, texts) if trainer.is_global_zero else None
        trainer.strategy.barrier()
        index = index or self._index(path, trainer, teacher, texts)
        vectors = index.vectors.split(index.lengths.tolist())
        pl_module.remember(dict(zip(index.ids, vectors, strict=True)))

    def _index(self, path: Path, trainer: pl.Trainer, teacher: Any, texts: dict[str, str]) -> TokenIndex:
        if path.is_file():
            try:
                found = load_file(path)
                return TokenIndex(list(texts), found["lengths"], found["vectors"])
            except (SafetensorError, KeyError):
                say(f"{path}: is damaged, and made anew")
        say(f"the teacher encodes {len(texts)} English sentences, once: {path}")
        with trainer.precision_plugin.forward_context():
            index = encode(teacher, teacher.tokenizer.queries, texts)
        with replacing(path) as temporary:
            save_file({"lengths": index.lengths, "vectors": index.vectors.contiguous()}, temporary)
        return index


def _too_many(read: TrainingTexts, teacher: Any) -> bool:
    """Whether the vectors of all English sentences take more memory than they may; not all texts are read for it."""
    tokenizer, left = teacher.tokenizer, _MOST_BYTES // (4 * teacher.projection.out_features)
    sentences = (ids for language in read.bitext for ids in read.bitext_pieces(tokenizer, language, 0))
    return any((left := left - min(len(ids), tokenizer.query_length)) < 0 for ids in sentences)
