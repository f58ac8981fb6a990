"""The commands as a user types them, on the tiny encoder and the synthetic collection."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import wandb
from pytorch_lightning.utilities import rank_zero_only
from safetensors.torch import load_file

from clir_ot import TokenEncoder
from clir_ot.collections.trec import read_run
from tests.forked import running

ROOT = Path(__file__).parent.parent
TEACHER, DISTILL = (str(ROOT / "experiments" / name) for name in ("teacher.yaml", "distill.yaml"))
SMALL = ["--data.batch_size", "12", "--trainer.max_epochs", "2", "--trainer.accelerator", "cpu"]
# No Weights & Biases process where a test is not about it.
UNLOGGED = ["--trainer.logger", "false", "--trainer.callbacks", "null"]

Command = Callable[..., str]


def teacher_arguments(encoder: Path, collection: Path, run: Path) -> list[str]:
    arguments = ["fit", "--config", TEACHER, "--model.encoder", encoder, "--data.collection", collection, "--run", run]
    return [*map(str, arguments), "--model.dimensions", "16", "--model.document_length", "64", *SMALL]


def distill_arguments(teacher: Path, collection: Path, run: Path) -> list[str]:
    arguments = ["fit", "--config", DISTILL, "--model.teacher", teacher / "encoder", "--data.collection", collection]
    return [*map(str, arguments), "--data.languages", "yor", "--run", str(run), *SMALL]


@pytest.fixture(scope="module")
def teacher_run(
    encoder_folder: Path, collection_folder: Path, tmp_path_factory: pytest.TempPathFactory, run_clir: Command
) -> Path:
    run = tmp_path_factory.mktemp("runs") / "teacher"
    run_clir(*teacher_arguments(encoder_folder, collection_folder, run), *UNLOGGED)
    return run


def test_from_teacher_to_table(teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command) -> None:
    run = tmp_path / "distill-yo"
    printed = clir(*distill_arguments(teacher_run, collection_folder, run))
    assert "trained 6 steps" in printed
    assert f"wandb sync {run}" in printed

    table = clir("evaluate", run, "--collection", collection_folder)
    for row in ("English reference | English", "zero-shot         | Yoruba", "distilled         | Yoruba"):
        assert row in table
    assert "distilled against zero-shot, Yoruba queries: MRR@10" in table
    assert "distilled against English reference, English queries" in table

    metrics = json.loads((run / "metrics.json").read_text())
    assert [(s["system"], s["language"], s["queries"]) for s in metrics["systems"]] == [
        ("English reference", "en", 18),
        ("zero-shot", "yo", 18),
        ("distilled", "yo", 18),
        ("distilled", "en", 18),
    ]
    ranking = read_run(run / "trec" / "distilled.yo.test.trec")
    assert len(ranking) == 18
    assert all(len(documents) == 24 for documents in ranking.values())
    assert TokenEncoder.from_pretrained(run / "encoder").projection.out_features == 16

    # The TREC files say the same as the run folder, and `search` makes the same ranking.
    again = clir(
        "evaluate", run / "trec" / "distilled.yo.test.trec", "--collection", collection_folder, "--language", "yo"
    )
    assert f"{metrics['systems'][2]['measures']['MRR@10']['mean']:.3f} [" in again
    found = tmp_path / "found.trec"
    encoders = ["--encoder", run / "encoder", "--document-encoder", teacher_run / "encoder"]
    clir("search", *encoders, "--collection", collection_folder, "--language", "yo", "--output", found)
    assert read_run(found) == ranking

    assert "already trained" in clir(*distill_arguments(teacher_run, collection_folder, run))


def test_a_folder_with_nothing_but_test_queries_bitext_and_documents_works(
    teacher_run: Path, own_collection: Path, tmp_path: Path, clir: Command
) -> None:
    for absent in ("qrels/train.tsv", "qrels/dev.tsv", "queries.jsonl", "queries.sw.jsonl"):
        (own_collection / absent).unlink()
    (own_collection / "qrels" / "test.tsv").rename(own_collection / "qrels" / "test.yo.tsv")
    assert "no problem found" in clir("collection", "check", own_collection, "--languages", "yo")
    assert "yo" in clir("collection", "stats", own_collection)
    run = tmp_path / "run"
    assert "trained" in clir(*distill_arguments(teacher_run, own_collection, run))
    table = clir("evaluate", run, "--collection", own_collection)
    assert "distilled | Yoruba" in table
    assert "English" not in table


def test_weights_and_biases_gets_losses_speed_metrics_and_plans(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "distill-yo"
    clir(*distill_arguments(teacher_run, collection_folder, run), "--trainer.log_every_n_steps", "1")
    wandb.teardown()  # its process, which else may not have written all
    (offline,) = (run / "wandb").glob("offline-run-*")
    assert len(list((offline / "files" / "media" / "images" / "plans").rglob("*.png"))) == 6
    # The offline file is a log of protocol buffers; the keys stand in it as text.
    logged = next(offline.glob("*.wandb")).read_bytes()
    for key in (
        b"train/loss",
        b"train/ot_contrastive",
        b"plans/yo/entropy",
        b"train/marginal_residual",
        b"train/learning_rate",
        b"speed/tokens_per_second",
        b"speed/padding_share",
        b"dev/yo/MRR@10",
        b"dev/en/MRR@10",
        b"english_share",
    ):
        assert key in logged, key


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--model.nonsense", "1"], "nonsense"),
        (["--data.batchsize", "8"], "batchsize"),
        (["--model.learning_rate", "fast"], "learning_rate"),
        (["--data.english_share", "2"], "data.english_share is 2"),
        (["--data.languages", "ig"], "has no bitext in 'ig'; it has bitext in: yo"),
        (["--data.collection", "/nowhere"], "/nowhere: no such collection folder"),
        (["--model.teacher", "/nowhere"], "/nowhere"),
        (["--model.frozen_layers", "9"], "the encoder has 2 layers"),
        (["--trainer.devices", "999"], "trainer.devices is 999, but this machine has"),
        (["--model.alignment", "ott"], "model.alignment is 'ott'; expected none, or a sum of terms"),
        (["--model.alignment", "mse", "--model.epsilon", "0.1"], "no term of alignment mse reads it"),
        (["--model.epsilon", "-1"], "model: epsilon is -1.0; it must be above 0"),
        (["--data.negatives", "2"], "set both"),
        (["--model.learning_rate", "-1"], "model.learning_rate is -1.0; it must be above 0"),
        (["--model.weight_decay", "-1"], "model.weight_decay is -1.0; it must be at least 0"),
        (["--model.warmup_share", "2"], "model.warmup_share is 2.0; it is a share and must lie in [0, 1]"),
        (["--trainer.accelerator", "auto", "--trainer.devices", "-2"], "devices"),
        (["--trainer.accelerator", "auto", "--trainer.devices", "abc"], "devices"),
        (["--trainer.devices", "1.5"], "devices"),
        (["--trainer.devices", "[0,1,2]"], "devices"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command, extra: list[str], expected: str
) -> None:
    run = tmp_path / "run"
    printed = clir(*distill_arguments(teacher_run, collection_folder, run), *UNLOGGED, *extra)
    assert printed.startswith("FAILED: clir-ot: ")
    assert expected in printed
    assert "\n" not in printed
    assert not run.exists()


def test_what_goes_wrong_before_the_first_checkpoint_leaves_the_folder_free(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object, stage: str) -> None:
        raise RuntimeError("a fault of ours")

    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="a fault of ours"):
        patch.setattr("clir_ot.data.datamodule.CLIRDataModule.setup", broken)
        clir(*distill_arguments(teacher_run, collection_folder, run), *UNLOGGED)
    assert not run.exists()


def test_a_run_told_to_end_before_it_trains_is_one_line_and_leaves_the_folder_free(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    tell = lambda self, stage: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731
    monkeypatch.setattr("clir_ot.data.datamodule.CLIRDataModule.setup", tell)
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    try:
        printed = clir(*distill_arguments(teacher_run, collection_folder, run), *UNLOGGED)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    assert printed == f"FAILED: clir-ot: {run}: interrupted; the same command goes on from what is saved"
    assert not run.exists()


def test_devices_of_a_cpu_are_cores_on_a_machine_with_a_gpu(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    arguments = distill_arguments(teacher_run, collection_folder, tmp_path / "run")
    assert "this machine has 4 cores" in clir(*arguments, "--trainer.devices", 5)


def test_other_ranks_leave_the_talking_to_rank_0(
    teacher_run: Path, encoder_folder: Path, collection_folder: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*teacher_arguments(encoder_folder, collection_folder, teacher_run), *UNLOGGED]
    assert "already trained" in clir(*arguments)
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    assert clir(*arguments) == ""


def test_other_ranks_do_not_ask_whether_the_user_is_logged_in(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("clir_ot.fit_cli.is_offline", lambda: asked.append(1) or True)
    # Refused after the logger is placed, and before training.
    arguments = [*distill_arguments(teacher_run, collection_folder, tmp_path / "run"), "--model.frozen_layers", "9"]
    for rank, times in ((0, 1), (1, 1)):
        monkeypatch.setattr(rank_zero_only, "rank", rank)
        assert "the encoder has 2 layers" in clir(*arguments)
        assert len(asked) == times


def test_a_run_folder_of_another_configuration_is_refused(
    teacher_run: Path, encoder_folder: Path, collection_folder: Path, clir: Command
) -> None:
    arguments = [*teacher_arguments(encoder_folder, collection_folder, teacher_run), *UNLOGGED]
    assert "already trained" in clir(*arguments)
    printed = clir(*arguments, "--model.temperature", "0.5")
    assert printed.startswith("FAILED: clir-ot: ")
    assert "model.temperature = 0.02, now 0.5" in printed


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--model.document_length", "257"], "model.document_length is 257; {plain} reads 256 tokens at most"),
        (["--model.encoder", "{saved}"], "{saved}: was trained with dimensions 8; set model.dimensions to it, not 16"),
        (
            ["--model.encoder", "{saved}", "--model.dimensions", "8"],
            "{saved}: was trained with query_prefix ''; set model.query_prefix to it, not 'query: '",
        ),
        (
            [
                "--model.encoder", "{saved}", "--model.dimensions", "8", "--model.query_prefix", "",
                "--model.document_prefix", "", "--model.document_length", "32",
            ],
            "{saved}: was trained with document_length 256; set model.document_length to it, not 32",
        ),
    ],
)  # fmt: skip
def test_settings_that_the_encoder_cannot_follow_are_refused(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command, extra: list[str], expected: str
) -> None:
    places = {"plain": encoder_folder, "saved": tmp_path / "saved"}
    TokenEncoder.from_pretrained(encoder_folder, dimensions=8).save_pretrained(places["saved"])
    arguments = [*teacher_arguments(encoder_folder, collection_folder, tmp_path / "run"), *UNLOGGED]
    printed = clir(*arguments, *(text.format(**places) for text in extra))
    assert printed.strip() == f"FAILED: clir-ot: {expected.format(**places)}"
    assert not (tmp_path / "run").exists()


def test_two_processes_train_and_measure_as_one(
    teacher_run: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "distill-yo"
    arguments = [*distill_arguments(teacher_run, collection_folder, run), "--trainer.logger", "false"]
    # Lightning starts the second one.
    with running([str(Path(__file__).with_name("stoppable.py")), *arguments, "--trainer.devices", "2"]) as process:
        printed, errors = process.communicate()
    assert process.returncode == 0, errors[-2000:]
    facts = json.loads((run / "run.json").read_text())
    assert (facts["devices"], facts["steps"]) == (2, 6)
    assert printed.count("trained 6 steps") == 1
    assert "sync_dist" not in errors
    clir(*distill_arguments(teacher_run, collection_folder, tmp_path / "alone"), "--trainer.logger", "false")
    alone = json.loads((tmp_path / "alone" / "run.json").read_text())
    dev = {name: value for name, value in facts["metrics"].items() if name.startswith("dev/")}
    assert dev.keys() == {"dev/en/MRR@10", "dev/yo/MRR@10"}
    assert dev == {name: alone["metrics"][name] for name in dev}
    assert facts["metrics"]["train/loss"] == pytest.approx(alone["metrics"]["train/loss"], rel=1e-4)


@pytest.mark.slow
def test_torchrun_trains_the_same_encoder(encoder_folder: Path, collection_folder: Path, tmp_path: Path) -> None:
    runs = {name: tmp_path / name for name in ("alone", "torchrun")}
    for name, run in runs.items():
        arguments = [*teacher_arguments(encoder_folder, collection_folder, run), *UNLOGGED, "--data.batch_size", "7"]
        # `--` keeps --run from torchrun, which has options that begin so.
        launcher = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--no_python", "--", sys.executable]
        started = [*launcher, "-m", "clir_ot.cli"] if name == "torchrun" else ["-m", "clir_ot.cli"]
        devices = ["--trainer.devices", "2" if name == "torchrun" else "1"]
        subprocess.run(
            [sys.executable, *started, *arguments, *devices], check=True, capture_output=True, timeout=300,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    weights = [load_file(run / "encoder" / "model.safetensors") for run in runs.values()]
    assert all(torch.allclose(weights[0][name], weights[1][name], atol=1e-5) for name in weights[0])
    losses = [json.loads((run / "run.json").read_text())["metrics"]["train/loss"] for run in runs.values()]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_the_hybrid_ranker_logs_what_was_drawn(
    encoder_folder: Path, collection_folder: Path, tmp_path: Path, clir: Command
) -> None:
    run = tmp_path / "hybrid"
    hybrid = ["fit", "--config", ROOT / "experiments" / "hybrid.yaml", "--run", run, "--model.encoder", encoder_folder]
    small = ["--data.languages", "en,yo,sw", "--data.batch_size", 6, "--trainer.max_epochs", 1, "--model.dimensions", 8]
    clir(*hybrid, "--data.collection", collection_folder, *small, "--trainer.logger", "false")
    drawn = {k: v for k, v in json.loads((run / "run.json").read_text())["metrics"].items() if k.startswith("drawn/")}
    assert drawn.keys() > {"drawn/monolingual", "drawn/cross-lingual", "drawn/en-en"}
    pairs = [share for name, share in drawn.items() if "-" in name and "lingual" not in name]
    assert drawn["drawn/monolingual"] + drawn["drawn/cross-lingual"] == pytest.approx(1, abs=1e-4)
    assert sum(pairs) == pytest.approx(1, abs=1e-4)  # run.json holds rounded figures
    table = clir("evaluate", run, "--collection", collection_folder)
    rows = {cells[1].strip(): cells[2:-1] for line in table.splitlines() if len(cells := line.split("|")) == 11}
    settings = [cell.strip() for cell in rows.pop("queries")]
    assert "rank distance" in settings
    assert {"English", "Yoruba", "Swahili", "mean"} < rows.keys()
    assert [rows[name][0].strip() for name in ("English", "Yoruba", "Swahili", "mean", "n")] == ["18"] * 3 + ["", "18"]
    for column, setting in enumerate(settings[1:], start=1):
        means = [float(rows[name][column]) for name in ("English", "Yoruba", "Swahili")]
        rounding = 0.1 if setting == "rank distance" else 1e-3
        assert float(rows["mean"][column]) == pytest.approx(sum(means) / 3, abs=rounding)
    saved = json.loads((run / "languages.json").read_text())["cells"]["pool MAP"]
    means = [sum(values.values()) / len(values) for values in saved.values()]
    assert float(rows["mean"][settings.index("pool MAP")]) == pytest.approx(sum(means) / 3, abs=1e-3)
