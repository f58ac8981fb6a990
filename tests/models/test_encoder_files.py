"""A file of an encoder's folder that is missing, damaged or another's is named in one line, by commands too."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, BertConfig, BertForMaskedLM

from clir_ot import TokenEncoder
from clir_ot.errors import UserError
from clir_ot.models import folder_files, pretrained_tokenizer

CASES = Path(__file__).parents[3] / "shared" / "cases" / "encoders"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1115567652\n"
TEXTS = ["bara desil fitem", "govu", "bara " * 9, "lamra " * 8, "zzz"]


@pytest.fixture
def folder(encoder_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    shutil.copytree(encoder_folder, tmp_path / "encoder")
    return tmp_path / "encoder"


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(folder, dimensions=8)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(folder), "DIR")


def rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def reweigh(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    path = folder / "model.safetensors"
    save_file(change(load_file(path)), path, metadata={"format": "pt"})


def in_torchs_format(folder: Path, legacy: bool = False) -> Path:
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    return folder / "pytorch_model.bin"


def in_shards(folder: Path) -> list[Path]:
    AutoModel.from_pretrained(folder).save_pretrained(folder / "new", max_shard_size="60KB")
    (folder / "model.safetensors").unlink()
    for path in (folder / "new").iterdir():
        path.replace(folder / path.name)
    return sorted(folder.glob("model-*.safetensors"))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def vectors(folder: Path) -> torch.Tensor:
    encoder = TokenEncoder.from_pretrained(folder, dimensions=8).eval()
    with torch.no_grad():
        encoder.projection.weight.copy_(torch.randn(8, 32, generator=torch.Generator().manual_seed(0)))
        return encoder(encoder.tokenizer.queries(TEXTS))


@pytest.mark.parametrize(
    "file", ["model.safetensors", "tokenizer.json", "config.json", "tokenizer_config.json", "vocab.txt", "spm.model"]
)
def test_a_git_lfs_pointer_is_told_from_the_file(folder: Path, file: str) -> None:
    (folder / file).write_text(POINTER)
    assert refused(folder).startswith(f"DIR/{file}: is a Git-LFS pointer, not the file itself; run `git lfs pull`")


def test_a_pointer_to_a_projection_too(folder: Path, tmp_path: Path) -> None:
    TokenEncoder.from_pretrained(folder, dimensions=8).save_pretrained(tmp_path / "saved")
    (tmp_path / "saved" / "1_Dense" / "model.safetensors").write_text(POINTER)
    assert "1_Dense/model.safetensors: is a Git-LFS pointer" in refused(tmp_path / "saved")


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize(
    ("content", "said"),
    [(b'{\n"a": 1,\n', ":3: no JSON ("), (b"\xff\xfe{}", ": not UTF-8 ("), (b"", ":1: no JSON (")],
)
def test_settings_that_are_no_json_are_named_with_their_line(
    folder: Path, file: str, content: bytes, said: str
) -> None:
    (folder / file).write_bytes(content)
    assert refused(folder).startswith(f"DIR/{file}{said}")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[]", "DIR/config.json: expected a JSON object"),
        ("{}", "DIR: config.json is of no model that transformers knows ("),
        ('{"model_type": "nonesuch"}', "DIR: config.json is of no model that transformers knows ("),
        ('{"model_type": "bert", "hidden_size": "many"}', "DIR: "),
        ('{"model_type": "bert", "hidden_size": 33, "num_attention_heads": 2}', "DIR: transformers cannot load it ("),
    ],
)
def test_a_config_of_no_model_is_one_line(folder: Path, config: str, said: str) -> None:
    (folder / "config.json").write_text(config)
    assert refused(folder).startswith(said)


def test_weights_that_are_cut_short_are_named(folder: Path) -> None:
    cut(folder / "model.safetensors")
    assert refused(folder).startswith("DIR/model.safetensors: is damaged (")


@pytest.mark.parametrize("legacy", [False, True])
def test_torchs_own_format_is_read_and_named_where_it_is_cut_short(folder: Path, legacy: bool) -> None:
    before = vectors(folder)
    path = in_torchs_format(folder, legacy)
    assert torch.equal(vectors(folder), before)
    cut(path)
    assert refused(folder).startswith(
        "DIR: transformers cannot load it (" if legacy else "DIR/pytorch_model.bin: is dam"
    )
    path.write_text("<html>not found</html>")
    assert refused(folder).startswith("DIR/pytorch_model.bin: is damaged (not weights as torch saves them)")


def test_shards_are_read_and_one_that_is_missing_is_named(folder: Path) -> None:
    before = vectors(folder)
    shards = in_shards(folder)
    assert len(shards) > 1
    assert torch.equal(vectors(folder), before)
    shards[1].unlink()
    assert refused(folder).startswith(f"DIR/{shards[1].name}: no such file, but model.safetensors.index.json names it")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    assert refused(folder).startswith("DIR/model.safetensors.index.json: names no files (weight_map)")


def test_without_weights_or_anything(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert refused(folder).startswith("DIR: no weights there (model.safetensors or pytorch_model.bin); is the folder")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").startswith("DIR: no encoder there (no config.json); give a Hugging Face folder")
    assert refused(folder / "config.json").startswith("DIR: is a file; give the encoder's folder")


def test_a_file_that_may_not_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:  # whoever runs the tests may be root
        if path.name == "model.safetensors":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(folder_files.Path, "open", refuse)
    assert refused(folder) == "DIR/model.safetensors: cannot be read (Permission denied)"


def test_without_tokenizer_there_is_no_vocabulary_of_five(folder: Path) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    assert refused(folder).startswith(
        "DIR: no tokenizer there (tokenizer.json or vocab.txt in DIR): every word would be unknown; put the tokenizer's"
    )


def test_tokens_without_embeddings_are_found_at_loading(folder: Path) -> None:
    def fewer(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        table = "embeddings.word_embeddings.weight"
        return {**state, table: state[table][:100].contiguous()}

    reweigh(folder, fewer)
    rewrite(folder / "config.json", lambda config: {**config, "vocab_size": 100})
    assert refused(folder).startswith(
        "DIR: its tokenizer has tokens up to number 126, its transformer embeddings of 100"
    )


def test_a_tokenizer_without_padding_gives_equal_vectors(folder: Path) -> None:
    before = vectors(folder)
    rewrite(folder / "tokenizer_config.json", lambda config: {k: v for k, v in config.items() if k != "pad_token"})
    assert TokenEncoder.from_pretrained(folder, dimensions=8).tokenizer.tokenizer.pad_token != "[PAD]"
    assert (vectors(folder) - before).abs().max() < 1e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_half_precision_are_computed_with_in_full(folder: Path, dtype: torch.dtype) -> None:
    reweigh(folder, lambda state: {name: tensor.to(dtype) for name, tensor in state.items()})
    rewrite(folder / "config.json", lambda config: {**config, "dtype": str(dtype).removeprefix("torch.")})
    halved = vectors(folder)
    assert halved.dtype == torch.float32
    reweigh(folder, lambda state: {name: tensor.float() for name, tensor in state.items()})
    assert torch.equal(halved, vectors(folder))


def test_missing_and_foreign_blocks_are_named_and_heads_are_not(folder: Path) -> None:
    rewrite(folder / "config.json", lambda config: {**config, "num_hidden_layers": 3})
    assert refused(folder).startswith("DIR: the weights lack 16 tensor(s) of the encoder, encoder.layer.2.")
    rewrite(folder / "config.json", lambda config: {**config, "num_hidden_layers": 1})
    assert refused(folder).startswith("DIR: its weights have encoder.layer.1.")
    rewrite(folder / "config.json", lambda config: {**config, "num_hidden_layers": 2, "hidden_size": 48})
    assert refused(folder).startswith("DIR: transformers cannot load it (")
    rewrite(folder / "config.json", lambda config: {**config, "hidden_size": 32})
    reweigh(folder, lambda state: {**state, "linear.weight": torch.zeros(8, 32)})
    assert refused(folder).startswith(
        "DIR: its weights have linear.weight, which BertModel with its config.json has no"
    )
    BertForMaskedLM(BertConfig.from_pretrained(folder)).save_pretrained(folder)
    assert vectors(folder).shape[2] == 8
    rewrite(folder / "config.json", lambda config: {**config, "num_hidden_layers": 1})
    assert "encoder.layer.1." in refused(folder)  # whatever its name begins with


@pytest.mark.parametrize(
    ("file", "said", "why"),
    [
        ("config.json", {"auto_map": {"AutoModel": "modeling.Mine"}}, "DIR/config.json: auto_map names code that"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["t.T", None]}}, "DIR/tokenizer_config.json: auto"),
        ("adapter_config.json", {"base_model_name_or_path": "me/base"}, "DIR: a PEFT adapter (adapter_config.json) of"),
    ],
)  # fmt: skip
def test_code_is_not_run_and_an_adapter_is_no_encoder(folder: Path, file: str, said: dict[str, Any], why: str) -> None:
    if not (folder / file).exists():
        (folder / file).write_text("{}")
    rewrite(folder / file, lambda found: found | said)
    assert refused(folder).startswith(why)
    if file == "adapter_config.json":  # beside its weights alone, as peft saves it
        (folder / "config.json").unlink()
        assert refused(folder).startswith(why)


def test_sentencepiece_alone_names_the_package_it_needs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).unlink()
    (folder / "spiece.model").write_bytes(b"\x00not a model")
    rewrite(folder / "config.json", lambda config: {**config, "tokenizer_class": "AlbertTokenizer"})
    assert refused(folder).startswith("DIR: no tokenizer there that can be read (")
    monkeypatch.setattr(pretrained_tokenizer, "find_spec", lambda module: None if module == "sentencepiece" else module)
    assert refused(folder) == (
        "DIR: its tokenizer is in SentencePiece's format alone (spiece.model), which needs a package; run pip install "
        "sentencepiece"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bert_notokenizer", "DIR: no tokenizer there (tokenizer.json or vocab.txt in DIR)"),
        ("bert_small_matrix", "DIR: its tokenizer has tokens up to number 87, its transformer embeddings of 58"),
        ("m2m100_nllb", "DIR: an encoder-decoder (m2m_100); clir-ot reads T5's kin alone; choose an encoder"),
        ("lfs_weights", "DIR/model.safetensors: is a Git-LFS pointer"),
        ("lfs_tokenizer", "DIR/tokenizer.json: is a Git-LFS pointer"),
        ("bert_nopad", None),
        ("t5_encoder", None),
    ],
)
def test_folders_that_ended_in_a_traceback_or_a_table_of_nothing(name: str, said: str | None) -> None:
    folder = CASES / name
    if not folder.is_dir():
        pytest.skip("no ../shared/cases here")
    if said:
        assert refused(folder).startswith(said)
    else:
        assert vectors(folder).shape[2] == 8
