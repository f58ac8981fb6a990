"""How time and memory grow with documents, queries, bitext and batch: 1, 4 and 16 times as many.

    python benchmarks/growth.py
    python benchmarks/growth.py --only "a contrastive step, by batch"

The encoder is a small random one, so that what the suite does around it weighs; the transformer's own work grows with
the tokens. Each size is measured in a process of its own, forked from this one: seconds of the processor on one thread,
and resident memory above what the process began with. `exponent` is the slope of the logarithms: 1 is linear.
"""

import argparse
import contextlib
import math
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from clir_ot import TokenEncoder
from clir_ot.collections.cache import locate
from clir_ot.data.batches import Tokens
from clir_ot.data.sampler import HybridBatchSampler
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.data.training_batches import TrainingBatches, TrainingTexts
from clir_ot.evaluation.metrics import evaluate_run
from clir_ot.models.losses import info_nce
from clir_ot.models.maxsim import maxsim
from clir_ot.models.transport_scores import transport_costs
from clir_ot.retrieval.approximate import TokenLists
from clir_ot.retrieval.codecs import import_faiss
from clir_ot.retrieval.search import search
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.runs.teacher_vectors import TeacherVectors
from encoded_sentences import write_index

TIMES = (1, 4, 16)
WORDS = [
    "ọmọ",
    "ilé",
    "ọ̀nà",
    "ìwé",
    "ẹ̀kọ́",
    "àti",
    "fún",
    "nípa",
    "kan",
    "the",
    "of",
    "a",
    "school",
    "road",
    "book",
    "remove",
]

