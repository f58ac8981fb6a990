"""Whole small sweeps: run, interrupted, gone on with, refused, at W&B."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from clir_ot import cli
from clir_ot.locks import hold
from clir_ot.sweeps import experiment as experiment_module
from clir_ot.sweeps import sweep as sweep_module
from clir_ot.sweeps.sweep_file import SweepFile
from clir_ot.sweeps.trials import read_trials

ROOT = Path(__file__).parent.parent.parent
DISTILL, HYBRID = (ROOT / "experiments" / f"{name}.yaml" for name in ("distill", "hybrid"))
PATIENCE = 300  # seconds
METRIC = "dev/yo/MRR@10"
EPOCHS = 8  # of three steps
FAILS = -1.0  # a learning rate that training refuses

Command = Callable[..., str]
STOPS = [(os.killpg, signal.SIGKILL), (os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)]


def write(folder: Path, parameters: dict[str, Any], *, experiment: Path = DISTILL, **change: Any) -> Path:
    """A sweep file for the toy collection: two epochs of three steps, a checkpoint after each step."""
    constant = {
        "trainer.max_epochs": 2, "trainer.accelerator": "cpu", "trainer.logger": False, "data.batch_size": 12,
        "checkpoint_seconds": 0.0,
    }  # fmt: skip
    said = {
        "method": "grid",
        "metric": {"name": METRIC, "goal": "maximize"},
        "parameters": {name: {"value": value} for name, value in constant.items()} | parameters,
        "command": ["clir-ot", "fit", "--config", str(experiment), "${args}"],
    }
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(said | change, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep file of three trials, the second of which fails; long enough to be stopped in the middle."""
    rates = {"model.learning_rate": {"values": [0.001, FAILS, 0.01]}, "trainer.max_epochs": {"value": EPOCHS}}
    return write(tmp_path_factory.mktemp("file"), rates)


@pytest.fixture(scope="module")
def command(teacher_folder: Path, collection_folder: Path) -> Callable[[Path, Path], list[str]]:
    def make(file: Path, run: Path) -> list[str]:
        options = ["--collection", collection_folder, "--teacher", teacher_folder, "--language", "yor", "--run", run]
        return ["sweep", str(file), *map(str, options)]

    return make


