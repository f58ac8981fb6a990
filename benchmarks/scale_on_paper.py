"""What a teacher on MS MARCO, seven students and an index of ten million documents would cost: docs/scale.md's tables.

    python benchmarks/scale_on_paper.py
    python benchmarks/scale_on_paper.py --measure --cores 16
    python benchmarks/scale_on_paper.py --cores 64 --utilisation 0.4

Time is FLOP over rate. A core's rates are what `--measure` has found on one machine, in float32; that of a GPU is an
assumption: its peak in bf16 by its data sheet, times a utilisation. Nothing here has been run at this size.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

MILLION = 10**6


@dataclass(frozen=True)
class Encoder:
    """Parameters outside the table of word embeddings, which does no multiplication, and inside it."""

    name: str
    layers: float
    table: float


@dataclass(frozen=True)
class Work:
    """Tokens that go through an encoder, and FLOP a token for each parameter: 2 forward, 6 with the gradient."""

    name: str
    tokens: float
    flop: int


ENCODERS = (Encoder("starter (multilingual-e5-small)", 21.3 * MILLION, 96 * MILLION),
            Encoder("mBERT, XLM-R base", 85.1 * MILLION, 92 * MILLION))  # fmt: skip
# Tokens of a text, special ones included: assumed, see docs/scale.md.
QUERY, PASSAGE, ENGLISH, FOREIGN = 12, 80, 25, 35
STEPS, BATCH = 200_000, 32  # experiments/paper/teacher.yaml
LANGUAGES, PAIRS, EPOCHS = 7, MILLION, 3  # experiments/paper/optical.yaml, a million pairs a language
DOCUMENTS, DIMENSIONS = 10 * MILLION, 128

WORKS = (
    Work("teacher: 200,000 steps of 32 pairs", STEPS * BATCH * (QUERY + PASSAGE), 6),
    Work("the teacher's vectors of 7 x 1 M English sentences, once", LANGUAGES * PAIRS * ENGLISH, 2),
    Work("7 students: 3 epochs of 1 M pairs each", LANGUAGES * PAIRS * EPOCHS * FOREIGN, 6),
    Work("  the same, the teacher in every step", LANGUAGES * PAIRS * EPOCHS * (FOREIGN + ENGLISH / 3), 6),
    Work("index: 10 M documents encoded", DOCUMENTS * PASSAGE, 2),
)
GPUS = {"A100": 312e12, "H100": 989e12}  # FLOP/s, bf16, dense: NVIDIA's data sheets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--measure", action="store_true", help="a core's rates, here and now, with the starter's encoder"
    )
    parser.add_argument("--training", type=float, default=93e9, help="FLOP/s of a core in training, measured")
    parser.add_argument("--encoding", type=float, default=94e9, help="FLOP/s of a core in encoding, measured")
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--utilisation", type=float, default=0.3, help="of a GPU's peak; assumed")
    arguments = parser.parse_args()
    if arguments.measure:
        arguments.training, arguments.encoding = measured()
        print(f"a core: {arguments.training / 1e9:.0f} GFLOP/s training, {arguments.encoding / 1e9:.0f} encoding\n")
    gpus = " | ".join(f"{name}, hours" for name in GPUS)
    print(
        f"| | encoder | tokens | PFLOP | {arguments.cores} cores, hours | {gpus} |\n"
        f"|---|---|---|---|---|{'---|' * len(GPUS)}"
    )
    for work in WORKS:
        for encoder in ENCODERS:
            flop = work.tokens * work.flop * encoder.layers
            rate = arguments.cores * (arguments.training if work.flop == 6 else arguments.encoding)
            hours = [flop / rate, *(flop / (peak * arguments.utilisation) for peak in GPUS.values())]
            cells = " | ".join(f"{value / 3600:.3g}" for value in hours)
            print(f"| {work.name} | {encoder.name} | {work.tokens / 1e9:.3g} G | {flop / 1e15:.0f} | {cells} |")
    coordinates = DOCUMENTS * PASSAGE * DIMENSIONS
    print("\n| index, bits a coordinate | GB |\n|---|---|")
    for bits in (32, 16, 8, 4, 2, 1):
        print(f"| {bits} | {coordinates * bits / 8e9:.0f} |")
    vectors = PAIRS * ENGLISH * DIMENSIONS
    print(f"\nteacher's vectors a language: {vectors * 4 / 1e9:.1f} GB in 32 bits, {vectors * 2 / 1e9:.1f} GB in 16")
    flop = 2 * QUERY * coordinates
    print(
        f"exact search: {flop / 1e12:.2f} TFLOP a query, {flop / (arguments.cores * 100e9):.2g} s on all cores "
        "at 100 GFLOP/s each"
    )
    for encoder in ENCODERS:
        trained = encoder.layers * 16 + encoder.table * 4
        print(f"{encoder.name}: {trained / 1e9:.2f} GB of weights, gradients and AdamW, the table frozen; "
              f"{(encoder.layers + encoder.table) * 16 / 1e9:.2f} GB with the table")  # fmt: skip


def measured() -> tuple[float, float]:
    """FLOP/s of one core in training and in encoding: 32 texts of 80 tokens through the starter's encoder."""
    import torch

    from clir_ot import TokenEncoder
    from clir_ot.collections.cache import locate
    from clir_ot.data.batches import Tokens

    torch.set_num_threads(1)
    encoder = TokenEncoder.from_pretrained(locate("starter", "encoder"), dimensions=128).eval()
    encoder.freeze(word_embeddings=True, layers=0)
    real = torch.ones(BATCH, PASSAGE, dtype=torch.long)
    tokens = Tokens(torch.randint(1000, 200_000, real.shape), real, real.bool(), [PASSAGE] * BATCH)

    def train() -> None:
        encoder(tokens).sum().backward()

    def rate(work: Callable[[], object], flop: int) -> float:
        took = []
        for _ in range(8):
            start = time.process_time()
            work()
            took.append(time.process_time() - start)
        return flop * ENCODERS[0].layers * BATCH * PASSAGE / statistics.median(took[1:])

    return rate(train, 6), rate(torch.inference_mode()(lambda: encoder(tokens)), 2)


if __name__ == "__main__":
    main()
