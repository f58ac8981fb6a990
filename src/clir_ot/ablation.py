"""`clir-ot ablate`: variants of one experiment, each with several seeds, trained and measured into one table."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.errors import UserError
from clir_ot.evaluation.seeds import Seeds
from clir_ot.evaluation.systems import Measured, System, compare_all, measure, search_system
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.token_index import TokenIndex, encode
from clir_ot.retrieval.trec import read_run, write_run
from clir_ot.tracking.progress import say
from clir_ot.tracking.run_folder import RunFolder

MEASURE = "MRR@10"
ZERO_SHOT = "zero-shot"


@dataclass(frozen=True)
class Ablation:
    """What the YAML file says.

    Attributes:
        experiment: YAML of the experiment that is varied.
        seeds: each variant is trained with each of them.
        baselines: variants that every other one is compared with; `zero-shot` is the teacher.
        common: settings of every variant, `{"trainer.max_epochs": 2}`.
        variants: `{name: its settings}`.
    """

    experiment: Path
    seeds: list[int]
    baselines: list[str]
    common: dict[str, Any]
    variants: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Ablation":
        """Read and check the file; `experiment` is relative to it.

        Raises:
            UserError: it is missing, no YAML, or lacks something.
        """
        try:
            said = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise UserError(f"{path}: cannot be read as YAML: {str(error).splitlines()[0]}") from error
        keys = {"experiment", "seeds", "baselines", "variants"}
        if not isinstance(said, dict) or not keys <= said.keys() <= keys | {"common"}:
            raise UserError(f"{path}: expected the keys {', '.join(sorted(keys))} and perhaps common")
        variants = {name: settings or {} for name, settings in said["variants"].items()}
        if unknown := [name for name in said["baselines"] if name not in variants and name != ZERO_SHOT]:
            raise UserError(f"{path}: baseline {unknown[0]} is no variant; expected {ZERO_SHOT} or one of the variants")
        experiment = path.parent / said["experiment"]
        return cls(experiment, said["seeds"], said["baselines"], said.get("common") or {}, variants)

    def only(self, names: list[str]) -> "Ablation":
        """Some of the variants.

        Raises:
            UserError: one is not there.
        """
        if unknown := [name for name in names if name not in self.variants]:
            raise UserError(f"{unknown[0]} is no variant; there are {', '.join(self.variants)}")
        return replace(self, variants={name: self.variants[name] for name in names})


def ablate(
    ablation: Ablation, teacher: str, collection: Collection, language: str, folder: Path, keep_encoders: bool
) -> str:
    """Train what is not trained yet, measure it on dev and test, write and return the table.

    A run that is measured is not trained again; one that was stopped goes on from its last checkpoint. Each lies in
    `folder/<variant>/seed-<seed>`, without its encoder (500 MB) unless kept.

    Raises:
        UserError: a run fails, the folder holds runs of other settings, the collection lacks the language.
    """
    loaded = TokenEncoder.from_pretrained(teacher)
    index = encode(loaded, loaded.tokenizer.documents, collection.documents())
    zero_shot = {
        (split, name): _measure(System(ZERO_SHOT, loaded, name), collection, split, index, folder / ZERO_SHOT)
        for split, name in _measured_on(collection, language)
    }
    results: dict[str, dict[tuple[str, str], Seeds]] = {
        ZERO_SHOT: {key: Seeds([measured]) for key, measured in zero_shot.items()}
    }
    total, number = len(ablation.variants) * len(ablation.seeds), 0
    for name, settings in ablation.variants.items():
        runs = []
        for seed in ablation.seeds:
            number += 1
            run = RunFolder(folder / name / f"seed-{seed}")
            say(f"[{number}/{total}] {name}, seed {seed}: {run.path}")
            arguments = {
                **ablation.common, **settings, "model.teacher": teacher, "data.collection": str(collection.folder),
                "data.languages": language, "seed_everything": seed,
            }  # fmt: skip
            runs.append(_train_and_measure(run, ablation.experiment, arguments, name, collection, index, keep_encoders))
        results[name] = {key: Seeds([measured[key] for measured in runs]) for key in zero_shot}
        write_text(folder / "table.md", (table := _table(results, ablation.baselines, language)) + "\n")
    return table


def _train_and_measure(
    run: RunFolder,
    experiment: Path,
    arguments: dict[str, Any],
    name: str,
    collection: Collection,
    index: TokenIndex,
    keep_encoders: bool,
) -> dict[tuple[str, str], Measured]:
    language = arguments["data.languages"]
    keys = _measured_on(collection, language)
    marker = run.path / "measured.json"
    settings = {"arguments": arguments, "experiment": experiment.read_text(), "collection": collection.fingerprint()}
    if marker.is_file():
        if json.loads(marker.read_text(encoding="utf-8")) != settings:
            raise UserError(f"{run.path}: was measured with other settings; delete it or give another --run folder")
    else:
        options = [part for key, value in arguments.items() for part in (f"--{key}", _spelt(value))]
        places = ["--config", str(experiment), "--run", str(run.path)]
        command = [sys.executable, "-m", "clir_ot.cli", "fit", *places, *options]
        if status := subprocess.run(command).returncode:
            raise UserError(f"{run.path}: training ended with exit status {status}; the same command goes on from here")
        student = TokenEncoder.from_pretrained(run.encoder)
        for split, queries in keys:
            _measure(System(name, student, queries), collection, split, index, run.rankings)
        write_text(marker, json.dumps(settings, indent=1) + "\n")
        shutil.rmtree(run.checkpoints, ignore_errors=True)
        if not keep_encoders:
            shutil.rmtree(run.encoder)
    return {
        (split, queries): measure(name, queries, read_run(_ranking(run.rankings, name, queries, split)), qrels)
        for split, queries in keys
        for _, qrels in [collection.judged(split, queries)]
    }


def _measured_on(collection: Collection, language: str) -> list[tuple[str, str]]:
    """(split, query language): dev, by which variants are chosen, and test; English where it is judged."""
    wanted = [("dev", language), ("dev", ENGLISH), ("test", language), ("test", ENGLISH)]
    return [key for key in wanted if key == ("test", language) or collection.is_judged(*key)]


def _measure(system: System, collection: Collection, split: str, index: TokenIndex, folder: Path) -> Measured:
    ranking, qrels = search_system(system, collection, split, index)
    write_run(ranking, _ranking(folder, system.name, system.language, split), system.name)
    return measure(system.name, system.language, ranking, qrels)


def _ranking(folder: Path, name: str, language: str, split: str) -> Path:
    return folder / f"{name}.{language}.{split}.trec"


def _spelt(value: Any) -> str:
    return "null" if value is None else json.dumps(value) if isinstance(value, bool | list | dict) else str(value)


def _table(results: dict[str, dict[tuple[str, str], Seeds]], baselines: list[str], language: str) -> str:
    """Markdown: a row a variant, by its dev figure; differences from the baselines on test queries, Holm-adjusted."""
    test, english, dev = ("test", language), ("test", ENGLISH), ("dev", language)
    pooled = {name: seeds[test].pooled for name, seeds in results.items()}
    against = [name for name in baselines if name in pooled]
    pairs = [(name, other) for other in against for name in pooled if name != other]
    compared = dict(zip(pairs, compare_all([(pooled[a], pooled[b]) for a, b in pairs], MEASURE), strict=True))
    header = ["variant", "seeds", f"dev {MEASURE}", f"test {MEASURE} [95 % interval]", "range over seeds"]
    header += [f"English {MEASURE}", *(f"against {name}" for name in against)]
    order = sorted(results, key=lambda name: -results[name][dev].pooled.mean(MEASURE) if dev in results[name] else 0.0)
    rows = [header]
    for name in order:
        low, high = pooled[name].interval(MEASURE)
        least, most = results[name][test].span(MEASURE)
        differences = []
        for other in against:
            if comparison := compared.get((name, other)):
                differences.append(f"{comparison.paired.difference:+.3f}, {p_value(comparison.p_adjusted)}")
            else:
                differences.append("")
        rows.append(
            [
                name,
                str(len(results[name][test].runs)),
                f"{results[name][dev].pooled.mean(MEASURE):.3f}" if dev in results[name] else "",
                f"{pooled[name].mean(MEASURE):.3f} [{low:.3f}, {high:.3f}]",
                f"{least:.3f} to {most:.3f}",
                f"{results[name][english].pooled.mean(MEASURE):.3f}" if english in results[name] else "",
                *differences,
            ]
        )
    count = len(next(iter(pooled.values())).values[MEASURE])
    return (
        columns(rows)
        + f"\n\n{language_name(language)}, {count} test queries. Rows by dev figure; each query's value is its mean "
        "over the seeds. Intervals: bootstrap over queries; p: paired randomisation test, Holm-adjusted over the table."
    )
