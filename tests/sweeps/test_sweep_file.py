"""What a sweep file may say; what W&B's package makes of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from clir_ot.errors import UserError
from clir_ot.sweeps.early_stop import is_worse
from clir_ot.sweeps.picture import parallel_coordinates
from clir_ot.sweeps.scheduler import next_values
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.sweeps.trials import Trial, Trials, read_trials

ROOT = Path(__file__).parent.parent.parent
LEARNING_RATE = {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1}


def write(folder: Path, **change: Any) -> Path:
    """A sweep file; None leaves a key out."""
    said: dict[str, Any] = {
        "method": "grid",
        "metric": {"name": "dev/yo/MRR@10", "goal": "maximize"},
        "parameters": {"model.epsilon": {"values": [0.01, 0.1]}},
        "command": ["${env}", "clir-ot", "fit", "--config", str(ROOT / "experiments" / "distill.yaml"), "${args}"],
    }
    path = folder / "sweep.yaml"
    kept = {key: value for key, value in (said | change).items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False))
    return path


@pytest.mark.parametrize("name", ["distill", "hybrid", "alignment"])
def test_the_committed_files_are_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    file = SweepFile.read(Path(f"experiments/sweeps/{name}.yaml"))
    assert file.experiment.is_file()
    assert file.is_maximized
    assert len(file.swept) >= 2
    assert file.with_language("ha").metric == "dev/ha/MRR@10"
    assert file.metric == "dev/yo/MRR@10"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "gird"}, "method is gird; did you mean grid?"),
        ({"method": "custom"}, "method is custom; there are: grid, random, bayes"),
        ({"method": None}, "method is None"),
        ({"metric": None}, "has no metric"),
        ({"metric": {"name": "dev/yo/MRR@10"}}, "metric needs a name, such as dev/yo/MRR@10, and a goal"),
        ({"metric": {"name": "x", "goal": "best"}}, "'best' is not one of"),
        ({"parameters": None}, "has no parameters"),
        ({"parameters": {"a": {"vals": [1]}}}, "{'vals': [1]} is not valid"),
        ({"parameters": {"a": LEARNING_RATE | {"min": 1}}}, "a: min 1 is not less than max 0.1"),
        ({"parameters": {"model": {"parameters": {"epsilon": {"values": [1]}}}}}, "nested names are dotted here"),
        ({"parameters": {"model.learning_rate": LEARNING_RATE}}, "model.learning_rate: a grid needs its values listed"),
        ({"method": "bayes", "parameters": {"a": {"value": 1}}}, "all parameters are constant"),
        ({"early_terminate": {"type": "median"}}, "median"),
        ({"early_terminat": {"type": "hyperband"}}, "early_terminat"),
        ({"program": "train.py"}, "nothing here reads program"),
        ({"command": ["python", "train.py", "${args}"]}, "command: expected the list"),
        ({"command": ["clir-ot", "fit", "--config", "nowhere.yaml", "${args}"]}, "nowhere.yaml: no such file"),
    ],
)
def test_a_wrong_file_is_named_in_one_line(tmp_path: Path, change: dict, said: str) -> None:
    path = write(tmp_path, **change)
    with pytest.raises(UserError) as caught:
        SweepFile.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_grid_covers_all_once(tmp_path: Path) -> None:
    parameters = {"a": {"values": [1, 2, 3]}, "b": {"values": ["x", None]}, "c": {"value": 0.5}}
    file = SweepFile.read(write(tmp_path, parameters=parameters))
    trials: list[Trial] = []
    while (values := next_values(file, trials, seed=0)) is not None:
        # As a sweep that goes on finds them.
        (trial,) = [Trial(**json.loads(json.dumps({"number": len(trials) + 1, "values": values, "state": "finished"})))]
        trials.append(trial)
    found = [tuple(trial.values.items()) for trial in trials]
    assert len(found) == file.size() == 6
    assert {(dict(row)["a"], dict(row)["b"]) for row in found} == {(a, b) for a in (1, 2, 3) for b in ("x", None)}
    assert {dict(row)["c"] for row in found} == {0.5}


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_what_is_drawn_is_decided_by_seed_number_and_figures(tmp_path: Path, method: str) -> None:
    parameters = {"model.learning_rate": LEARNING_RATE, "model.alignment": {"values": ["ot", "mse"]}}
    file = SweepFile.read(write(tmp_path, method=method, parameters=parameters))

    def run(seed: int, count: int) -> list[Trial]:
        trials: list[Trial] = []
        for number in range(1, count + 1):
            np.random.random()  # whatever else draws
            values = next_values(file, trials, seed)
            assert values is not None
            figure = -abs(np.log10(values["model.learning_rate"]) + 3)  # type: ignore[call-overload]
            state, figure = ("failed", None) if number == 2 else ("finished", float(figure))
            trials.append(Trial(number, values, state=state, figure=figure))  # type: ignore[arg-type]
        return trials

    trials = run(0, 6)
    assert trials == run(0, 6)
    assert trials[0] != run(1, 1)[0]
    assert len({trial.values["model.learning_rate"] for trial in trials}) == 6
    assert all(1e-5 <= trial.values["model.learning_rate"] <= 1e-1 for trial in trials)
    assert all(type(trial.values["model.learning_rate"]) is float for trial in trials)  # JSON knows no numpy


def test_bayes_comes_nearer_than_chance(tmp_path: Path) -> None:
    parameters = {"model.learning_rate": LEARNING_RATE}
    best = {}
    for method in ("random", "bayes"):
        file = SweepFile.read(write(tmp_path, method=method, parameters=parameters))
        distances = []
        for seed in range(5):
            trials: list[Trial] = []
            for number in range(1, 11):
                values = next_values(file, trials, seed)
                assert values is not None
                far = abs(float(np.log10(values["model.learning_rate"])) + 3.3)  # type: ignore[call-overload]
                trials.append(Trial(number, values, state="finished", figure=-far))
            distances.append(min(-trial.figure for trial in trials if trial.figure is not None))
        best[method] = float(np.mean(distances))
    assert best["bayes"] < best["random"] / 2


@pytest.mark.parametrize(
    ("own", "stops"),
    [([0.05], True), ([0.5], False), ([0.5, 0.05], False), ([0.5, 0.05, 0.05, 0.05], False), ([], False)],
)
def test_hyperband_ends_after_the_epoch_that_the_file_says(own: list[float], stops: bool) -> None:
    """Others have .1 to .4 after epoch 1 and .9 after epoch 4; eta 4: the best quarter of an epoch's figures goes on.

    That a better earlier epoch keeps a trial is Hyperband without `strict`, see W&B's documentation.
    """
    config = {
        "metric": {"name": "m", "goal": "maximize"},
        "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 4},
    }
    others = [[0.1, 0.2], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4], []]
    assert is_worse(config, others, own) == stops
    # The first of all has nobody to be worse than.
    assert not is_worse(config, [], own)


def test_the_table_and_the_lines_say_what_was_put(tmp_path: Path) -> None:
    file = SweepFile.read(write(tmp_path, parameters={"a": {"values": [1, 2, 3]}, "b": {"value": "x"}}))
    trials = Trials(tmp_path / "run", file)
    put = [
        Trial(1, {"a": 1, "b": "x"}, "finished", 0.25, 3.0),
        Trial(2, {"a": 2, "b": "x"}).failed("no | memory"),
        Trial(3, {"a": 3, "b": "x"}, "stopped", 0.5, 4.0, epochs=[0.5]),
    ]
    for trial in (put[2], put[0], put[1]):
        trials.put(trial)
    assert read_trials(tmp_path / "run") == put == Trials(tmp_path / "run", file).all
    table = (tmp_path / "run" / "table.md").read_text()
    rows = [[cell.strip() for cell in line.split(" | ")] for line in table.splitlines()[2:5]]
    assert [row[0].strip("| ") for row in rows] == ["3", "1", "2"]
    assert rows[0][1:5] == ["0.5000", "3", "stopped", "4"]
    assert "no \\| memory" in table
    assert trials.best == put[2]
    assert (tmp_path / "run" / "parallel.png").stat().st_size > 5000


def test_the_picture_has_an_axis_a_parameter_and_a_line_a_trial(tmp_path: Path) -> None:
    parameters = {
        "model.learning_rate": LEARNING_RATE, "model.alignment": {"values": ["ot", "mse"]}, "c": {"value": 1}
    }  # fmt: skip
    file = SweepFile.read(write(tmp_path, method="random", parameters=parameters))
    rates = (1e-5, 1e-3, 1e-1)
    found = [
        ({"model.learning_rate": rate, "model.alignment": name, "c": 1}, figure)
        for rate, name, figure in zip(rates, ("ot", "mse", "ot"), (0.1, 0.2, 0.3), strict=True)
    ]
    figure = parallel_coordinates(file, found)
    assert figure is not None
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "model.learning_rate",
        "model.alignment",
        file.metric,
    ]
    heights = [list(line.get_ydata()) for line in axes.lines if len(line.get_xdata()) == 3]
    assert heights == [pytest.approx([0, 0, 0]), pytest.approx([0.5, 1, 0.5]), pytest.approx([1, 0, 1])]
    assert parallel_coordinates(file, []) is None
