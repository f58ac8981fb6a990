"""Transport beside its peers: time of forward and backward, and error of <P, C> against exact transport.

    python benchmarks/transport.py --threads 1
    python benchmarks/transport.py --teacher runs/starter/teacher/encoder --student runs/starter/distill-yo/encoder \
        --bitext starter/bitext/yo.tsv --json transport.json

All sides get the same token vectors and give a gradient to the student's. They take turns, so that what else the
machine does slows all of them; the time is the median. Read the ratios: absolute times are of one machine on one day.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import ot
import torch
import torch.nn.functional as F
from geomloss import SamplesLoss
from geomloss.ot import solve_batch

from clir_ot import TokenEncoder
from clir_ot.models.transport import solve_transport, token_cost, transport_loss
from clir_ot.models.transport_scores import transport_costs

EPSILON = 0.005
SLOW = 0.5
"""Seconds above which a side is not repeated."""


@dataclass
class Problem:
    """B sentence pairs: unit vectors (B, N, D) and (B, M, D), and their masks."""

    name: str
    teacher: torch.Tensor
    student: torch.Tensor
    mask_a: torch.Tensor
    mask_b: torch.Tensor

    @property
    def marginals(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mask_a / self.mask_a.sum(1, keepdim=True), self.mask_b / self.mask_b.sum(1, keepdim=True)

    def cost(self, student: torch.Tensor) -> torch.Tensor:
        return token_cost(self.teacher, student, self.mask_a, self.mask_b)


@dataclass
class Row:
    setting: str
    side: str
    ms: float
    ratio: float
    mean_error: float
    worst_error: float
    note: str


# A side: the loss to differentiate, and afterwards the value <P, C> of every pair.
Side = Callable[[Problem, torch.Tensor], tuple[torch.Tensor, Callable[[], torch.Tensor]]]


def ours(**options) -> Side:
    def side(problem: Problem, student: torch.Tensor):
        masks = problem.mask_a, problem.mask_b
        loss = transport_loss(problem.teacher, student, *masks, **options)
        return loss, lambda: solve_transport(problem.cost(student), *masks, **options).value

    return side


def samples_loss(scaling: float) -> Side:
    """|x - y|^2 / 2 is 1 - cos for unit vectors, and blur^2 is epsilon. Its value includes the entropy."""
    settings = {"p": 2, "blur": math.sqrt(EPSILON), "scaling": scaling, "debias": False, "backend": "tensorized"}

    def side(problem: Problem, student: torch.Tensor):
        a, b = problem.marginals
        loss = SamplesLoss("sinkhorn", **settings)(a, problem.teacher, b, student)

        def values() -> torch.Tensor:
            f, g = SamplesLoss("sinkhorn", **settings, potentials=True)(a, problem.teacher, b, student)
            cost = problem.cost(student)
            exponent = (f.view_as(a)[:, :, None] + g.view_as(b)[:, None, :] - cost) / EPSILON
            return ((exponent + a.log()[:, :, None] + b.log()[:, None, :]).exp() * cost).sum(dim=(1, 2))

        values.reported = loss
        return loss.mean(), values

    return side


def geomloss_batch(problem: Problem, student: torch.Tensor):
    a, b = problem.marginals
    cost = problem.cost(student)
    found = solve_batch(cost, a=a, b=b, reg=EPSILON, max_iter=100)
    # Half: twice the right gradient flows from this value.
    loss = found.value.mean() / 2
    return loss, lambda: (found.plan * cost).sum(dim=(1, 2))


def pot_batch(**options) -> Side:
    def side(problem: Problem, student: torch.Tensor):
        a, b = problem.marginals
        cost = problem.cost(student)
        plan = ot.solve_batch(cost.detach(), a=a, b=b, grad="detach", **options).plan
        values = (plan * cost).sum(dim=(1, 2))
        return values.mean(), lambda: values

    return side


def pot_loop(problem: Problem, student: torch.Tensor):
    cost = problem.cost(student)
    plan = np.zeros(cost.shape, dtype=np.float32)
    numbers = cost.detach().double().numpy(), problem.mask_a.numpy(), problem.mask_b.numpy()
    for at, (c, rows, columns) in enumerate(zip(*numbers, strict=True)):
        inner = c[rows][:, columns]
        plan[at][np.ix_(rows, columns)] = ot.emd(ot.unif(len(inner)), ot.unif(len(inner[0])), inner)
    values = (torch.from_numpy(plan) * cost).sum(dim=(1, 2))
    return values.mean(), lambda: values


SIDES: dict[str, Side] = {
    "ours": ours(),
    "ours, exact": ours(solver="exact"),
    "ours, ipot": ours(solver="ipot"),
    "ours, geomloss": ours(solver="geomloss"),
    "SamplesLoss, scaling .5": samples_loss(0.5),
    "SamplesLoss, scaling .9": samples_loss(0.9),
    "geomloss.ot.solve_batch, 100": geomloss_batch,
    "ot.solve_batch, log_sinkhorn": pot_batch(reg=EPSILON, method="log_sinkhorn", reg_type="kl"),
    "ot.solve_batch, proximal": pot_batch(method="proximal"),
    "ot.emd, in a loop": pot_loop,
}


def random_problem(pairs: int, length: int, masked: bool) -> Problem:
    chance = torch.Generator().manual_seed(0)
    teacher, student = (F.normalize(torch.randn(pairs, length, 128, generator=chance), dim=-1) for _ in "ab")
    least = 1 if masked else length
    masks = (torch.arange(length) < torch.randint(least, length + 1, (pairs, 1), generator=chance) for _ in "ab")
    return Problem(f"{pairs} x {length} x {length}{', random lengths' if masked else ''}", teacher, student, *masks)


def real_problem(teacher: TokenEncoder, student: TokenEncoder, lines: list[list[str]]) -> Problem:
    english, foreign = (teacher.tokenizer.queries(texts) for texts in zip(*lines, strict=True))
    with torch.no_grad():
        vectors = teacher(english), student(foreign)
    shape = f"{len(lines)} x {vectors[0].shape[1]} x {vectors[1].shape[1]}"
    tokens = [round(float(side.content.sum(1).float().mean()), 1) for side in (english, foreign)]
    return Problem(f"bitext, {shape}, {tokens[0]} x {tokens[1]} tokens", *vectors, english.content, foreign.content)


def measure(problem: Problem, repeats: int) -> list[Row]:
    masks = problem.mask_a, problem.mask_b
    exact = solve_transport(problem.cost(problem.student).double(), *masks, solver="exact").value
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    errors: dict[str, torch.Tensor] = {}
    notes = dict.fromkeys(SIDES, "")
    for repeat in range(repeats + 1):
        for name, side in SIDES.items():
            if times[name] and max(times[name]) > SLOW:
                continue
            student = problem.student.clone().requires_grad_()
            start = time.perf_counter()
            loss, values = side(problem, student)
            loss.backward()
            taken = time.perf_counter() - start
            if repeat or taken > SLOW:  # the first is a warm-up
                times[name].append(taken)
            if repeat == 0:
                errors[name] = relative_errors(values(), exact)
                if not errors[name].isfinite().all():
                    notes[name] = "not finite"
                elif (reported := getattr(values, "reported", None)) is not None:
                    off = float(relative_errors(reported, exact).mean())
                    notes[name] = f"reported value, with entropy, off by {off:.1%}"
    typical = {name: statistics.median(taken) * 1e3 for name, taken in times.items()}
    return [
        Row(
            problem.name,
            name,
            typical[name],
            typical[name] / typical["ours"],
            float(errors[name].mean()),
            float(errors[name].max()),
            notes[name],
        )
        for name in SIDES
    ]


def relative_errors(values: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """Without those of identical sentences, whose transport costs nothing."""
    return (values.detach().double() / exact - 1).abs()[exact > 1e-3]


def of_pairs(teacher: torch.Tensor, student: torch.Tensor, *masks: torch.Tensor) -> torch.Tensor:
    """Of term `ot`: B problems."""
    return transport_loss(teacher, student, *masks)


def of_all(teacher: torch.Tensor, student: torch.Tensor, *masks: torch.Tensor) -> torch.Tensor:
    """Of term `ot_contrastive`: B times B problems."""
    return transport_costs(teacher, student, *masks)[0].mean()


def share_of_a_step(
    transport: Callable[..., torch.Tensor],
    teacher: TokenEncoder,
    student: TokenEncoder,
    lines: list[list[str]],
    repeats: int,
) -> float:
    """Transport's share of encoding a batch, transport and its gradient down to the weights."""
    english, foreign = (teacher.tokenizer.queries(texts) for texts in zip(*lines, strict=True))
    student.transformer.get_input_embeddings().requires_grad_(False)  # as in training
    shares = []
    for _ in range(repeats):
        start = time.perf_counter()
        with torch.no_grad():
            held = teacher(english)
        vectors = student(foreign)
        leaf = vectors.detach().requires_grad_()
        before = time.perf_counter()
        transport(held, leaf, english.content, foreign.content).backward()
        after = time.perf_counter()
        vectors.backward(leaf.grad)
        shares.append((after - before) / (time.perf_counter() - start))
    return statistics.median(shares)


