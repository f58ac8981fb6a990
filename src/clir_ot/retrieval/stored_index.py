"""Encoded documents on disk: encoded once, by one process or many, searched by the teacher and all its students."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError
from clir_ot.files import remove_leftovers
from clir_ot.locks import hold, lock_of
from clir_ot.models.encoder import TokenEncoder
from clir_ot.progress import Counter, silent
from clir_ot.retrieval.codecs import PRECISIONS, Codec, learns, new_codec
from clir_ot.retrieval.index_folder import (
    CODEC,
    FACTS,
    FORMAT,
    Facts,
    StoredIndex,
    damaged,
    read_codec,
    read_facts,
    write_codec,
)
from clir_ot.retrieval.token_index import encode

_SHARD = 4096  # documents; of 256 tokens, half a GiB while they are encoded
_LARGE = 50_000  # documents, from which on vectors are float16
_BEGUN = ".begun.lock"
_OLD_FILES = ("ids.json", "vectors.safetensors")  # of format 1


def open_index(
    folder: str | Path,
    encoder: TokenEncoder,
    encoder_fingerprint: str,
    collection: Collection,
    language: str = ENGLISH,
    counter: Counter = silent,
    precision: str | None = None,
) -> StoredIndex:
    """The documents of a collection as the encoder sees them; what is not in the folder is encoded and written there.

    See `build_index`. Where `torch.distributed` is initialised, every rank encodes its share.

    Raises:
        UserError: see `build_index`.
    """
    share = (0, 1)
    if distributed.is_available() and distributed.is_initialized():
        share = (distributed.get_rank(), distributed.get_world_size())
    index = build_index(folder, encoder, encoder_fingerprint, collection, language, counter, precision, share)
    if share[1] > 1:
        distributed.barrier()
    if missing := index.missing():
        raise damaged(index.folder, f"it lacks {index.paths()[missing[0]].name}")
    return index


def build_index(
    folder: str | Path,
    encoder: TokenEncoder,
    encoder_fingerprint: str,
    collection: Collection,
    language: str = ENGLISH,
    counter: Counter = silent,
    precision: str | None = None,
    share: tuple[int, int] = (0, 1),
) -> StoredIndex:
    """Encode the shards of a share that are not there yet. One that was stopped goes on after its last whole shard.

    Documents are read from the collection one shard after the other; a shard's are encoded in the order of their
    lengths and written in their own.

    Args:
        folder: of this index alone; need not exist.
        encoder: of the documents.
        encoder_fingerprint: `clir_ot.models.encoder_folder.fingerprint` of the folder that `encoder` was loaded from.
        collection: whose documents are searched.
        language: of the documents.
        counter: makes what is told how many documents are encoded, see `clir_ot.progress.counting`.
        precision: one of `PRECISIONS`; None for that of an index that is there, and of a new one float32, which gives
            bit for bit what was encoded, or float16 from 50,000 documents on.
        share: (i, n), every n-th shard from the i-th on.

    Returns:
        The index; the shards of other shares may be missing.

    Raises:
        UserError: the folder holds an index of another encoder, of other documents or another precision, a damaged one,
            or something else; the precision needs a package that is not installed.
    """
    folder = Path(folder)
    if precision is not None and precision not in PRECISIONS:
        raise UserError(f"precision {precision!r} is unknown; expected one of {', '.join(PRECISIONS)}")
    documents = collection.documents(language)
    wanted = Facts(
        encoder=encoder_fingerprint,
        projection=_digest(encoder.projection.weight),
        corpus=collection.fingerprint("corpus", language),
        language=canonical_language(language),
        precision=precision or ("float32" if len(documents) < _LARGE else "float16"),
        documents=len(documents),
        dimensions=encoder.projection.out_features,
        shard=_SHARD,
    )
    facts = _agreed(folder, wanted, precision, collection)
    index = StoredIndex(folder, facts, _codec(folder, facts, encoder, documents))
    i, n = share
    todo = {number for number in index.missing() if number % n == i}
    if not todo:
        return index
    progress = counter("documents encoded", sum(min(facts.shard, len(documents) - k * facts.shard) for k in todo))
    for number, texts in enumerate(_in_shards(documents, facts.shard)):
        if number not in todo:
            continue
        path = index.paths()[number]
        # By another process, perhaps of shares cut otherwise: whatever it encodes is not encoded here.
        with hold(lock_of(path), f"{path}: is being encoded", wait=True):
            if path.exists():
                progress(len(texts))
                continue
            remove_leftovers(path)
            index.write(number, encode(encoder, encoder.tokenizer.documents, texts, progress))
    return index


def _agreed(folder: Path, wanted: Facts, precision: str | None, collection: Collection) -> Facts:
    """What the folder's index is made of, after a look whether that is what is wanted; written if there is none."""
    if not (folder / FACTS).is_file():
        if folder.is_file() or (folder.is_dir() and any(path.name[0] != "." for path in folder.iterdir())):
            raise UserError(f"{folder}: is no index (it lacks {FACTS}) and not empty; give a new folder, or remove it")
        with hold(folder / _BEGUN, f"{folder}: is being begun", wait=True):
            if not (folder / FACTS).is_file():
                wanted.write(folder)
                return wanted
    found = read_facts(folder)
    if found["format"] not in (1, FORMAT):
        raise UserError(
            f"{folder}: is an index of format {found['format']}, this version reads format {FORMAT}; remove it to "
            "encode again"
        )
    _check(folder, found, wanted, collection)
    if found["format"] == 1:
        print(f"{folder}: is an index of format 1; the documents are encoded again, into format {FORMAT}", flush=True)
        wanted.write(folder)
        for name in _OLD_FILES:
            (folder / name).unlink(missing_ok=True)
        return wanted
    if precision not in (None, found["precision"]):
        raise UserError(
            f"{folder}: holds vectors in {found['precision']}, not in {precision}; give another folder, or leave the "
            "precision out"
        )
    if found["precision"] not in PRECISIONS or not isinstance(found["shard"], int) or found["shard"] < 1:
        raise damaged(folder, f"{FACTS} gives precision {found['precision']} and shards of {found['shard']}")
    agreed = replace(wanted, precision=found["precision"], shard=found["shard"])
    if (found["documents"], found["dimensions"]) != (agreed.documents, agreed.dimensions):
        raise damaged(folder, "its files disagree about how much was encoded")
    return agreed


