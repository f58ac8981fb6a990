"""Trained encoders and rankings as Weights & Biases artifacts, and which student was taught by which encoder."""

from pathlib import Path
from typing import Any, Literal

from clir_ot.models.encoder_folder import CARD
from clir_ot.runs.folder import run_of
from clir_ot.runs.progress import say
from clir_ot.tracking.run_logger import RunLogger
from clir_ot.tracking.weights_and_biases import one_line

TEACHER_KEY = "teacher_artifact"
"""In a run's configuration: `encoder-<id of the teacher's run>`."""


def encoder_artifact(run_id: str) -> str:
    """Name of the artifact with a run's encoder."""
    return f"encoder-{run_id}"


def teacher_artifact(teacher: str | Path) -> str | None:
    """Name of the artifact with the encoder in the folder; None where its training logged no run."""
    home = run_of(teacher)
    kept = home.read_facts().get("wandb") if home and home.facts.is_file() else None
    return encoder_artifact(kept["id"]) if kept else None


def log_encoder(logger: RunLogger, folder: Path, facts: dict[str, Any]) -> None:
    """The trained encoder, read where it lies: the folder must stay as it is until it is uploaded.

    Args:
        logger: of the run that trained it.
        folder: of the encoder.
        facts: to stand with it.
    """
    import wandb

    with logger.unharmed():
        artifact = wandb.Artifact(encoder_artifact(logger.identity()["id"]), type="model", metadata=facts)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            # The card is copied: the next evaluation changes it where it lies.
            policy: Literal["mutable", "immutable"] = "mutable" if path.name == CARD else "immutable"
            artifact.add_file(str(path), name=path.relative_to(folder).as_posix(), policy=policy)
        logger.experiment.log_artifact(artifact)


def log_rankings(logger: RunLogger, folder: Path) -> None:
    """The TREC runs directly in a folder."""
    import wandb

    with logger.unharmed():
        artifact = wandb.Artifact(f"rankings-{logger.identity()['id']}", type="rankings")
        for path in sorted(folder.glob("*.trec")):
            artifact.add_file(str(path))
        logger.experiment.log_artifact(artifact)


def use_teacher(logger: RunLogger, name: str) -> None:
    """Note on the server that the run has used the teacher's encoder.

    Offline this cannot be noted (wandb refuses); the name stands in the configuration, from which `link_teachers` makes
    it up once both are uploaded.
    """
    if not logger.is_online:
        return
    try:
        logger.experiment.use_artifact(f"{name}:latest")
    except Exception as error:  # see `weights_and_biases.asking`
        say(
            f"Weights & Biases: {one_line(error)}; the teacher is not linked: upload it with wandb sync, then "
            "clir-ot dashboard --create links it"
        )


def link_teachers(api: Any, path: str) -> int:
    """Note which runs of a project have used which teacher's encoder, where that could not be noted in training.

    Args:
        api: a `wandb.Api`.
        path: `entity/project`.

    Returns:
        How many runs were linked.
    """
    import wandb

    linked = 0
    for run in api.runs(path):
        name = run.config.get(TEACHER_KEY)
        if not name or any(used.name.split(":")[0] == name for used in run.used_artifacts()):
            continue
        try:
            artifact = api.artifact(f"{path}/{name}:latest")
        except (wandb.Error, ValueError):
            say(f"{run.name}: its teacher's {name} is not uploaded yet")
            continue
        run.use_artifact(artifact)
        linked += 1
    return linked
