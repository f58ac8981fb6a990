"""Two processes of one process group encode an index together.

Run as a script, this file is one of them.
"""

import sys
from pathlib import Path

import pytest
import torch
from torch import distributed

from clir_ot import Collection, TokenEncoder
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.retrieval import stored_index
from clir_ot.retrieval.index_folder import StoredIndex
from clir_ot.retrieval.stored_index import open_index
from clir_ot.retrieval.token_index import encode
from tests.forked import finish

SHARD = 5


def opened(folder: Path, encoder: str, collection: str, encoded: list[int] | None = None) -> StoredIndex:
    made_of = TokenEncoder.from_pretrained(encoder), fingerprint(encoder), Collection(collection)
    done = ([] if encoded is None else encoded).append
    return open_index(folder, *made_of, precision="2bit", counter=lambda what, total: done)


@pytest.mark.slow
def test_both_encode_their_shards_with_one_codec(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("faiss")
    monkeypatch.setattr(stored_index, "_SHARD", SHARD)
    folder = tmp_path / "index"
    said = finish([__file__, *map(str, (folder, teacher_folder, collection_folder))], ranks=2)
    # Five shards of 24 documents: 5 + 5 + 4 and 5 + 5; each process finds all of them.
    assert {"0: 14 24", "1: 10 24"} <= {*said.splitlines()}
    collection = Collection(collection_folder)
    index = opened(folder, str(teacher_folder), str(collection_folder)).load()
    encoder = TokenEncoder.from_pretrained(teacher_folder)
    alone = encode(encoder, encoder.tokenizer.documents, collection.documents())
    assert index.ids == alone.ids
    assert torch.equal(index.lengths, alone.lengths)
    assert (index.vectors * alone.vectors).sum(dim=1).mean() > 0.9


def main(folder: str, encoder: str, collection: str) -> None:
    distributed.init_process_group("gloo")
    stored_index._SHARD = SHARD
    done: list[int] = []
    index = opened(Path(folder), encoder, collection, done)
    print(f"{distributed.get_rank()}: {sum(done)} {len(index.load())}", flush=True)
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