def _codec(folder: Path, facts: Facts, encoder: TokenEncoder, documents: Mapping[str, str]) -> Codec:
    """Of an index: what the first process has learnt, for all."""
    if not learns(facts.precision) or (folder / CODEC).exists():
        return read_codec(folder, facts.precision)
    with hold(folder / ".codec.lock", f"{folder}: centroids are being learnt", wait=True):
        if not (folder / CODEC).exists():
            remove_leftovers(folder / CODEC)
            print(f"{folder}: learning centroids from {_sampled(len(documents))} documents", flush=True)
            write_codec(folder, new_codec(facts.precision, lambda: _sample(encoder, documents)))
    return read_codec(folder, facts.precision)


def _sample(encoder: TokenEncoder, documents: Mapping[str, str]) -> tuple[torch.Tensor, int]:
    """Vectors of documents from everywhere in the collection, and about how many vectors there are in all."""
    step = len(documents) // _sampled(len(documents))
    texts = dict(islice(documents.items(), 0, None, step))
    vectors = encode(encoder, encoder.tokenizer.documents, texts).vectors
    return vectors, len(vectors) * len(documents) // len(texts)


def _sampled(documents: int) -> int:
    return min(documents, int(16 * documents**0.5))


def _in_shards(documents: Mapping[str, str], size: int) -> Iterator[dict[str, str]]:
    texts = iter(documents.items())
    while shard := dict(islice(texts, size)):
        yield shard


def _check(folder: Path, found: Mapping[str, Any], wanted: Facts, collection: Collection) -> None:
    other = "give another folder, or remove this one to encode the documents again"
    if found["encoder"] != wanted.encoder:
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']}, not by {wanted.encoder} (fingerprints); search it "
            f"with the document encoder that made it, or {other}"
        )
    if found["projection"] != wanted.projection:
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']} with another projection; an encoder without a saved "
            "projection gets a new random one whenever it is loaded: save it once with save_pretrained, "
            f"then {other}"
        )
    if (found["corpus"], found["language"]) != (wanted.corpus, wanted.language):
        raise UserError(
            f"{folder}: was made by encoder {found['encoder']} of other documents ({found['language']}, fingerprint "
            f"{found['corpus']}) than {collection.folder} has ({wanted.language}, {wanted.corpus}); {other}"
        )


def _digest(weight: torch.Tensor) -> str:
    """SHA-256 (16 hex digits) of a matrix: the fingerprint of a folder does not cover a projection drawn on loading."""
    return hashlib.sha256(weight.detach().float().cpu().contiguous().numpy().tobytes()).hexdigest()[:16]
