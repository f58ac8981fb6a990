"""`clir-ot ablate`: variants of one experiment, each with several seeds, trained and measured into one table."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.collections.trec import read_run, write_run
from clir_ot.errors import UserError
from clir_ot.evaluation.seeds import Seeds
from clir_ot.evaluation.systems import Measured, System, compare_all, measure, search_system
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.retrieval.token_index import TokenIndex, encode
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
    ablation: Ablation,
    teacher: str,
    collection: Collection,
    language: str,
    folder: Path,
    *,
    jobs: int = 1,
    keep_encoders: bool = False,
) -> str:
    """Train what is not trained yet, measure it on dev and test, write and return the table.

    A run that is measured is not trained again; one that was stopped goes on from its last checkpoint. Each lies in
    `folder/<variant>/seed-<seed>`, without its encoder (500 MB) unless kept.

    Args:
        ablation: what to train.
        teacher: folder of the teacher's encoder, in whose index all search.
        collection: with the language's bitext and judged queries.
        language: canonical code.
        folder: of the runs and the table.
        jobs: runs trained at a time, which share the cores.
        keep_encoders: leave the trained encoders there.

    Raises:
        UserError: a run fails, the folder holds runs of other settings, the collection lacks the language.
    """
    loaded = TokenEncoder.from_pretrained(teacher)
    index = encode(loaded, loaded.tokenizer.documents, collection.documents())
    keys = _measured_on(collection, language)
    results = {
        ZERO_SHOT: {
            key: Seeds([_measure(System(ZERO_SHOT, loaded, key[1]), collection, key[0], index, folder / ZERO_SHOT)])
            for key in keys
        }
    }
    del loaded
    shared = {"model.teacher": teacher, "data.languages": language}
    runs = {
        (name, seed): Variant(
            name, RunFolder(folder / name / f"seed-{seed}"), ablation.experiment, collection.folder,
            {**ablation.common, **settings, **shared, "seed_everything": seed},
        )
        for name, settings in ablation.variants.items()
        for seed in ablation.seeds
    }  # fmt: skip
    fingerprint = collection.fingerprint()
    missing = [run for run in runs.values() if not run.is_measured(fingerprint)]
    say(f"{len(runs)} runs, {len(missing)} of them to train, {jobs} at a time: {folder}")
    with ThreadPoolExecutor(jobs) as pool:
        # As they are done, in whatever order; an error cancels what has not begun.
        waiting = {pool.submit(run.train, max(1, (os.cpu_count() or 1) // jobs)): run for run in missing}
        for number, future in enumerate(as_completed(waiting), start=1):
            run = waiting[future]
            if problem := future.result():
                pool.shutdown(wait=True, cancel_futures=True)
                raise UserError(problem)
            student = TokenEncoder.from_pretrained(run.folder.encoder)
            for split, queries in keys:
                _measure(System(run.name, student, queries), collection, split, index, run.folder.rankings)
            run.finish(fingerprint, keep_encoders)
            say(f"[{number}/{len(missing)}] {run.folder.path}")
    for name in ablation.variants:
        measured = [[run.measured(collection, *key) for key in keys] for (n, _), run in runs.items() if n == name]
        results[name] = {key: Seeds([run[i] for run in measured]) for i, key in enumerate(keys)}
    table = _table(results, ablation.baselines, language)
    write_text(folder / "table.md", table + "\n")
    return table


@dataclass(frozen=True)
class Variant:
    """One run of an ablation.

    Attributes:
        name: of the variant.
        folder: of the run.
        experiment: YAML that `arguments` change.
        collection: folder; what counts is its content.
        arguments: `{"model.alignment": "mse"}`.
    """

    name: str
    folder: RunFolder
    experiment: Path
    collection: Path
    arguments: dict[str, Any]

    def is_measured(self, fingerprint: str) -> bool:
        """Nothing is left to do.

        Raises:
            UserError: what was measured there had other settings.
        """
        if not self._marker.is_file():
            return False
        if json.loads(self._marker.read_text(encoding="utf-8")) != self._settings(fingerprint):
            raise UserError(f"{self.folder.path}: was measured with other settings; delete it or choose another --run")
        return True

    def train(self, threads: int) -> str | None:
        """Run `clir-ot fit`, whose output goes to `train.log`; what went wrong, in a line."""
        options = [part for key, value in self.arguments.items() for part in (f"--{key}", _spelt(value))]
        places = ["--config", self.experiment, "--run", self.folder.path, "--data.collection", self.collection]
        log = self.folder.path.with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as output:
            status = subprocess.run(
                [sys.executable, "-m", "clir_ot.cli", "fit", *map(str, places), *options],
                stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            ).returncode  # fmt: skip
        if not status:
            return None
        said = log.read_text(encoding="utf-8").strip().splitlines() or [f"exit status {status}"]
        return f"{self.folder.path}: {said[-1].removeprefix('clir-ot: ')} (all of it: {log})"

    def finish(self, fingerprint: str, keep_encoder: bool) -> None:
        """Note that it is measured; only then drop what training needed."""
        write_text(self._marker, json.dumps(self._settings(fingerprint), indent=1) + "\n")
        shutil.rmtree(self.folder.checkpoints, ignore_errors=True)
        if not keep_encoder:
            shutil.rmtree(self.folder.encoder)

    def measured(self, collection: Collection, split: str, language: str) -> Measured:
        """From its ranking."""
        _, qrels = collection.judged(split, language)
        return measure(self.name, language, read_run(_ranking(self.folder.rankings, self.name, language, split)), qrels)

    @property
    def _marker(self) -> Path:
        return self.folder.path / "measured.json"

    def _settings(self, fingerprint: str) -> dict[str, Any]:
        text = self.experiment.read_text(encoding="utf-8")
        return {"arguments": self.arguments, "experiment": text, "collection": fingerprint}


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
