"""A tiny random encoder and a small synthetic parallel collection: no network, no file outside the test's folder.

The foreign language `yo` is English with every word spelt backwards behind an `x`: every translation is known exactly.
"""

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from clir_ot import TokenEncoder, cli

# Whoever runs the tests, logged in or not: nothing leaves the machine.
os.environ |= {"WANDB_MODE": "offline", "HF_HUB_OFFLINE": "1"}
# Tensors of a few numbers: threads cost more than they do, here and in the processes that tests start.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

WORDS = [
    f"{a}{b}" for a in ("ba", "de", "fi", "go", "ku", "lam", "men", "nor") for b in ("ra", "sil", "tem", "vu", "zo")
]


def translate(text: str) -> str:
    """English to the made-up language."""
    return " ".join("x" + word[::-1] for word in text.split())


def write_jsonl(path: Path, texts: dict[str, str]) -> None:
    path.write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text in texts.items()))


def make_collection(folder: Path, documents: int = 24) -> Path:
    """Documents of three sentences, each sentence a query; documents are dealt to train, dev and test in turn."""
    chance = random.Random(7)
    corpus, queries = {}, {}
    splits: dict[str, list[str]] = {"train": [], "dev": [], "test": []}
    for d in range(documents):
        sentences = [" ".join(chance.sample(WORDS, 4)) for _ in range(3)]
        corpus[f"d{d}"] = "\n".join(sentences)
        for s, sentence in enumerate(sentences):
            queries[f"d{d}.{s}"] = sentence
            splits[("train", "train", "dev", "test")[d % 4]].append(f"d{d}.{s}\td{d}\t1")
    (folder / "qrels").mkdir(parents=True)
    (folder / "bitext").mkdir()
    for suffix, spell in (("", str), (".yo", translate), (".sw", lambda text: translate(translate(text)))):
        write_jsonl(folder / f"corpus{suffix}.jsonl", {name: spell(text) for name, text in corpus.items()})
        write_jsonl(folder / f"queries{suffix}.jsonl", {name: spell(text) for name, text in queries.items()})
    for split, rows in splits.items():
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")
    training = [queries[row.split("\t")[0]] for row in splits["train"]]
    (folder / "bitext" / "yo.tsv").write_text("".join(f"{text}\t{translate(text)}\n" for text in training))
    return folder


def make_encoder(folder: Path) -> Path:
    """BERT of two layers and 32 dimensions with random weights, and a word-level tokenizer."""
    words = [*WORDS, *map(translate, WORDS), *(translate(translate(word)) for word in WORDS)]
    vocabulary = {
        piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", "passage", ":", *words])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=256,
        pad_token_id=0,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def teacher_folder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A token encoder as training saves it, which is no run's; shared and read-only."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("teacher") / "encoder"
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def collection_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared and read-only: a test that changes a collection makes its own."""
    return make_collection(tmp_path_factory.mktemp("collection") / "toy")


@pytest.fixture
def own_collection(tmp_path: Path) -> Path:
    return make_collection(tmp_path / "toy")


@pytest.fixture(scope="session")
def run_clir() -> Callable[..., None]:
    """Run a command in this process."""

    def run(*arguments: object) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["clir-ot", *map(str, arguments)])
            cli.main()

    return run


@pytest.fixture
def clir(run_clir: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command printed, or the one line it failed with behind `FAILED: `."""

    def run(*arguments: object) -> str:
        try:
            run_clir(*arguments)
        except SystemExit as error:
            return f"FAILED: {error.code}"
        return capsys.readouterr().out

    return run


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, collection_folder: Path, encoder_folder: Path) -> dict[str, Path]:
    """Everything that some command reads, as it should be; shared and read-only."""
    from tests.hostile import make_good

    return make_good(tmp_path_factory.mktemp("good"), collection_folder, encoder_folder)
