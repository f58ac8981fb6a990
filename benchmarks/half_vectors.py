"""What keeping the teacher's vectors in half precision changes: one student taught from 32 bits, others not quite.

    python benchmarks/half_vectors.py --steps 12

Steps of `experiments/distill.yaml` on the starter's bitext from the same weights: with the teacher's vectors as
they are, in 16 bits, and, to compare, in 32 bits with their last bits changed at random. Prints how far each student is
from the first, as a share of how far that one has moved.
"""

import argparse
import copy
import tempfile
from itertools import islice
from pathlib import Path

import torch
import yaml

from clir_ot import CLIRDataModule, OTDistillation, TokenEncoder
from clir_ot.collections.cache import locate
from clir_ot.data.training_batches import TrainingBatches

ROOT = Path(__file__).parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--language", default="yo")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    experiment = yaml.safe_load((ROOT / "experiments" / "distill.yaml").read_text())
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        TokenEncoder.from_pretrained(locate("starter", "encoder"), dimensions=128).save_pretrained(folder + "/teacher")
        module = OTDistillation(**{**experiment["model"]["init_args"], "teacher": folder + "/teacher"})
    module.log_step = lambda *_, **__: None  # there is no trainer to log to
    data = CLIRDataModule(**{**experiment["data"], "languages": arguments.language})
    data.setup("fit")
    made = TrainingBatches(data.texts, module.tokenizer, None, 48)
    batches = [made[plan] for plan in islice(data.sampler(module.tokenizer), arguments.steps)]
    kept = {}
    for batch in batches:
        with torch.no_grad():
            vectors = module.teacher(batch.english)
        kept |= {name: row[:n] for name, row, n in zip(batch.ids, vectors, batch.english.lengths, strict=True)}
    start = copy.deepcopy(module.encoder.state_dict())
    students = {
        "32 bits": kept,
        "16 bits": {name: row.half().float() for name, row in kept.items()},
        "32 bits, last bits changed": {name: row * (1 + 1e-7 * torch.randn_like(row)) for name, row in kept.items()},
    }
    reached, losses = {}, {}
    for name, vectors in students.items():
        module.encoder.load_state_dict(start)
        module.remember(vectors)
        trained = [p for p in module.encoder.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=module.learning_rate, weight_decay=module.weight_decay, fused=True)
        for batch in batches:
            loss = module.training_step(batch, 0)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
        reached[name], losses[name] = torch.cat([p.detach().flatten() for p in trained]), float(loss)
    names = [name for name, parameter in module.encoder.named_parameters() if parameter.requires_grad]
    before = torch.cat([start[name].flatten() for name in names])
    first = reached["32 bits"]
    print(
        "| teacher's vectors | last loss | distance from the first / distance moved | largest difference of a weight |"
    )
    print("|---|---|---|---|")
    for name, weights in reached.items():
        share = float((weights - first).norm() / (first - before).norm())
        print(f"| {name} | {losses[name]:.6f} | {share:.2e} | {float((weights - first).abs().max()):.1e} |")


if __name__ == "__main__":
    main()
