"""The ablation file's checks, and a whole small ablation, run twice."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from clir_ot import Collection
from clir_ot.ablation import languages, students
from clir_ot.ablation.plan import Ablation, pairs_against
from clir_ot.ablation.students import MEASURE, ablate_students
from clir_ot.errors import UserError
from clir_ot.evaluation.estimate import estimate
from clir_ot.evaluation.systems import Measured
from clir_ot.evaluation.table import p_value
from clir_ot.runs.rankings import Queries

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_the_committed_files_are_read() -> None:
    alignment, alpha = (Ablation.read(EXPERIMENTS / "ablation" / f"{name}.yaml") for name in ("alignment", "alpha"))
    assert alignment.experiment.is_file()
    assert alpha.experiment.is_file()
    assert len(alignment.seeds) == len(alpha.seeds) == 3
    assert {"none", "uniform", "nearest", "greedy", "mse", "contrastive", "ot"} <= alignment.variants.keys()
    assert [settings["data.alpha"] for settings in alpha.variants.values()] == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"baselines": ["zero-shot", "mean"]}, "baseline mean is none of ot, zero-shot"),
        ({"variants": None}, "expected the keys"),
        ({"seedz": [1]}, "expected the keys"),
        ({"table": "best"}, "table is best; expected student or languages"),
        ({"table": "languages"}, "baseline zero-shot is none of ot"),
    ],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, change: dict, said: str) -> None:
    right = {
        "table": "student",
        "experiment": "x.yaml",
        "seeds": [0],
        "baselines": ["zero-shot"],
        "variants": {"ot": {}},
    }
    wrong = {key: value for key, value in (right | change).items() if value is not None}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(wrong))
    with pytest.raises(UserError, match=said) as caught:
        Ablation.read(tmp_path / "a.yaml")
    assert str(caught.value).startswith(str(tmp_path / "a.yaml"))
    with pytest.raises(UserError, match=r"b\.yaml: cannot be read"):
        Ablation.read(tmp_path / "b.yaml")


def test_each_two_variants_are_compared_once() -> None:
    """Two that are both baselines would count twice in Holm's correction."""
    names = ["alpha-0", "alpha-0.5", "alpha-1"]
    assert pairs_against(names, ["alpha-0", "alpha-1"]) == [
        ("alpha-0.5", "alpha-0"), ("alpha-1", "alpha-0"), ("alpha-0.5", "alpha-1")
    ]  # fmt: skip


def test_each_column_of_students_says_over_how_many_queries() -> None:
    def measured(count: int, *seeds: float) -> Measured:
        runs = {str(s): {MEASURE: {f"q{q}": value + q / 100 for q in range(count)}} for s, value in enumerate(seeds)}
        return Measured("", "", runs)

    keys = {Queries("yo", "dev"): 7, Queries("yo", "test"): 9, Queries("en", "test"): 5}
    results = {
        "zero-shot": {queries: measured(count, 0.1) for queries, count in keys.items()},
        "ot": {queries: measured(count, 0.3, 0.4) for queries, count in keys.items()},
    }
    header = students._table(results, ["zero-shot"], "yo").splitlines()[0]
    for said in ("dev MRR@10 (n = 7)", "test MRR@10 [95 % interval] (n = 9)", "English MRR@10 (n = 5)"):
        assert said in header
    del results["zero-shot"][Queries("en", "test")], results["ot"][Queries("en", "test")]
    assert "| English MRR@10 |" in students._table(results, ["zero-shot"], "yo").splitlines()[0]


def test_runs_of_two_variants_with_one_seed_are_two_draws(tmp_path: Path) -> None:
    """As in all other tables: a seed makes no pairs of trainings that differ in everything else."""
    values = {"mono": [0.2, 0.3, 0.5], "cross": [0.3, 0.6, 0.55]}
    runs: dict[Any, Any] = {}
    samples: dict[str, dict[str, dict[str, float]]] = {}
    for name, means in values.items():
        for seed, mean in enumerate(means):
            cell = {f"q{q}": mean + q / 1000 for q in range(30)}
            samples.setdefault(name, {})[f"{name} {seed}"] = cell
            (path := tmp_path / f"{name}-{seed}.json").write_text(
                json.dumps({"cells": {"pool MAP": {"yo": cell}}, "left_out": []})
            )
            config = {"data": {"languages": "en,yo"}}
            runs[name, seed] = SimpleNamespace(folder=SimpleNamespace(languages=path, read_config=lambda c=config: c))
    difference = estimate([(1.0, samples["cross"]), (-1.0, samples["mono"])])
    table = languages._table(runs, values, ["mono"])  # type: ignore[arg-type]
    assert f"{difference.value:+.3f}, {p_value(difference.p)}" in table
    assert "| n       |       | 30" in table