Work = Callable[[], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="one of the rows")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = small_encoder()
    print("| what | 1x | seconds: 1x, 4x, 16x | exponent | MiB: 1x, 4x, 16x | exponent |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as tempfile.tempdir:  # what the works write goes with it
        table(encoder, arguments.only)


def table(encoder: TokenEncoder, only: str | None) -> None:
    for name, (size, prepare) in rows(encoder).items():
        if only in (None, name):
            figures = [measured(lambda n=n, prepare=prepare: prepare(n)) for n in (size * times for times in TIMES)]  # type: ignore[misc]
            seconds, memory = zip(*figures, strict=True)
            cells = [f"{', '.join(f'{v:.3g}' for v in values)} | {slope(values)}" for values in (seconds, memory)]
            print(f"| {name} | {size} | {' | '.join(cells)} |", flush=True)


def rows(encoder: TokenEncoder) -> dict[str, tuple[int, Callable[[int], Work]]]:
    """`{what: (size, prepares the work of a size)}`."""
    return {
        "encoding, by documents": (200, lambda n: encoding(encoder, n)),
        "exact search, by documents": (500, lambda n: searching(n, 100)),
        "exact search, by queries": (50, lambda n: searching(2000, n)),
        "the lists of approximate search, by documents": (3000, listing),
        "measures, by queries": (100, judging),
        "batches of an epoch, by bitext": (500, lambda n: epoch(encoder, n)),
        "the teacher's vectors, by bitext": (200, lambda n: teaching(encoder, n)),
        "a contrastive step, by batch": (8, lambda n: contrastive_step(encoder, n)),
        "its MaxSim alone, by batch": (16, maxsim_step),
        "transport contrast, by batch": (8, transport_step),
    }


def measured(prepare: Callable[[], Work]) -> tuple[float, float]:
    """Seconds and MiB of one work."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)

    def child() -> None:
        work = prepare()
        Path("/proc/self/clear_refs").write_text("5")  # the most so far is forgotten: it was of the preparation
        resident = _memory("VmRSS")
        start = time.process_time()
        with contextlib.redirect_stdout(None):  # nothing between the rows of the table
            work()
        taken = time.process_time() - start
        send.send((taken, max(0.0, _memory("VmHWM") - resident)))

    process = context.Process(target=child)
    process.start()
    found: tuple[float, float] = receive.recv()
    process.join()
    return found


def _memory(field: str) -> float:
    """MiB, of this process, as Linux counts them."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def slope(values: tuple[float, ...]) -> str:
    """Least squares of log value by log size; not of values too small to tell."""
    if min(values) < 1e-3:
        return "-"
    x, y = [math.log(times) for times in TIMES], [math.log(value) for value in values]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return (
        f"{sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x):.2f}"
    )


def small_encoder() -> TokenEncoder:
    """Two layers of 64 dimensions, with the starter's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(locate("starter", "encoder"))
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
        attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0,
    )  # fmt: skip
    torch.manual_seed(0)
    texts = TextTokenizer(tokenizer, "query: ", "passage: ")
    return TokenEncoder(BertModel(config, add_pooling_layer=False), torch.nn.Linear(64, 128, bias=False), texts)


def sentences(count: int, words: int) -> list[str]:
    chance = random.Random(0)
    return [" ".join(chance.choices(WORDS, k=chance.randint(words // 2, words * 3 // 2))) for _ in range(count)]


def vectors(count: int, length: int) -> TokenIndex:
    chance = torch.Generator().manual_seed(0)
    lengths = torch.randint(length // 2, length * 3 // 2, (count,), generator=chance)
    tokens = torch.nn.functional.normalize(torch.randn(int(lengths.sum()), 128, generator=chance), dim=-1)
    return TokenIndex([str(i) for i in range(count)], lengths, tokens)


def encoding(encoder: TokenEncoder, documents: int) -> Work:
    texts = {str(i): text for i, text in enumerate(sentences(documents, 60))}
    return lambda: _none(encode(encoder, encoder.tokenizer.documents, texts))


def searching(documents: int, queries: int) -> Work:
    asked, searched = vectors(queries, 12), vectors(documents, 60)
    return lambda: _none(search(asked, searched, 100))


def listing(documents: int) -> Work:
    import_faiss("this benchmark").omp_set_num_threads(1)
    index = write_index(Path(tempfile.mkdtemp()) / "index", vectors(documents, 60), "float16")
    return lambda: _none(TokenLists.open(index))


def judging(queries: int) -> Work:
    chance = random.Random(0)
    run = {str(q): {str(d): chance.random() for d in range(1000)} for q in range(queries)}
    qrels = {str(q): {str(chance.randrange(1000)): 1 for _ in range(5)} for q in range(queries)}
    return lambda: _none(evaluate_run(run, qrels))


def bitext(pairs: int) -> TrainingTexts:
    return TrainingTexts({}, {}, {}, {"yo": list(zip(sentences(pairs, 12), sentences(pairs + 1, 16)[1:], strict=True))})


def epoch(encoder: TokenEncoder, pairs: int) -> Work:
    texts = bitext(pairs)

    def work() -> None:
        sampler = HybridBatchSampler(
            {}, texts.bitext_lengths(encoder.tokenizer), bitext_rate=1.0, english_share=0.25, batch_size=16
        )
        batches = TrainingBatches(texts, encoder.tokenizer, None, 48)
        for plan in sampler:
            batches[plan]

    return work


def teaching(encoder: TokenEncoder, pairs: int) -> Work:
    """What a distillation does before its first step, without the file and then with it."""
    from types import SimpleNamespace as Fake

    remembered: list[object] = []
    module = Fake(teacher=encoder, remember=remembered.append)
    from contextlib import nullcontext

    trainer = Fake(
        datamodule=Fake(texts=bitext(pairs)), precision="32-true", is_global_zero=True,
        strategy=Fake(barrier=lambda: None), precision_plugin=Fake(forward_context=nullcontext),
    )  # fmt: skip
    folder = Path(tempfile.mkdtemp())

    def work() -> None:
        for _ in range(2):
            TeacherVectors(folder, "teacher").on_fit_start(trainer, module)  # type: ignore[arg-type]

    return work


def _tokens(encoder: TokenEncoder, kind: str, count: int, words: int) -> Tokens:
    tokens: Tokens = getattr(encoder.tokenizer, kind)(sentences(count, words))
    return tokens


def contrastive_step(encoder: TokenEncoder, batch: int) -> Work:
    queries, documents = _tokens(encoder, "queries", batch, 10), _tokens(encoder, "documents", batch, 40)
    relevant = torch.eye(batch, dtype=torch.bool)

    def work() -> None:
        scores = maxsim(encoder(queries), encoder(documents), queries.mask, documents.mask)
        info_nce(scores, relevant, 0.02).backward()

    return work


def _batch(batch: int, length: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(batch, length, 128), dim=-1).requires_grad_()


def maxsim_step(batch: int) -> Work:
    queries, documents = _batch(batch, 12), _batch(batch, 60)
    masks = (torch.ones(side.shape[:2], dtype=torch.bool) for side in (queries, documents))
    return lambda: _none(maxsim(queries, documents, *masks).sum().backward())


def transport_step(batch: int) -> Work:
    english, foreign = _batch(batch, 12).detach(), _batch(batch, 16)
    masks = (torch.ones(side.shape[:2], dtype=torch.bool) for side in (english, foreign))
    return lambda: _none(transport_costs(english, foreign, *masks)[0].sum().backward())


def _none(value: object) -> None:
    """What a work returns is dropped."""


if __name__ == "__main__":
    main()