@pytest.fixture(scope="module")
def whole(three: Path, command: Callable[[Path, Path], list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sweep, left alone."""
    run = tmp_path_factory.mktemp("whole") / "sweep"
    subprocess.run([sys.executable, "-m", "clir_ot.cli", *command(three, run)], check=True, timeout=PATIENCE)
    return run


@pytest.mark.slow
def test_every_trial_is_trained_and_told_as_its_run_says(
    whole: Path, three: Path, command: Callable[[Path, Path], list[str]], clir: Command
) -> None:
    trials = read_trials(whole)
    assert [(trial.number, trial.state) for trial in trials] == [(1, "finished"), (2, "failed"), (3, "finished")]
    assert trials[1].reason == "model.learning_rate is -1.0; it must be above 0"
    facts = {n: json.loads((whole / f"trial-{n}" / "run.json").read_text()) for n in (1, 3)}
    for n, rate in ((1, 0.001), (3, 0.01)):
        config = yaml.safe_load((whole / f"trial-{n}" / "config.yaml").read_text())
        assert config["model"]["init_args"]["learning_rate"] == rate == trials[n - 1].values["model.learning_rate"]
        assert config["data"]["languages"] == "yo"
        assert trials[n - 1].figure == facts[n]["metrics"][METRIC]
        assert facts[n]["steps"] == 3 * EPOCHS
    assert facts[1]["metrics"]["train/loss"] != facts[3]["metrics"]["train/loss"]
    table = (whole / "table.md").read_text()
    rows = {int(line.split("|")[1]): [cell.strip() for cell in line.split("|")] for line in table.splitlines()[2:5]}
    assert {n: rows[n][2] for n in rows} == {1: f"{trials[0].figure:.4f}", 2: "", 3: f"{trials[2].figure:.4f}"}
    assert [float(rows[n][3]) for n in (1, 2, 3)] == [0.001, FAILS, 0.01]
    assert (whole / "parallel.png").is_file()
    # Nothing is left to do, and nothing is done again.
    before = {path: path.stat().st_mtime_ns for path in whole.glob("trial-*/encoder")}
    assert len(before) == 2
    again = clir(*command(three, whole))
    assert table.strip() in again
    assert "trial 1" not in again
    assert {path: path.stat().st_mtime_ns for path in whole.glob("trial-*/encoder")} == before
    # The folder is this sweep's alone.
    assert "holds a sweep with another seed" in clir(*command(three, whole), "--seed", "1")


@pytest.mark.slow
@pytest.mark.parametrize(("to", "how"), STOPS)
def test_a_sweep_that_is_stopped_goes_on_from_the_checkpoint(
    to: Callable[[int, int], None], how: signal.Signals,
    whole: Path, three: Path, command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command,
) -> None:  # fmt: skip
    """With its trial (kill -9, Ctrl-C), or alone and politely, so that it tells its trial to end."""
    run = tmp_path / "sweep"
    checkpoint, end = run / "trial-3" / "checkpoints" / "last.ckpt", time.monotonic() + PATIENCE
    process = subprocess.Popen(
        [sys.executable, "-m", "clir_ot.cli", *command(three, run)], start_new_session=True, stdout=subprocess.DEVNULL,
        # Of tests in the background of a shell: what they start would ignore Ctrl-C, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while not checkpoint.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.005)
    to(process.pid, how)
    assert process.wait(PATIENCE) != 0
    assert [trial.state for trial in read_trials(run)] == ["finished", "failed", "running"]
    assert not (run / "trial-3" / "encoder").exists()
    first = (run / "trial-1" / "encoder").stat().st_mtime_ns
    clir(*command(three, run))
    assert f"resuming from {checkpoint}" in (run / "trial-3.log").read_text()
    assert (run / "trial-1" / "encoder").stat().st_mtime_ns == first
    found, expected = read_trials(run), read_trials(whole)
    assert [(t.number, t.values, t.state, t.figure) for t in found] == [
        (t.number, t.values, t.state, t.figure) for t in expected
    ]
    facts = [json.loads((folder / "trial-3" / "run.json").read_text()) for folder in (run, whole)]
    metrics = [{k: v for k, v in each["metrics"].items() if not k.startswith("speed/")} for each in facts]
    assert len(metrics[0]) >= 3
    assert metrics[0] == metrics[1]


@pytest.mark.slow
def test_two_processes_have_the_values_log_one_run_and_end_early_together(
    command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command
) -> None:
    """The third trial's loss is weighted with 100: Hyperband ends it after the first of two epochs, on both ranks."""
    alignments = ["1*mse", "1.1*mse", "100*mse"]
    parameters = {"model.alignment": {"values": alignments}}
    file = write(
        tmp_path, parameters, metric={"name": "train/loss", "goal": "minimize"},
        early_terminate={"type": "hyperband", "min_iter": 1, "eta": 2},
    )  # fmt: skip
    said = yaml.safe_load(file.read_text())
    del said["parameters"]["trainer.logger"]
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    run = tmp_path / "sweep"
    clir(*command(file, run), "--devices", "2")
    trials = read_trials(run)
    assert [(trial.state, len(trial.epochs)) for trial in trials] == [("finished", 2), ("finished", 2), ("stopped", 1)]
    for trial, alignment, epochs in zip(trials, alignments, (2, 2, 1), strict=True):
        folder = run / f"trial-{trial.number}"
        facts = json.loads((folder / "run.json").read_text())
        assert (facts["devices"], facts["steps"]) == (2, 3 * epochs)
        assert yaml.safe_load((folder / "config.yaml").read_text())["model"]["init_args"]["alignment"] == alignment
        assert len(list((folder / "wandb").glob("offline-run-*"))) == 1
        assert trial.epochs[-1] == pytest.approx(facts["metrics"]["train/loss"], abs=1e-6)
        assert trial.figure == facts["metrics"]["train/loss"]
    assert trials[2].epochs[0] > max(trials[0].epochs[0], trials[1].epochs[0])


@pytest.fixture
def resolving_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`clir-ot fit --print_config` in this process, which has torch loaded; all else is as it is."""

    def resolve(options: list[str]) -> tuple[str, str | None]:
        monkeypatch.setattr(sys, "argv", ["clir-ot", "fit", *options, "--run", "unused", "--print_config"])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        problem = str(ended.value.code).removeprefix("clir-ot: ") if ended.value.code else None
        return capsys.readouterr().out, problem

    monkeypatch.setattr(experiment_module, "_resolve", resolve)


@pytest.mark.usefixtures("resolving_here")
@pytest.mark.parametrize(
    ("parameters", "change", "extra", "said"),
    [
        ({"model.epsilonn": {"values": [0.1]}}, {}, [],
         "unknown parameter model.epsilonn; did you mean model.epsilon?"),
        ({"epsilon": {"values": [0.1]}}, {}, [], "unknown parameter epsilon; did you mean model.epsilon?"),
        ({"model.epsilon": {"values": [0.1, "much"]}}, {}, [], "model.epsilon is much; expected a number"),
        ({"data.batch_size": {"distribution": "uniform", "min": 8.5, "max": 9.0}}, {"method": "random"},
         ["--count", "1"], "8.525"),
        ({"data.collection": {"values": ["a"]}}, {}, [], "data.collection cannot be swept"),
        ({}, {"metric": {"name": "dev/yo/MRR@100", "goal": "maximize"}}, [],
         "no run logs the metric dev/yo/MRR@100; did you mean dev/yo/MRR@10?"),
        ({}, {"metric": {"name": "loss", "goal": "minimize"}}, [],
         "no run logs the metric loss; did you mean train/loss?"),
        ({"trainer.callbacks": {"value": None}}, {}, [], f"no run logs the metric {METRIC}; there are: train/loss"),
        ({"data.alpha": {"distribution": "uniform", "min": 0, "max": 1}}, {"method": "random"}, [],
         "has no end; say how many trials: --count 8"),
        ({}, {}, ["--count", "0"], "--count is 0"),
        ({}, {"method": "gird"}, [], "did you mean grid?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_before_anything_runs(
    parameters: dict, change: dict, extra: list, said: str,
    command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command,
) -> None:  # fmt: skip
    file = write(tmp_path, parameters, **change)
    printed = clir(*command(file, tmp_path / "run"), *extra)
    assert printed.startswith("FAILED: clir-ot: ")
    assert said in printed
    assert "\n" not in printed.strip()
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("resolving_here")
def test_teacher_and_language_are_asked_for_where_they_are_read(
    tmp_path: Path, collection_folder: Path, encoder_folder: Path, teacher_folder: Path, clir: Command
) -> None:
    students = write(tmp_path, {})
    options = ["--collection", collection_folder, "--run", tmp_path / "run"]
    assert "needs --teacher" in clir("sweep", students, *options, "--language", "yo")
    assert "needs --language" in clir("sweep", students, *options, "--teacher", teacher_folder)
    rankers = write(tmp_path, {"model.encoder": {"value": str(encoder_folder)}}, experiment=HYBRID)
    assert "has no use for --teacher" in clir("sweep", rankers, *options, "--teacher", teacher_folder)
    # The toy is judged in neither German nor Hausa: no such figure.
    assert "no run logs the metric dev/ha/MRR@10" in clir("sweep", rankers, *options, "--language", "ha")


@pytest.mark.usefixtures("resolving_here")
def test_a_folder_is_swept_by_one_and_a_trial_left_training_is_waited_for(
    command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    arguments = command(write(tmp_path, {"model.learning_rate": {"values": [0.001]}}), run)
    with hold(run / ".lock", f"{run}: is being swept"):
        assert f"{run}: is being swept by process {os.getpid()} on " in clir(*arguments)
    started: list[tuple[list[str], float]] = []
    ready, ended = threading.Event(), list[float]()

    def left_training() -> None:
        with hold(run / "trial-1" / ".lock", "trial-1: is being trained"):
            ready.set()
            time.sleep(0.8)
            ended.append(time.monotonic())

    def start(options: list[str], **_: Any) -> Any:
        started.append((options, time.monotonic()))
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "Popen", start)
    assert "interrupted" in clir(*arguments)
    started.clear()
    left = threading.Thread(target=left_training)
    left.start()
    ready.wait()
    assert "interrupted" in clir(*arguments)
    left.join()
    ((options, when),) = started
    assert when > ended[0]
    # One that had not got as far as its lock is waited for by the process itself.
    assert options[options.index("--wait") + 1] == "true"


@pytest.mark.usefixtures("resolving_here")
def test_a_server_that_refuses_the_sweep_is_one_line_and_the_folder_stays_free_for_another_try(
    command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    def refused(*_: Any, **__: Any) -> str:
        raise WandbApiFailedError("permission denied\nadvice")  # wandb's for an entity without rights, no wandb.Error

    monkeypatch.setattr(sweep_module, "_stays_here", lambda: False)
    monkeypatch.setattr(wandb, "sweep", refused)
    file = write(tmp_path, {"model.learning_rate": {"values": [0.001]}}, entity="lab")
    said = yaml.safe_load(file.read_text())
    del said["parameters"]["trainer.logger"]
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    for _ in range(2):
        printed = clir(*command(file, tmp_path / "run"))
        assert printed.startswith("FAILED: clir-ot: lab/clir-ot: the sweep cannot be created: permission denied; ")
        assert "\n" not in printed.strip()


class Server:
    """What W&B's agent asks its server for: values for each trial, until there are no more."""

    def __init__(self, rates: list[float]) -> None:
        self.rates, self.given, self.agents = rates, 0, 0

    def register(self, *_: Any, **__: Any) -> dict[str, str]:
        self.agents += 1
        return {"id": "agent"}

    def heartbeat(self, api: Any, agent: str, metrics: Any, running: dict[str, bool]) -> list[dict[str, Any]]:
        if running:
            return []
        if self.given == len(self.rates):
            return [{"type": "exit"}]
        self.given += 1
        values = {"model.learning_rate": {"value": self.rates[self.given - 1]}, "model.epsilon": {"value": None}}
        return [{"type": "run", "run_id": f"given{self.given}", "args": values}]


@pytest.mark.slow
def test_the_agent_of_wandb_trains_each_trial_as_one_run_and_the_sweep_is_gone_on_with(
    command: Callable[[Path, Path], list[str]], tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W&B's own agent and its real runs; a stand-in for the server alone, which no test can reach.

    `wandb.sweep`, the three calls the agent makes to the server and the question whether the user is logged in are
    replaced; the runs themselves are offline ones.
    """
    import wandb
    from wandb.agents.pyagent import Agent
    from wandb.apis.public import sweeps as server_calls
    from wandb.sdk import wandb_login

    server, created = Server([0.001, FAILS, 0.01]), []

    def create(config: dict, *, project: str, entity: str | None) -> str:
        created.append((config["parameters"]["model.learning_rate"], config["metric"]["name"], project, entity))
        return f"sweep{len(created)}"

    monkeypatch.setattr(sweep_module, "_stays_here", lambda: False)
    monkeypatch.setattr(wandb, "sweep", create)
    monkeypatch.setattr(wandb, "Api", lambda *_, **__: object())
    monkeypatch.setattr(wandb_login, "_login", lambda *_, **__: True)
    monkeypatch.setattr(server_calls, "_register_agent", server.register)
    monkeypatch.setattr(server_calls, "_agent_heartbeat", server.heartbeat)
    monkeypatch.setattr(Agent, "HEARTBEAT_SLEEP_SECONDS", 0.05)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    rates = {"min": 0.001, "max": 0.01}
    file = write(tmp_path, {"model.learning_rate": rates}, method="random")
    said = yaml.safe_load(file.read_text())
    del said["parameters"]["trainer.logger"]
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    run = tmp_path / "sweep"

    clir(*command(file, run), "--count", "2")
    assert [(rate["min"], rate["max"], *rest) for rate, *rest in created] == [(0.001, 0.01, METRIC, "clir-ot", None)]
    assert json.loads((run / "sweep.json").read_text())["wandb"] == {
        "id": "sweep1", "project": "clir-ot", "entity": None
    }  # fmt: skip
    assert [(t.state, t.wandb, t.values["model.learning_rate"]) for t in read_trials(run)] == [
        ("finished", "given1", 0.001), ("failed", "given2", FAILS)
    ]  # fmt: skip
    (logged,) = (run / "trial-1" / "wandb").glob("offline-run-*")
    assert logged.name.endswith("-given1")
    facts = json.loads((run / "trial-1" / "run.json").read_text())
    assert facts["metrics"][METRIC] == read_trials(run)[0].figure
    assert facts["wandb"]["id"] == "given1"

    # As a kill in the third trial leaves it: no second sweep, the trial before the rest, in its own W&B run.
    lines = (run / "trials.jsonl").read_text().splitlines()
    values = {**read_trials(run)[0].values, "model.learning_rate": 0.002}
    third = {"number": 3, "values": values, "state": "running", "wandb": "interrupted"}
    (run / "trials.jsonl").write_text("\n".join([*lines, json.dumps(third)]) + "\n")
    clir(*command(file, run), "--count", "4")
    assert len(created) == 1
    assert [(t.state, t.wandb, t.values["model.learning_rate"]) for t in read_trials(run)[2:]] == [
        ("finished", "interrupted", 0.002), ("finished", "given3", 0.01)
    ]  # fmt: skip
    assert len(list((run / "trial-3" / "wandb").glob("offline-run-*-interrupted"))) == 1
    assert server.agents == 2
    assert threading.active_count() < 20


def test_the_metric_is_in_the_language_that_is_swept(tmp_path: Path) -> None:
    file = SweepFile.read(write(tmp_path, {}))
    assert file.with_language("sw").config["metric"] == {"name": "dev/sw/MRR@10", "goal": "maximize"}
    loss = SweepFile.read(write(tmp_path, {}, metric={"name": "train/loss", "goal": "minimize"}))
    assert loss.with_language("sw").metric == "train/loss"
