"""What others publish: the vectors are those of sentence-transformers 6, or one line names what they would need."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sentence_transformers import MultiVectorEncoder, SentenceTransformer

from clir_ot import TokenEncoder
from clir_ot.errors import UserError
from clir_ot.models.encoder_folder import read_settings

CASES = Path(__file__).parents[3] / "shared" / "cases" / "encoders"
QUERIES = ["bara desil", "fitem govu kuzo", "lamra " * 300, "mensil."]
DOCUMENTS = ["govu fitem kuzo", "bara desil, fitem norvu. " * 80, "mensil", "lamra lamzo bara"]
LINEAR, TANH, GELU = (f"torch.nn.modules.{name}" for name in ("linear.Identity", "activation.Tanh", "activation.GELU"))
# As PyLate 1.3 saves a model without markers.
PYLATE: dict[str, Any] = {
    "__version__": {"sentence_transformers": "5.1.1"}, "model_type": "SentenceTransformer", "prompts": {},
    "default_prompt_name": None, "similarity_fn_name": "MaxSim", "query_prefix": "", "document_prefix": "",
    "query_length": 32, "document_length": 180, "attend_to_expansion_tokens": False, "do_query_expansion": False,
    "skiplist_words": [],
}  # fmt: skip
Build = Callable[..., Path]


def dense_module(folder: Path, inputs: int, outputs: int, activation: str, bias: bool = False, **more: Any) -> None:
    folder.mkdir()
    chance = torch.Generator().manual_seed(inputs + outputs)
    state = {"linear.weight": torch.randn(outputs, inputs, generator=chance)}
    if bias:
        state["linear.bias"] = torch.randn(outputs, generator=chance)
    save_file(state, folder / "model.safetensors")
    config = {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": activation, **more}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.fixture
def build(encoder_folder: Path, tmp_path: Path) -> Build:
    """A published encoder: `kinds` of modules behind the transformer, and files by name, as JSON."""

    def published(kinds: str, files: dict[str, Any], transformer: str = "") -> Path:
        folder = tmp_path / "published"
        shutil.copytree(encoder_folder, folder / transformer)
        modules = [{"path": transformer, "type": "sentence_transformers.models.Transformer"}]
        for number, kind in enumerate(kinds.split(), start=1):
            library = "pylate.models.Dense" if kind == "PyLate" else "sentence_transformers.models"
            name = kind.replace("PyLate", "Dense")
            modules.append({"path": f"{number}_{name}", "type": f"{library}.{name}"})
        listed = [{"idx": i, "name": str(i), **module} for i, module in enumerate(modules)]
        for name, said in {"modules.json": listed, **files}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(json.dumps(said))
        return folder

    return published


def pylate(build: Build, activation: str = LINEAR, bias: bool = False, **settings: Any) -> Path:
    files = {
        "config_sentence_transformers.json": {**PYLATE, **settings},
        "sentence_bert_config.json": {"max_seq_length": 179, "do_lower_case": False},
    }
    folder = build("PyLate", files)
    dense_module(folder / "1_Dense", 32, 16, activation, bias, use_residual=False)
    return folder


def labse(build: Build) -> Path:
    pooling = {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    settings = {"__version__": {"sentence_transformers": "2.0.0"}}
    files = {"1_Pooling/config.json": pooling, "config_sentence_transformers.json": settings}
    folder = build("Pooling Dense Normalize", files)
    dense_module(folder / "2_Dense", 32, 24, TANH, bias=True)
    return folder


def mean_pooled(build: Build, transformer: str = "", **of_transformer: Any) -> Path:
    files = {
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
        f"{transformer or '.'}/sentence_bert_config.json": of_transformer or {"max_seq_length": 20},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
    }
    return build("Pooling", files, transformer)


def saved_again(build: Build, scoring: str) -> Path:
    base = build("", {})
    (base / "modules.json").unlink()
    options: dict[str, Any] = {"query_prefix": "query: ", "document_prefix": "passage: ", "query_length": 12}
    folder = base.parent / scoring
    TokenEncoder.from_pretrained(base, dimensions=8, scoring=scoring, **options).save_pretrained(folder)
    library = {"late": MultiVectorEncoder, "dense": SentenceTransformer}[scoring]
    library(str(folder), device="cpu").save_pretrained(str(base.parent / "again"))
    return base.parent / "again"


def half_in_torchs_format(build: Build) -> Path:
    folder = labse(build)
    chance = torch.Generator().manual_seed(0)
    state = {"linear.weight": torch.randn(24, 32, generator=chance), "linear.bias": torch.randn(24, generator=chance)}
    torch.save({name: tensor.half() for name, tensor in state.items()}, folder / "2_Dense" / "pytorch_model.bin")
    (folder / "2_Dense" / "model.safetensors").unlink()
    return folder


READ: dict[str, Callable[[Build], Path]] = {
    "prompts {}": pylate,
    "prompts": lambda build: pylate(build, prompts={"query": "query: ", "document": "passage: "}, model_type="ColBERT"),
    "bias and activation": lambda build: pylate(build, activation=GELU, bias=True),
    "sentence-transformers 6, late": lambda build: saved_again(build, "late"),
    "sentence-transformers 6, dense": lambda build: saved_again(build, "dense"),
    "LaBSE": labse,
    "half a Dense in torch's format": half_in_torchs_format,
    "mean pooling alone": mean_pooled,
    "0_Transformer": lambda build: mean_pooled(build, "0_Transformer"),
}


def same_vectors(folder: Path) -> str:
    """Compare with the other library, and say which scoring it was."""
    encoder = TokenEncoder.from_pretrained(folder).eval()
    with torch.no_grad():
        ours = [
            encoder.vectors(tokens)
            for tokens in (encoder.tokenizer.queries(QUERIES), encoder.tokenizer.documents(DOCUMENTS))
        ]
    library = {"late": MultiVectorEncoder, "dense": SentenceTransformer}[encoder.scoring]
    model = library(str(folder), device="cpu")
    theirs = model.encode_query(QUERIES), model.encode_document(DOCUMENTS)
    for (vectors, mask), found in zip(ours, theirs, strict=True):
        for row, real, expected in zip(vectors, mask, found, strict=True):
            wanted = F.normalize(torch.as_tensor(expected).reshape(-1, vectors.shape[2]), dim=-1)
            assert row[real].shape == wanted.shape
            assert (row[real] - wanted).abs().max() < 1e-5
    return encoder.scoring


@pytest.mark.parametrize("layout", READ)
def test_vectors_are_sentence_transformers_own(build: Build, layout: str, tmp_path: Path) -> None:
    folder = READ[layout](build)
    scoring = same_vectors(folder)
    # And those of the folder that clir-ot makes of it.
    TokenEncoder.from_pretrained(folder).save_pretrained(tmp_path / "ours")
    assert same_vectors(tmp_path / "ours") == scoring
    assert read_settings(tmp_path / "ours") is not None


@pytest.mark.parametrize(
    ("said", "settings"),
    [
        ("query_prefix '[Q] '", {"query_prefix": "[Q] "}),
        ("document_prefix '[D] '", {"document_prefix": "[D] ", "prompts": {"query": "", "document": ""}}),
        ("do_query_expansion true", {"do_query_expansion": True}),
        ("do_query_expansion, which is on where it is not said", {"do_query_expansion": None}),
        ("query_expansion (2 of them)", {"query_expansion": {"strategy": "fixed", "length": 32}}),
        ("skiplist_words (2 of them)", {"skiplist_words": [".", ","]}),
        ("skiplist_words, which is on where it is not said", {"skiplist_words": None}),
        ("similarity_fn_name 'xtr'", {"similarity_fn_name": "xtr"}),
        ("model_type 'SparseEncoder'", {"model_type": "SparseEncoder"}),
        ("default_prompt_name 'retrieval'", {"default_prompt_name": "retrieval", "prompts": {"retrieval": "r: "}}),
        ("the prompt 'passage' beside document ''", {"prompts": {"query": "q: ", "passage": "p: "}}),
        ("token_pooling 2", {"token_pooling": 2}),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_named(build: Build, said: str, settings: dict[str, Any]) -> None:
    folder = pylate(build, **settings)
    for options in ({}, {"dimensions": 16}):  # training does not go on without it either
        with pytest.raises(UserError) as caught:
            TokenEncoder.from_pretrained(folder, **options)
        assert f"{folder}: clir-ot would give other vectors" in str(caught.value)
        assert f"does not honour {said} (config_sentence_transformers.json)" in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}, "pooling_mode ['max', 'mean'] (1_Pooling)"),
        ("1_Pooling/config.json", {"pooling_mode": "lasttoken"}, "pooling_mode lasttoken (1_Pooling)"),
        ("1_Pooling/config.json", {"include_prompt": False}, "include_prompt false (1_Pooling)"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case true (sentence_bert_config.json)"),
        ("sentence_bert_config.json", {"processing_kwargs": {"text": {"padding": True}}}, "processing_kwargs (1"),
        ("config_sentence_transformers.json", {"similarity_fn_name": "dot"}, "similarity_fn_name 'dot'"),
        ("config_sentence_transformers.json", {"truncate_dim": 64}, "truncate_dim 64"),
    ],
)  # fmt: skip
def test_dense_settings_are_named_too(build: Build, file: str, change: dict[str, Any], said: str) -> None:
    folder = mean_pooled(build)
    (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(folder)
    assert said in str(caught.value)
    assert TokenEncoder.from_pretrained(folder, dimensions=8).scoring == "late"  # from its transformer


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ("PyLate PyLate", "2 Dense modules (modules.json)"),
        ("WeightedLayerPooling Pooling", "WeightedLayerPooling in 1_WeightedLayerPooling (modules.json)"),
        ("Pooling LayerNorm", "LayerNorm in 2_LayerNorm (modules.json)"),
        ("Pooling Normalize Dense", "Transformer, Pooling, Normalize, Dense (modules.json)"),
        ("Dense", "neither Pooling, nor token vectors as PyLate and MultiVectorEncoder have them (modules.json)"),
        ("Dense MultiVectorMask", "no Normalize (modules.json); skiplist_words (1 of them) (2_MultiVectorMask)"),
    ],
)
def test_a_module_that_cannot_be_honoured_is_named(build: Build, kinds: str, said: str) -> None:
    settings: dict[str, Any] = {"model_type": "MultiVectorEncoder"} if "Mask" in kinds else {**PYLATE}
    if kinds == "Dense":
        settings |= {"model_type": "SentenceTransformer"}
    if "Pooling" in kinds:
        settings = {}
    files = {"config_sentence_transformers.json": settings}
    if "Mask" in kinds:
        files["2_MultiVectorMask/config.json"] = {"skiplist_words": ["."], "skiplist_tasks": ["document"]}
    folder = build(kinds, files)
    for number, kind in enumerate(kinds.split(), start=1):
        if kind in ("PyLate", "Dense"):
            dense_module(folder / f"{number}_Dense", 32, 32, LINEAR)
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(folder)
    assert f"does not honour {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"use_residual": True}, "does not honour use_residual true (1_Dense)"),
        ({"activation_function": "my.Function"}, "does not honour activation_function my.Function (1_Dense)"),
        ({"activation_function": None}, "does not honour activation_function None (1_Dense)"),
        ({"activation_function": "torch.nn.modules.activation.PReLU"}, "has weights, which no file holds"),
        ({"activation_function": "torch.nn.modules.activation.Nonesuch"}, "is none of torch's"),
        ({"module_input_name": "sentence_embedding"}, "does not honour module_input_name 'sentence_embedding'"),
        ({"bias": True}, "config.json says bias True, the weights False"),
        ({"in_features": 8}, "config.json says in_features 8, the weights 32"),
    ],
)
def test_a_projection_that_cannot_be_honoured_is_named(build: Build, config: dict[str, Any], said: str) -> None:
    folder = pylate(build)
    place = folder / "1_Dense" / "config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **config}))
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_projection_of_another_width_is_refused(build: Build) -> None:
    folder = pylate(build)
    shutil.rmtree(folder / "1_Dense")
    dense_module(folder / "1_Dense", 48, 16, LINEAR)
    with pytest.raises(UserError, match=r"1_Dense: projects 48 dimensions, and the transformer gives 32"):
        TokenEncoder.from_pretrained(folder)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ([{"path": "", "type": "custom_st.Transformer"}], "a module of type custom_st.Transformer, whose code would"),
        ([{"path": "../x", "type": "sentence_transformers.models.Transformer"}], "../x lies outside the folder"),
        ([{"path": "", "type": "sentence_transformers.models.Transformer", "kwargs": ["task"]}], "takes task with"),
        ([{"path": "", "type": "sentence_transformers.models.BoW"}], "expected a Transformer first"),
        ([{"path": ""}], "expected a list of objects with type and path"),
        ({"a": 1}, "expected a list of objects with type and path"),
        (3, "expected a list of objects with type and path"),
        ([], "expected a Transformer first"),
    ],
)
def test_modules_that_cannot_be_read_are_one_line(build: Build, modules: Any, said: str) -> None:
    folder = build("", {})
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(UserError) as caught:
        TokenEncoder.from_pretrained(folder, dimensions=8)
    assert str(caught.value).startswith(f"{folder / 'modules.json'}: ")
    assert said in str(caught.value)


def test_stanfords_colbert_is_named(build: Build) -> None:
    folder = build("", {"artifact.metadata": {"query_token_id": "[unused7]", "doc_token_id": "[unused8]"}})
    (folder / "modules.json").unlink()
    for options in ({}, {"dimensions": 8}):
        with pytest.raises(
            UserError, match=r"Stanford's ColBERT \(HF_ColBERT\).* \[unused7\] and \[unused8\], the query"
        ):
            TokenEncoder.from_pretrained(folder, **options)
    (folder / "artifact.metadata").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "architectures": ["HF_ColBERT"]}))
    with pytest.raises(UserError, match=r"\[unused0\] and \[unused1\]"):
        TokenEncoder.from_pretrained(folder, dimensions=8)


def test_parts_without_modules_are_no_transformer_alone(build: Build) -> None:
    folder = pylate(build)
    (folder / "modules.json").unlink()
    with pytest.raises(UserError, match=r"has config_sentence_transformers.json, but no modules.json that says what"):
        TokenEncoder.from_pretrained(folder, dimensions=8)


def test_training_says_what_it_leaves_out(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    folder = labse(build)
    late = TokenEncoder.from_pretrained(folder, dimensions=8, query_length=9, query_prefix="query: ")
    assert capsys.readouterr().out == (
        f"{folder}: training starts from its transformer; left out are 1_Pooling, 2_Dense, 3_Normalize, its prompts "
        "and its lengths\n"
    )
    assert late.settings["dimensions"] == 8
    assert (late.scoring, late.tokenizer.query_length, late.tokenizer.query_prefix) == ("late", 9, "query: ")
    dense = TokenEncoder.from_pretrained(folder, dimensions=8, scoring="dense")  # goes on with what is there
    assert (dense.pooling, dense.projection.out_features, capsys.readouterr().out) == ("cls", 24, "")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("stanford_colbert", "a checkpoint of Stanford's ColBERT (HF_ColBERT)"),
        ("a_prompts_empty_dict", "do_query_expansion true, skiplist_words (3 of them), query_prefix '[Q] '"),
        ("b_prompts_empty_strings", "do_query_expansion true, skiplist_words (3 of them), query_prefix '[Q] '"),
        ("c_no_prompts", "do_query_expansion true, skiplist_words (3 of them), query_prefix '[Q] '"),
        ("d_two_dense", "2 Dense modules (modules.json)"),
        ("labse", None),
        ("st_0_Transformer", None),
    ],
)
def test_layouts_that_were_misread(name: str, said: str | None) -> None:
    folder = CASES / name
    if not folder.is_dir():
        pytest.skip("no ../shared/cases here")
    if said is None:
        assert same_vectors(folder) == "dense"
        return
    for options in ({}, {"dimensions": 16}):
        with pytest.raises(UserError) as caught:
            TokenEncoder.from_pretrained(folder, **options)
        assert said in str(caught.value)
