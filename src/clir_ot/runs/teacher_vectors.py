"""What the frozen teacher says of the bitext: encoded once, kept as a file, read by every epoch and every run."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from clir_ot.data.training_batches import TrainingTexts
from clir_ot.files import replacing
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.runs.half_vectors import HalfVectors
from clir_ot.runs.progress import say

_MOST_BYTES = 4 * 2**30  # held in memory; those of a larger bitext stay on disk, see `HalfVectors`


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
        numbers = _tokens(read, teacher) * teacher.projection.out_features
        if 4 * numbers > _MOST_BYTES:
            self._from_disk(trainer, pl_module, 2 * numbers)
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

    def _from_disk(self, trainer: pl.Trainer, pl_module: Any, size: int) -> None:
        """In half precision, in files, if the disk has room for them twice."""
        vectors = HalfVectors(self._folder, [self._teacher, str(trainer.precision)], trainer.datamodule.texts)  # type: ignore[attr-defined]
        count = len(vectors)
        self._folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self._folder).free + sum(file.stat().st_size for file in self._folder.iterdir())
        # Of rank 0, for all: they must agree.
        if not trainer.strategy.broadcast(free > 2 * size):
            say(
                f"{count} sentences: the teacher's vectors take {size / 2**30:.0f} GiB, too much for memory and for "
                f"half of what is free in {self._folder}; they are encoded step by step"
            )
            return
        say(f"{count} sentences: the teacher's vectors, of {size / 2**30:.0f} GiB, are read from {self._folder}")
        if trainer.is_global_zero:
            vectors.make(pl_module.teacher, trainer.precision_plugin.forward_context())
        trainer.strategy.barrier()
        pl_module.remember(vectors.open())

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


def _tokens(read: TrainingTexts, teacher: Any) -> int:
    """Of all English sentences, which are not in memory at once."""
    tokenizer = teacher.tokenizer
    sentences = (ids for language in read.bitext for ids in read.bitext_pieces(tokenizer, language, 0))
    return sum(min(len(ids), tokenizer.query_length) for ids in sentences)