def line(row: Row) -> str:
    errors = f"{row.mean_error:.3%} | {row.worst_error:.2%}"
    return f"| {row.setting} | {row.side} | {row.ms:.1f} | {row.ratio:.2f} | {errors} | {row.note} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--teacher", type=Path, help="folder of the teacher's encoder")
    parser.add_argument("--student", type=Path, help="folder of a student's encoder")
    parser.add_argument("--bitext", type=Path, help="English TAB foreign, one pair a line")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    given = parser.parse_args()
    if len({given.teacher is None, given.student is None, given.bitext is None}) > 1:
        parser.error("--teacher, --student and --bitext go together")
    torch.set_num_threads(given.threads)
    settings = [random_problem(*shape, masked) for shape in ((64, 32), (256, 64)) for masked in (False, True)]
    shares = {}
    if given.bitext:
        encoders = [TokenEncoder.from_pretrained(folder).eval() for folder in (given.teacher, given.student)]
        lines = [text.split("\t") for text in given.bitext.read_text(encoding="utf-8").splitlines()]
        settings += [real_problem(*encoders, lines[:pairs]) for pairs in (16, 64, 256)]
        for term, transport in {"ot": of_pairs, "ot_contrastive": of_all}.items():
            shares[term] = share_of_a_step(transport, *encoders, lines[:16], 3 * given.repeats)
    rows = []
    print("| setting | side | ms | time / ours | mean error | worst error | |\n|---|---|---|---|---|---|---|")
    for problem in settings:
        rows += measure(problem, given.repeats)
        print("\n".join(line(row) for row in rows[-len(SIDES) :]), flush=True)
    for term, share in shares.items():
        print(f"\n{term}: transport takes {share:.1%} of a training step on 16 pairs of the bitext")
    if given.json:
        found = {"threads": given.threads, "share_of_a_step": shares, "rows": [asdict(row) for row in rows]}
        given.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
