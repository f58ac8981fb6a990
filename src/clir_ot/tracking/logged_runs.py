"""Runs that lie in folders, as Weights & Biases knows them: on its server, on this machine, or both."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clir_ot.collections.languages import parse_languages
from clir_ot.errors import UserError
from clir_ot.runs.folder import RunFolder

_PARTS = ("offline-run-*", "run-*")


@dataclass(frozen=True)
class LoggedRun:
    """A run folder with something logged.

    Attributes:
        folder: of the run.
        known: what `run.json` keeps of it: id, project, entity, url and more; empty if it was trained before that.
        parts: wandb's folders below it, oldest first.
        languages: canonical codes.
    """

    folder: RunFolder
    known: dict[str, Any]
    parts: Sequence[Path]
    languages: Sequence[str]

    @property
    def project_url(self) -> str | None:
        """Where the server shows the run's project; None where it does not know the run."""
        url = self.known.get("url")
        return url.split("/runs/")[0] if url else None


def logged_runs(paths: Iterable[Path]) -> list[LoggedRun]:
    """Every run with something logged at or below the paths.

    Raises:
        UserError: a path does not exist; nothing was logged.
    """
    paths, found = list(paths), {}
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: no such folder; give the folders of runs, or one that they lie in")
        for config in sorted(path.rglob("config.yaml")):
            folder = RunFolder(config.parent)
            if not folder.facts.is_file():
                continue  # wandb's own config.yaml
            known = folder.read_facts().get("wandb") or {}
            parts = sorted(
                (p for kind in _PARTS for p in folder.wandb.glob(kind)), key=lambda p: p.name.split("run-")[1]
            )
            languages = parse_languages(folder.read_config()["data"]["languages"] or "en")
            if known.get("url") or parts:
                found[folder.path.resolve()] = LoggedRun(folder, known, parts, languages)
    if not found:
        raise UserError(
            f"{', '.join(map(str, paths))}: nothing there was logged to Weights & Biases; train a run without "
            "--trainer.logger false"
        )
    return list(found.values())


@contextmanager
def one_folder(runs: Sequence[LoggedRun]) -> Iterator[Path]:
    """All parts of all runs in one temporary folder of links, which is what `wandb leet` shows together."""
    with tempfile.TemporaryDirectory(prefix="clir-ot-runs-") as folder:
        for run in runs:
            for part in run.parts:
                os.symlink(part.resolve(), Path(folder) / part.name)
        yield Path(folder)