@pytest.mark.slow
def test_an_ablation_trains_what_is_missing_and_measures_everything(
    teacher_folder: Path, collection_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    content = {
        "table": "student",
        "experiment": str(EXPERIMENTS / "distill.yaml"),
        "seeds": [0, 1],
        "baselines": ["zero-shot", "none"],
        "common": {
            "trainer.max_epochs": 1, "trainer.logger": False, "trainer.callbacks": None, "data.batch_size": 12,
            "model.alignment": "none", "model.weight_decay": 0.0, "data.english_share": 0.5,
        },
        "variants": {
            "none": {"model.learning_rate": 1e-12}, "mse": {"model.alignment": "mse", "model.learning_rate": 0.01},
        },
    }  # fmt: skip
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))

    def run() -> str:
        return ablate_students(
            Ablation.read(tmp_path / "a.yaml"), str(teacher_folder), Collection(collection_folder), "yo",
            tmp_path / "runs", jobs=2,
        )  # fmt: skip

    table = run()
    assert "4 runs, 4 of them to train" in capfd.readouterr().out
    rows = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in table.splitlines()[2:5]
    }
    assert rows.keys() == {"zero-shot", "none", "mse"}
    assert rows["none"][0] == rows["mse"][0] == "2"
    # A student that hardly moves ranks as its teacher does.
    assert rows["none"][2] == rows["zero-shot"][2]
    assert rows["mse"][2] != rows["zero-shot"][2]
    assert not (tmp_path / "runs" / "mse" / "seed-0" / "encoder").exists()
    assert (tmp_path / "runs" / "table.md").read_text() == table + "\n"
    assert run() == table
    assert "4 runs, 0 of them to train" in capfd.readouterr().out
    content["variants"]["mse"]["model.learning_rate"] = 0.02  # type: ignore[index]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match="was measured with other settings"):
        run()


@pytest.mark.slow
def test_encoders_of_several_languages_are_compared_in_every_setting(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Callable[..., str]
) -> None:
    content = {
        "table": "languages",
        "experiment": str(EXPERIMENTS / "hybrid.yaml"),
        "seeds": [0, 1],
        "baselines": ["mono"],
        "common": {
            "model.encoder": str(encoder_folder), "model.dimensions": 8, "data.languages": "en,yo",
            "data.batch_size": 12, "trainer.logger": False, "trainer.callbacks": None,
        },
        "variants": {"mono": {"data.alpha": 1.0}, "cross": {"data.alpha": 0.0}},
    }  # fmt: skip
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    command = ["ablate", tmp_path / "a.yaml", "--collection", collection_folder, "--run", tmp_path / "runs"]
    assert "has no use for --language" in clir(*command, "--language", "yo")
    table = clir(*command, "--devices", "2")
    facts = json.loads((tmp_path / "runs" / "mono" / "seed-0" / "run.json").read_text())
    assert facts["devices"] == 2
    assert "English, Yoruba. Macro averages over (pairs of) languages" in table
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    assert [row[:2] for row in rows] == [
        ["variant", "seeds"], ["mono", "2"], ["cross", "2"], ["n", ""], ["variant", "against"], ["cross", "mono"]
    ]  # fmt: skip
    assert rows.pop(3)[2:] == ["18"] * len(rows[0][2:])
    assert [name.split(" [")[0] for name in rows[0][2:]] == rows[3][2:]
    assert "rank distance" in rows[3]
    # The differences are those of the means.
    for column, setting in enumerate(rows[3][2:], start=2):
        mono, cross = (float(row[column].split(" ")[0]) for row in rows[1:3])
        rounding = 0.11 if setting == "rank distance" else 2e-3
        assert float(rows[4][column].split(",")[0]) == pytest.approx(cross - mono, abs=rounding)
