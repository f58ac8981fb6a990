"""Distillation from millions of sentence pairs: time and resident memory of its first steps, with a tiny encoder.

    python benchmarks/scale_training.py --pairs 10000000 --folder /tmp/scale

Makes a collection of so many pairs (about 220 bytes of text each by default), then trains a student of two layers on
it, by `clir-ot fit` with experiments/distill.yaml in a process of its own: the pairs are read, counted, drawn and
tokenised as by any student; only the encoder is smaller. Prints the seconds that passed, those of them
that the processor worked on it, and the most memory that was resident at any time, pages of mapped files included. The
folder is kept if it is given, and the collection made again only for another number.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scale_collection import WORDS, make_pairs, write
from scale_collection import peak as peak_memory

EXPERIMENT = Path(__file__).parent.parent / "experiments" / "distill.yaml"


def make_collection(folder: Path, count: int, words: int) -> None:
    """The bitext, and a few documents and queries."""
    make_pairs(folder, count, words)
    for name, kind in (("corpus", "d"), ("queries", "q"), ("queries.yo", "q")):
        write(folder / f"{name}.jsonl", (json.dumps({"_id": f"{kind}{i}", "text": f"the book {i}"}) for i in range(99)))
    write(folder / "qrels" / "test.tsv", (f"q{i}\td{i}\t1" for i in range(99)))


def make_encoder(folder: Path) -> None:
    """Two random layers of 32 dimensions over whole words, with a projection."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    from clir_ot import TokenEncoder

    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "query", ":", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    with tempfile.TemporaryDirectory() as plain:
        config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=256, pad_token_id=0, **sizes)
        BertModel(config, add_pooling_layer=False).save_pretrained(plain)
        fast.save_pretrained(plain)
        TokenEncoder.from_pretrained(plain, dimensions=32).save_pretrained(folder)


def train(folder: Path, steps: int, options: list[str]) -> None:
    """In this process; prints its figures."""
    from clir_ot.fit import fit

    start = time.perf_counter()
    fit(
        ["--config", str(EXPERIMENT), "--data.collection", str(folder / "collection"), "--data.languages", "yo",
         "--model.teacher", str(folder / "encoder"), "--run", str(folder / f"run-{os.getpid()}"),
         "--trainer.max_epochs", "1", "--trainer.max_steps", str(steps), "--trainer.accelerator", "cpu",
         "--trainer.logger", "false", *options]
    )  # fmt: skip
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "cpu": time.process_time(), "peak": peak_memory() / 2**20}))


def measure(folder: Path, count: int, words: int, steps: int, options: list[str]) -> None:
    """Make what is not there, and run it."""
    made = folder / f"{count}x{words}"
    if not made.is_dir():
        make_collection(folder / "half" / "collection", count, words)
        make_encoder(folder / "half" / "encoder")
        (folder / "half").rename(made)
    size = (made / "collection" / "bitext" / "yo.tsv").stat().st_size
    print(f"{count} pairs, {size / 2**30:.2f} GiB of text; {steps} steps {' '.join(options)}\n", flush=True)
    environment = os.environ | {"CLIR_OT_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    print("| run               | seconds | CPU seconds | peak resident MiB |")
    print("|-------------------|---------|-------------|-------------------|", flush=True)
    for name in ("first", "bitext in cache"):
        command = [sys.executable, __file__, "--folder", str(made), "--steps", str(steps), "--train", *options]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        figures = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {name:17} | {figures['seconds']:7.1f} | {figures['cpu']:11.1f} | {figures['peak']:17.0f} |", flush=True
        )


def main() -> None:
    """Parse the command line; what is not known goes to `clir-ot fit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000, help="default: 1000000")
    parser.add_argument("--words", type=int, default=18, help="of a side of a pair; default: 18")
    parser.add_argument("--steps", type=int, default=300, help="default: 300")
    parser.add_argument("--folder", type=Path, help="to work in; default: one that is removed at the end")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    arguments, options = parser.parse_known_args()
    if arguments.train:
        train(arguments.folder, arguments.steps, options)
    elif arguments.folder:
        measure(arguments.folder, arguments.pairs, arguments.words, arguments.steps, options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), arguments.pairs, arguments.words, arguments.steps, options)


if __name__ == "__main__":
    main()
