"""The teacher's token vectors of a bitext too large for memory: half precision, read from disk as they are needed.

16 bits a coordinate of a unit vector: an error of 2^-12 at most. What that changes in a student is measured by
benchmarks/half_vectors.py; a bitext that fits into memory is kept in 32 bits.
"""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from clir_ot.collections.batches import batches
from clir_ot.data.training_batches import TrainingTexts
from clir_ot.files import is_writable, replacing
from clir_ot.locks import hold, lock_of
from clir_ot.progress import counting
from clir_ot.retrieval.token_index import encode
from clir_ot.runs.progress import say

SENTENCES = 16_384  # of a file, encoded together: some hundred MB of memory
_CHECKED = 4  # sentences of a file that are encoded again to see whether it is what the teacher says
_TOLERANCE = 0.02  # of a coordinate: other devices and versions round otherwise


class HalfVectors(Mapping[str, torch.Tensor]):
    """`{id of a pair: (n, D) float32}`, each read from its file when it is asked for.

    Files are named after all that decides them: teacher, precision, and their own sentences. One that is damaged, or
    whose first sentences the teacher encodes otherwise, is made anew; those that a killed run has finished are kept.

    Args:
        folder: of the files.
        key: fingerprint of the teacher and precision of its vectors.
        texts: of the bitext.
    """

    def __init__(self, folder: Path, key: Sequence[str], texts: TrainingTexts) -> None:
        self.folder, self._key, self._texts = folder, list(key), texts
        self._files: dict[str, list[_File]] = {}

    def is_whole(self) -> bool:
        """Every file is there."""
        return all(path.is_file() for path, _ in self._parts())

    def make(self, teacher: Any, context: AbstractContextManager[Any]) -> None:
        """Encode what is not there yet; to be called on one rank."""
        new, progress = 0, counting("English sentences encoded", len(self))
        with context:
            for path, sentences in self._parts():
                with self._alone(path):
                    if _is_good(path, teacher, sentences):
                        progress(len(sentences))
                        continue
                    index = encode(teacher, teacher.tokenizer.queries, _named(sentences), progress)
                    with replacing(path) as temporary:
                        save_file({"lengths": index.lengths, "vectors": index.vectors.half()}, temporary)
                new += len(sentences)
                say(f"the teacher has encoded {new} English sentences: {path}")

    def _alone(self, path: Path) -> AbstractContextManager[None]:
        """Another process that makes this file is waited for; in a folder that nobody writes, it is only read."""
        if not is_writable(self.folder):
            return nullcontext()
        return hold(lock_of(path), f"{path}: the teacher's vectors are being made", wait=True)

    def open(self) -> "HalfVectors":
        """Find the vectors in the files; on every rank, after one has made them."""
        for path, _ in self._parts():
            self._files.setdefault(path.name.rsplit("-", 2)[0], []).append(_File(path))
        return self

    def __getitem__(self, name: str) -> torch.Tensor:
        language, _, place = name.rpartition(":")
        position = int(place) - 1
        if language in self._texts.drawn:
            position = bisect_left(self._texts.drawn[language], position)
        number, row = divmod(position, SENTENCES)
        return self._files[language][number][row]

    def __iter__(self) -> Iterator[str]:
        for language, pairs in self._texts.bitext.items():
            yield from (self._texts.pair_id(language, position) for position in range(len(pairs)))

    def __len__(self) -> int:
        return sum(map(len, self._texts.bitext.values()))

    def _parts(self) -> Iterator[tuple[Path, list[str]]]:
        """The files in the order of the pairs, `<language>-<number>-<hash>`, and their sentences."""
        for language, pairs in self._texts.bitext.items():
            for number, part in enumerate(batches(pairs, SENTENCES)):
                sentences = [english for english, _ in part]
                named = json.dumps([*self._key, sentences], ensure_ascii=False).encode()
                digest = hashlib.sha256(named).hexdigest()[:16]
                yield self.folder / f"{language}-{number:05}-{digest}.safetensors", sentences


class _File:
    """One file: the ends of its sentences in memory, their vectors on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with safe_open(path, framework="pt") as opened:
            self._ends = opened.get_tensor("lengths").cumsum(0).numpy()

    def __getitem__(self, row: int) -> torch.Tensor:
        first, end = int(self._ends[row - 1]) if row else 0, int(self._ends[row])
        # Opened for each sentence: an open file is mapped, and all of it that was read would count as resident.
        with safe_open(self._path, framework="pt") as opened:
            vectors: torch.Tensor = opened.get_slice("vectors")[first:end]
            return vectors.float()

    def __len__(self) -> int:
        return len(self._ends)


def _is_good(path: Path, teacher: Any, sentences: list[str]) -> bool:
    if not path.is_file():
        return False
    try:
        file = _File(path)
        found = [file[row] for row in range(min(_CHECKED, len(file)))]
    except SafetensorError:
        say(f"{path}: is damaged, and made anew")
        return False
    again = encode(teacher, teacher.tokenizer.queries, _named(sentences[:_CHECKED]))
    wanted = again.vectors.split(again.lengths.tolist())
    if len(file) == len(sentences) and all(
        one.shape == other.shape and torch.allclose(one, other, atol=_TOLERANCE)
        for one, other in zip(found, wanted, strict=True)
    ):
        return True
    say(f"{path}: is not what the teacher says, and made anew")
    return False


def _named(sentences: list[str]) -> dict[str, str]:
    return {str(row): sentence for row, sentence in enumerate(sentences)}
