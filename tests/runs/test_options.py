"""Numbers that cannot be one, and runs that would never end or learn nothing: a line each, before anything is made."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from clir_ot import HybridBatchRanker
from clir_ot.errors import UserError
from clir_ot.runs.machine import prepare_slurm

SHARE = "it is a share and must lie in [0, 1]"
LENGTH = "special tokens and prefix alone are 4 tokens, so that nothing of a text would be read"
RANKER = [
    ("model.temperature", "0", "it must be above 0"),
    ("model.temperature", ".nan", "it must be above 0"),
    ("model.dimensions", "0", "it must be at least 1"),
    ("model.dimensions", "1000000000", "at most 65536"),
    ("model.query_length", "0", LENGTH),
    ("model.query_length", "-1", LENGTH),
    ("model.document_length", "4", LENGTH),
    ("model.query_length", "257", "reads 256 tokens at most"),
    ("model.frozen_layers", "-1", "it must be at least 0"),
    ("model.chunk_rows", "0", "it must be at least 1, or null for all at once"),
    ("model.language_block_weight", ".nan", "it must be at least 0"),
    ("model.learning_rate", "nan", "expected a number"),
    ("data.batch_size", "0", "it must be at least 1"),
    ("data.batch_size", "1", "a query has nothing to be told apart from"),
    ("data.batch_size", "1000000000", "en has 36 training queries; lower it"),
    ("data.passage_words", "0", "it must be at least 1"),
    ("data.cloze_share", ".nan", SHARE),
    ("data.alpha", "1.5", SHARE),
    ("data.mode", "zz", "expected one of 'hybrid', 'En-En', 'X-X', 'X-X-mono', 'X-Y'"),
    ("checkpoint_seconds", "-1", "it must be at least 0"),
    ("trainer.max_epochs", "0", "it must be at least 1, or -1 for no limit"),
    ("trainer.max_epochs", "-1", "set one of them (trainer.max_time may end training earlier)"),
    ("trainer.max_epochs", "null", "max_epochs is null, and trainer.max_steps gives no end either"),
    ("trainer.max_steps", "0", "it must be at least 1, or -1 for no limit"),
    ("trainer.accumulate_grad_batches", "0", "it must be at least 1"),
    ("trainer.gradient_clip_val", ".nan", "it must be at least 0"),
    ("trainer.gradient_clip_val", "nan", "expected a whole number or a number"),
    ("trainer.limit_train_batches", "0", "a share above 0 and at most 1.0"),
    ("trainer.limit_train_batches", "1.5", "a share above 0 and at most 1.0"),
    ("trainer.overfit_batches", "1", "every epoch draws its own batches"),
    ("trainer.precision", "64-true", "token vectors are float32"),
    ("trainer.strategy", "ddp_spawn", "take ddp"),
    ("trainer.accelerator", "tpu", "torch_xla"),
    ("trainer.max_time", "00:00:00:00", "training has taken no step, so nothing is kept"),
]
STUDENT = [
    ("model.teacher", "null", "not set: model.teacher; say it as in --model.teacher VALUE"),
    ("model.epsilon", ".inf", "it must be above 0"),
    ("model.temperature", ".inf", "it must be above 0"),
    ("model.english_weight", ".nan", "it must be at least 0"),
    ("model.interpolation", "1.5", "above 0 and at most 1"),
    ("data.batch_size", "1", "a sentence has no other to be told apart from"),
    ("data.batch_size", "4096", "the bitext has 36 pairs; lower it"),
    ("data.english_share", "1", "no row has a foreign side"),
    ("data.bitext_pairs", "0", "it must be at least 1, or null for all"),
]


@pytest.mark.parametrize(
    ("system", "key", "value", "said"),
    [*(("teacher", *row) for row in RANKER), *(("distill", *row) for row in STUDENT)],
)
def test_what_cannot_be_is_said_in_a_line(
    system: str, key: str, value: str, said: str, fit: Callable[..., str], tmp_path: Path
) -> None:
    printed = fit(tmp_path / "run", f"--{key}", value, system=system)
    assert printed.startswith("FAILED: clir-ot: ")
    assert "\n" not in printed
    assert said in printed
    if "no step" not in said and "torch_xla" not in said and "reads 256" not in said:
        assert key.split(".")[-1] in printed
    assert not (tmp_path / "run").exists()


def test_a_student_that_nothing_teaches_is_refused(fit: Callable[..., str], tmp_path: Path) -> None:
    nothing = ["--model.alignment", "none"]
    for more in (["--data.english_share", 0], ["--model.english_weight", 0]):
        said = fit(tmp_path / "run", *nothing, *more, system="distill")
        assert "only rows with English on both sides are trained, and there are none" in said
    one = ["--model.alignment", "ot", "--data.batch_size", 1, "--trainer.max_steps", 1]
    assert "trained 1 steps" in fit(tmp_path / "run", *one, system="distill")


def test_an_end_by_steps_is_one(fit: Callable[..., str], tmp_path: Path) -> None:
    said = fit(tmp_path / "run", "--trainer.max_epochs", -1, "--trainer.max_steps", 2)
    assert "trained 2 steps" in said


def test_a_collection_of_one_document_teaches_nothing(
    fit: Callable[..., str], own_collection: Path, tmp_path: Path
) -> None:
    judged = own_collection / "qrels" / "train.tsv"
    judged.write_text("".join(judged.read_text().splitlines(keepends=True)[:4]))  # three queries, one document
    options = ["--data.collection", own_collection, "--data.batch_size", 2]
    assert "all training queries are about document 'd0'" in fit(tmp_path / "run", *options)


@pytest.mark.parametrize("option", ["query_length", "document_length", "dimensions", "query_prefix"])
def test_what_a_saved_encoder_says_itself_is_never_overruled_in_silence(
    option: str, fit: Callable[..., str], teacher_folder: Path, tmp_path: Path
) -> None:
    value = "x" if option == "query_prefix" else 16
    saved = ["--model.encoder", teacher_folder, "--model.dimensions", 8, "--model.document_length", 256]
    saved += ["--model.query_prefix", "", "--model.document_prefix", ""]
    assert "trained 5 steps" in fit(tmp_path / "as-saved", *saved)
    said = fit(tmp_path / "other", *saved, f"--model.{option}", value)
    assert f"was trained with {option}" in said
    assert f"set model.{option} to it" in said
    # A student has its teacher's.
    assert f"Option '{option}' is not accepted" in fit(tmp_path / "s", f"--model.{option}", value, system="distill")


def test_a_saved_length_above_the_positions_is_a_line(teacher_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(teacher_folder, folder)
    path = folder / "config_sentence_transformers.json"
    path.write_text(path.read_text().replace('"query_length": 64', '"query_length": 257'))
    with pytest.raises(UserError, match=r"query_length is 257; .* reads 256 tokens at most"):
        HybridBatchRanker(str(folder), dimensions=8, query_length=257)


SLURM = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


@pytest.mark.parametrize("per_node", [{}, {"SLURM_NTASKS_PER_NODE": "4"}])
def test_a_batch_script_without_srun_trains_in_its_one_process(
    per_node: dict[str, str], fit: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_NAME", "train.sh")
    for name, value in (SLURM | per_node).items():
        monkeypatch.setenv(name, value)
    said = fit(tmp_path / "run")
    assert "Slurm has 4 tasks for this job, and this is one process; srun in front starts one a task" in said
    assert "trained 5 steps" in said
    assert yaml.safe_load((tmp_path / "run" / "run.json").read_text())["devices"] == 1


def test_srun_with_tasks_that_lightning_does_not_know_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (SLURM | {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_ID": "0"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="srun started 4 tasks by --ntasks; give --ntasks-per-node"):
        prepare_slurm()
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "4")
    prepare_slurm()
