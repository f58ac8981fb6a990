"""An encoder's folder read by another library, sentence-transformers 6; and what is its identity."""

import json
from pathlib import Path

import pytest
import torch
from sentence_transformers import MultiVectorEncoder, SentenceTransformer

from clir_ot import TokenEncoder
from clir_ot.models.encoder_folder import fingerprint, read_settings, write_card
from clir_ot.models.maxsim import maxsim

QUERIES = ["bara desil", "fitem, govu? kuzo", "lamra " * 40, "zzz mensil"]
DOCUMENTS = ["govu fitem kuzo", "bara desil fitem norvu. " * 20, "mensil", "lamra lamzo bara", "query: desil"]


def saved(base: Path, folder: Path, scoring: str) -> Path:
    torch.manual_seed(5)
    encoder = TokenEncoder.from_pretrained(
        base, dimensions=8, query_prefix="query: ", document_prefix="passage: ", query_length=12, document_length=30,
        scoring=scoring,
    )  # fmt: skip
    encoder.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def late(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(encoder_folder, tmp_path_factory.mktemp("late") / "encoder", "late")


@pytest.fixture(scope="module")
def dense(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(encoder_folder, tmp_path_factory.mktemp("dense") / "encoder", "dense")


def ours(folder: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    encoder = TokenEncoder.from_pretrained(folder).eval()
    with torch.no_grad():
        return {
            "queries": encoder.vectors(encoder.tokenizer.queries(QUERIES)),
            "documents": encoder.vectors(encoder.tokenizer.documents(DOCUMENTS)),
        }


def test_a_multi_vector_encoder_has_the_same_token_vectors_and_ranking(late: Path) -> None:
    model = MultiVectorEncoder(str(late), device="cpu")
    theirs = {"queries": model.encode_query(QUERIES), "documents": model.encode_document(DOCUMENTS)}
    expected = ours(late)
    for kind, vectors in theirs.items():
        for found, row, mask in zip(vectors, *expected[kind], strict=True):
            assert found.shape == row[mask].shape
            assert (found - row[mask]).abs().max() < 1e-5
    # [CLS] query : bara desil [SEP]: special tokens and prefix are scored, no expansion; long texts are cut.
    assert [len(vectors) for vectors in theirs["queries"]] == [6, 9, 12, 6]
    assert [len(vectors) for vectors in theirs["documents"]][:3] == [7, 30, 5]

    scores = model.similarity(theirs["queries"], theirs["documents"])
    (queries, query_mask), (documents, document_mask) = expected["queries"], expected["documents"]
    wanted = maxsim(queries, documents, query_mask, document_mask)
    assert (scores - wanted).abs().max() < 1e-5
    assert torch.equal(scores.argsort(dim=1), wanted.argsort(dim=1))


def test_queries_and_documents_are_told_apart(late: Path) -> None:
    model = MultiVectorEncoder(str(late), device="cpu")
    query, document = model.encode_query("bara desil"), model.encode_document("bara desil")
    assert query.shape == document.shape
    assert (query - document).abs().max() > 1e-2


def test_a_dense_encoder_is_a_plain_sentence_transformer(dense: Path) -> None:
    model = SentenceTransformer(str(dense), device="cpu")
    theirs = {"queries": model.encode_query(QUERIES), "documents": model.encode_document(DOCUMENTS)}
    expected = {kind: vectors[:, 0] for kind, (vectors, _) in ours(dense).items()}
    for kind, vectors in theirs.items():
        assert vectors.shape == expected[kind].shape
        assert (torch.from_numpy(vectors) - expected[kind]).abs().max() < 1e-5
    scores = model.similarity(theirs["queries"], theirs["documents"])
    assert (scores - expected["queries"] @ expected["documents"].T).abs().max() < 1e-5


@pytest.mark.parametrize("scoring", ["late", "dense"])
def test_a_folder_of_an_earlier_version_is_read_as_it_was(
    late: Path, dense: Path, encoder_folder: Path, tmp_path: Path, scoring: str
) -> None:
    new = {"late": late, "dense": dense}[scoring]
    old = saved(encoder_folder, tmp_path / "old", scoring)
    # What those versions wrote.
    settings = {
        "query_prefix": "query: ",
        "document_prefix": "passage: ",
        "query_length": 12,
        "document_length": 30,
        "similarity_fn_name": {"late": "MaxSim", "dense": "cosine"}[scoring],
    }
    (old / "config_sentence_transformers.json").write_text(json.dumps(settings))
    found, expected = ours(old), ours(new)
    for kind in found:
        assert torch.equal(found[kind][0], expected[kind][0])
    before, now = read_settings(old), read_settings(new)
    assert before is not None
    assert now is not None
    assert (before.portable, now.portable) == (False, True)


def test_the_card_is_no_part_of_the_encoder(late: Path, encoder_folder: Path, tmp_path: Path) -> None:
    folder = saved(encoder_folder, tmp_path / "encoder", "late")
    before = fingerprint(folder)
    assert before == fingerprint(late)
    write_card(folder, "# first\n")
    write_card(folder, "# second\n")
    assert (folder / "README.md").read_text() == "# second\n"
    # A kill in the middle of writing leaves this.
    (folder / ".README.md.abc12345").mkdir()
    (folder / ".README.md.abc12345" / "README.md").write_text("# half")
    assert fingerprint(folder) == before
    write_card(folder, "# third\n")
    assert [path.name for path in folder.glob(".*")] == []
    (folder / "1_Dense" / "README.md").write_text("not the card")
    assert fingerprint(folder) != before


def test_the_readme_of_a_pretrained_encoder_counts_as_it_always_did(encoder_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    for path in encoder_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    before = fingerprint(folder)
    (folder / "README.md").write_text("# base\n")
    assert fingerprint(folder) != before
    assert read_settings(folder) is None


def test_a_saved_folder_has_the_card_that_was_made_of_it(encoder_folder: Path, tmp_path: Path) -> None:
    encoder = TokenEncoder.from_pretrained(encoder_folder, dimensions=8)
    encoder.save_pretrained(tmp_path / "encoder", card=lambda folder: f"{len(list(folder.iterdir()))} files\n")
    there = [path.name for path in (tmp_path / "encoder").iterdir()]
    assert (tmp_path / "encoder" / "README.md").read_text() == f"{len(there) - 1} files\n"

    def fail(folder: Path) -> str:
        raise RuntimeError("no card")

    with pytest.raises(RuntimeError, match="no card"):
        encoder.save_pretrained(tmp_path / "other", card=fail)
    assert not (tmp_path / "other").exists()
