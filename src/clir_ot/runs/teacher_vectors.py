"""What the frozen teacher says of the bitext: encoded once, kept as a file, read by every epoch and every run."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from clir_ot.data.training_batches import TrainingTexts
from clir_ot.files import is_writable, placed, replacing
from clir_ot.locks import hold, lock_of
from clir_ot.progress import counting
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.runs.half_vectors import HalfVectors
from clir_ot.runs.progress import say

_MOST_BYTES = 4 * 2**30  # held in memory; those of a larger bitext stay on disk, see `HalfVectors`


class TeacherVectors(pl.Callback):
    """Give a distillation its teacher's token vectors of all English sentences before training starts.

    They are encoded in a fixed order, so that a run that was stopped goes on with the same bits, and lie in a file
    named after all that decides them: teacher, precision and sentences. A file that is damaged is made anew.

    Args:
        folders: of the files: in the first that has them, or that can be written.
        teacher: fingerprint of the teacher's encoder.
    """

    def __init__(self, folders: Sequence[Path], teacher: str) -> None:
        self._folders, self._teacher = folders, teacher

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
        name = f"{hashlib.sha256(named.encode()).hexdigest()[:16]}.safetensors"
        # Rank 0 makes the file, the others read it.
        index = self._index(name, trainer, teacher, texts) if trainer.is_global_zero else None
        trainer.strategy.barrier()
        index = index or self._index(name, trainer, teacher, texts)
        vectors = index.vectors.split(index.lengths.tolist())
        pl_module.remember(dict(zip(index.ids, vectors, strict=True)))

    def _from_disk(self, trainer: pl.Trainer, pl_module: Any, size: int) -> None:
        """In half precision, in files, if the disk has room for them twice."""
        key, texts = [self._teacher, str(trainer.precision)], trainer.datamodule.texts  # type: ignore[attr-defined]
        every = [HalfVectors(folder, key, texts) for folder in self._folders]
        vectors = next((one for one in every if is_writable(one.folder) or one.is_whole()), every[-1])
        count, folder = len(vectors), vectors.folder
        if is_writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free + sum(file.stat().st_size for file in folder.iterdir())
        # Of rank 0, for all: they must agree.
        if not trainer.strategy.broadcast(free > 2 * size or vectors.is_whole()):
            say(
                f"{count} sentences: the teacher's vectors take {size / 2**30:.0f} GiB, too much for memory and for "
                f"half of what is free in {folder}; they are encoded step by step"
            )
            return
        say(f"{count} sentences: the teacher's vectors, of {size / 2**30:.0f} GiB, are read from {folder}")
        if trainer.is_global_zero:
            vectors.make(pl_module.teacher, trainer.precision_plugin.forward_context())
        trainer.strategy.barrier()
        pl_module.remember(vectors.open())

    def _index(self, name: str, trainer: pl.Trainer, teacher: Any, texts: dict[str, str]) -> TokenIndex:
        path = placed(self._folders, name)
        if found := _read(path, texts):
            return found
        if not is_writable(path.parent):
            path = self._folders[-1] / name
        with hold(lock_of(path), f"{path}: the teacher's vectors are being made", wait=True):
            if found := _read(path, texts):
                return found
            if path.exists():
                say(f"{path}: is damaged, and made anew")
            say(f"the teacher encodes {len(texts)} English sentences, once: {path}")
            with trainer.precision_plugin.forward_context():
                progress = counting("English sentences encoded", len(texts))
                index = encode(teacher, teacher.tokenizer.queries, texts, progress)
            with replacing(path) as temporary:
                save_file({"lengths": index.lengths, "vectors": index.vectors.contiguous()}, temporary)
        return index


def _read(path: Path, texts: dict[str, str]) -> TokenIndex | None:
    """What a file has; None if it is not there or damaged."""
    try:
        found = load_file(path)
        return TokenIndex(list(texts), found["lengths"], found["vectors"])
    except (FileNotFoundError, SafetensorError, KeyError):
        return None


def _tokens(read: TrainingTexts, teacher: Any) -> int:
    """Of all English sentences, which are not in memory at once."""
    tokenizer = teacher.tokenizer
    sentences = (ids for language in read.bitext for ids in read.bitext_pieces(tokenizer, language, 0))
    return sum(min(len(ids), tokenizer.query_length) for ids in sentences)
