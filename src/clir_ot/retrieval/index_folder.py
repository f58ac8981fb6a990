"""A folder of encoded documents, in shards that are mapped from the disk.

```
index.json              what is encoded, by what, in which precision
codec.safetensors       centroids and the like, where the precision has any
00000.safetensors ...   a shard each, in the order of the documents:
                        ids       the documents' _ids, a JSON list in UTF-8, uint8
                        lengths   (texts,) int64
                        ...       what the codec stores of the vectors
```

A shard that is there is whole: it is written under another name and renamed. It says which index it belongs to.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from clir_ot.errors import UserError
from clir_ot.files import replacing, write_text
from clir_ot.retrieval.codecs import PRECISIONS, Codec, Tensors, codec_of
from clir_ot.retrieval.token_index import TokenIndex, merge

FACTS, CODEC = "index.json", "codec.safetensors"
FORMAT = 2


@dataclass(frozen=True)
class Facts:
    """What an index is made of.

    Attributes:
        encoder: fingerprint of the encoder's folder.
        projection: digest of its projection.
        corpus: fingerprint of the documents.
        language: of the documents.
        precision: one of `clir_ot.retrieval.codecs.PRECISIONS`.
        documents: how many there are.
        dimensions: of a vector.
        shard: documents of a shard; the last one may have fewer.
        format: of the folder.
    """

    encoder: str
    projection: str
    corpus: str
    language: str
    precision: str
    documents: int
    dimensions: int
    shard: int
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Into `index.json`."""
        write_text(folder / FACTS, json.dumps(asdict(self), indent=1) + "\n")


def read_facts(folder: Path) -> Mapping[str, Any]:
    """What `index.json` says, of any format; None for what it does not say.

    Raises:
        UserError: it cannot be read.
    """
    try:
        said = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return {"format": said["format"]} | {name: said.get(name) for name in Facts.__dataclass_fields__}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(folder, f"{FACTS} cannot be read ({error!r})") from error


@dataclass(frozen=True)
class StoredShard:
    """Some documents, their vectors left on disk until they are read.

    Attributes:
        stored: tensors of the file.
        codec: that reads them.
    """

    stored: Tensors
    codec: Codec

    @property
    def lengths(self) -> torch.Tensor:
        """(texts,) int64, tokens of each text."""
        return self.stored["lengths"]

    @cached_property
    def ids(self) -> list[str]:
        """The documents' `_id`s."""
        found: list[str] = json.loads(self.stored["ids"].numpy().tobytes())
        return found

    def rows(self, rows: torch.Tensor) -> torch.Tensor:
        """Some of the vectors, float32, of shape `rows.shape + (D,)`."""
        return self.codec.decode(self.stored, rows)

    def take(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of some documents (n,) int64, and the vectors of all of them, float32 (their tokens, D)."""
        lengths = self.lengths[positions]
        ends = self.lengths.cumsum(0)[positions]
        # Of every token its document's first row, and how many tokens of that document are before it.
        before = torch.arange(int(lengths.sum())) - (lengths.cumsum(0) - lengths).repeat_interleave(lengths)
        rows = (ends - lengths).repeat_interleave(lengths) + before
        return lengths, self.rows(rows)

    def texts(self, start: int, end: int) -> Sequence[torch.Tensor]:
        """The vectors of each document from one position to before another, (tokens, D) float32."""
        lengths, vectors = self.take(torch.arange(start, end))
        split: Sequence[torch.Tensor] = vectors.split(lengths.tolist())
        return split


class StoredIndex:
    """The documents of an index folder, whose shards are all there.

    Args:
        folder: of the index.
        facts: what it says.
        codec: that reads its vectors.

    Attributes:
        digest: of facts and codec, see `belongs`.
    """

    def __init__(self, folder: Path, facts: Facts, codec: Codec) -> None:
        self.folder, self.facts, self.codec = folder, facts, codec
        self.digest = belongs(facts, codec)

    def __len__(self) -> int:
        """Documents."""
        return self.facts.documents

    @property
    def dimensions(self) -> int:
        """Of a vector."""
        return self.facts.dimensions

    def paths(self) -> list[Path]:
        """Of the shards, in the order of the documents, be they there or not."""
        return [self.folder / f"{number:05}.safetensors" for number in range(-(-len(self) // self.facts.shard))]

    def missing(self) -> list[int]:
        """Numbers of the shards that are not there."""
        return [number for number, path in enumerate(self.paths()) if not path.exists()]

    def write(self, number: int, index: TokenIndex) -> None:
        """Write a shard."""
        from safetensors.torch import save_file

        ids = torch.frombuffer(bytearray(json.dumps(index.ids, ensure_ascii=False).encode()), dtype=torch.uint8)
        stored = {"ids": ids, "lengths": index.lengths, **self.codec.encode(index.vectors)}
        with replacing(self.paths()[number]) as temporary:
            save_file({name: tensor.contiguous() for name, tensor in stored.items()}, temporary, {"of": self.digest})

    def shard(self, number: int) -> StoredShard:
        """One of them.

        Raises:
            UserError: it is damaged, or belongs to another index.
        """
        path = self.paths()[number]
        found, belongs_to = _map(path)
        if belongs_to != self.digest:
            raise damaged(self.folder, f"{path.name} belongs to another one")
        shard = StoredShard(found, self.codec)
        expected = min(self.facts.shard, len(self) - number * self.facts.shard)
        rows = {len(tensor) for name, tensor in found.items() if name not in ("ids", "lengths")}
        if len(shard.lengths) != expected or rows != {int(shard.lengths.sum())}:
            raise damaged(self.folder, f"{path.name} does not hold as much as it should")
        return shard

    def shards(self) -> Iterator[StoredShard]:
        """In the order of the documents; each is let go when the next one is asked for."""
        return (self.shard(number) for number in range(len(self.paths())))

    def names(self, positions: Sequence[int]) -> list[str]:
        """The `_id`s of the documents at these positions, which ascend."""
        found = []
        for number, group in groupby(positions, lambda position: position // self.facts.shard):
            ids = self.shard(number).ids
            found += [ids[position % self.facts.shard] for position in group]
        return found

    def take(self, positions: torch.Tensor) -> TokenIndex:
        """Some of the documents, in memory; (n,) int64, ascending."""
        shards = positions // self.facts.shard
        none = TokenIndex([], torch.empty(0, dtype=torch.int64), torch.empty(0, self.dimensions))
        found = [none]
        for number in shards.unique().tolist():
            shard, here = self.shard(number), positions[shards == number] % self.facts.shard
            found.append(TokenIndex([shard.ids[position] for position in here.tolist()], *shard.take(here)))
        return merge(found)

    def select(self, ids: Sequence[str]) -> TokenIndex:
        """Those of the documents of these `_id`s that there are, in memory, in the order of the index."""
        wanted, start, found = set(ids), 0, list[int]()
        for number in range(len(self.paths())):
            shard = self.shard(number)
            found += [start + position for position, name in enumerate(shard.ids) if name in wanted]
            start += len(shard.ids)
        return self.take(torch.tensor(found, dtype=torch.int64))

    def load(self) -> TokenIndex:
        """All of it, in memory."""
        return self.take(torch.arange(len(self)))


def open_folder(folder: Path) -> StoredIndex:
    """An index whose encoder and collection are somewhere else.

    Raises:
        UserError: there is none, or one that is damaged, not whole or of another format.
    """
    if not (folder / FACTS).is_file():
        raise UserError(f"{folder}: is no index (it lacks {FACTS}); `clir-ot index` makes one")
    found = read_facts(folder)
    if found["format"] != FORMAT:
        raise UserError(f"{folder}: is an index of format {found['format']}; `clir-ot index` makes it anew")
    if found["precision"] not in PRECISIONS:
        raise damaged(folder, f"{FACTS} gives precision {found['precision']}")
    index = StoredIndex(folder, Facts(**found), read_codec(folder, found["precision"]))
    if missing := index.missing():
        raise UserError(
            f"{folder}: {len(missing)} of {len(index.paths())} shards are missing, {index.paths()[missing[0]].name} "
            "first; run the `clir-ot index` that makes it again"
        )
    return index


def belongs(facts: Facts, codec: Codec) -> str:
    """What the shards of an index say that they belong to: SHA-256 (16 hex digits) of its facts and its codec."""
    digest = hashlib.sha256(json.dumps(asdict(facts), sort_keys=True).encode())
    for name, tensor in sorted(codec.state.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()[:16]


def read_codec(folder: Path, precision: str) -> Codec:
    """Of an index that has it.

    Raises:
        UserError: its file is damaged.
    """
    path = folder / CODEC
    state = _map(path)[0] if path.exists() else {}
    try:
        return codec_of(precision, state)
    except KeyError as error:
        raise damaged(folder, f"{CODEC} has no {error}") from error


def write_codec(folder: Path, codec: Codec) -> None:
    """Write what the codec has learnt, if anything."""
    from safetensors.torch import save_file

    if codec.state:
        with replacing(folder / CODEC) as temporary:
            save_file(dict(codec.state), temporary)


def damaged(folder: Path, reason: str) -> UserError:
    """The error of an index that cannot be read."""
    return UserError(f"{folder}: the index is damaged, {reason}; remove the folder to encode the documents again")


def _map(path: Path) -> tuple[Tensors, str | None]:
    """The tensors of a file, mapped, and what it belongs to."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, (file.metadata() or {}).get("of")  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise damaged(path.parent, f"{path.name}: {error}") from error
