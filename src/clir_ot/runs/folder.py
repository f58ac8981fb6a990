"""A run is a folder: its configuration, checkpoints, trained encoder, rankings and metrics.

```
config.yaml        every hyper-parameter, as resolved
run.json           fingerprints of collection and encoder, time, memory, versions
checkpoints/       until training is complete: last.ckpt, from which a run that was stopped goes on; previous.ckpt, the
                   one before it, should that be damaged; best.pt, the best epoch's weights (--monitor)
encoder/           the trained encoder, a Hugging Face folder; there once training is complete
trec/              rankings, <system>.<language>.<split>.trec
metrics.json       what `clir-ot evaluate` measured
languages.json     of several languages: MAP in every setting
index/, bitext/    documents, and English sentences of its students' bitext, as this run's encoder has encoded them
wandb/             the Weights & Biases run, where it is offline
.lock              while a process trains or evaluates the run
```
"""

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from clir_ot.errors import UserError
from clir_ot.files import read_yaml, remove_leftovers, user_path, write_text
from clir_ot.locks import hold
from clir_ot.runs.deciding import CONTENT, deciding


class RunFolder:
    """Where one training run lives."""

    def __init__(self, path: str | Path) -> None:
        self.path = user_path(path)
        self.config = self.path / "config.yaml"
        self.facts = self.path / "run.json"
        self.checkpoints = self.path / "checkpoints"
        self.checkpoint = self.checkpoints / "last.ckpt"
        self.previous = self.checkpoints / "previous.ckpt"
        self.best = self.checkpoints / "best.pt"
        self.encoder = self.path / "encoder"
        self.wandb = self.path / "wandb"
        self.rankings = self.path / "trec"
        self.metrics = self.path / "metrics.json"
        self.languages = self.path / "languages.json"
        self.lock = self.path / ".lock"

    @contextmanager
    def held(self, doing: str, *, wait: bool = False) -> Iterator[None]:
        """While this is open, no other process trains or evaluates the run; all ranks of one are one process.

        Args:
            doing: `trained` or `evaluated`.
            wait: for a process that has it, instead of being refused.

        Raises:
            UserError: another process has it, or the folder cannot be written.
        """
        try:
            with hold(self.lock, f"{self.path}: is being {doing}", "wait until it ends", wait=wait):
                yield
        finally:
            with suppress(OSError):
                self.path.rmdir()  # only where nothing else is in it

    def homes_of(self, teacher: str | Path) -> "list[RunFolder]":
        """Where what a teacher has encoded is looked for and kept.

        Its own run, if it has one, where all its students find it; then this one, for what cannot be written there.
        """
        beside = run_of(teacher)
        return [beside, self] if beside else [self]

    @property
    def is_trained(self) -> bool:
        """Training is complete: the encoder is written last, whole or not at all."""
        return self.encoder.is_dir()

    @property
    def last_checkpoint(self) -> Path | None:
        """From which to resume: the last checkpoint, or the one before it where that is damaged.

        Raises:
            UserError: all that is there is damaged.
        """
        there = self._checkpoints()
        for path in there:
            if _is_whole(path):
                return path
        if there:
            names = " and ".join(path.name for path in there)
            raise UserError(f"{self.checkpoints}: damaged: {names}; delete {self.path} to train anew")
        return None

    def _checkpoints(self) -> list[Path]:
        return [path for path in (self.checkpoint, self.previous) if path.is_file()]

    def check(self, config: dict[str, Any], read: Mapping[str, str]) -> None:
        """See that the folder is free, or this configuration's already.

        Args:
            config: resolved.
            read: fingerprints of what training reads: `collection`, `encoder` and, of a file, `hard_negatives`.

        Raises:
            UserError: the folder holds another configuration's run, one that started from another collection or
                encoder, or something else.
        """
        if not self.config.is_file():
            if self.path.is_dir() and any(not self._may_be_there(path) for path in self.path.iterdir()):
                raise UserError(f"{self.path}: exists and is no run of clir-ot; choose another --run folder")
            return
        facts = self.read_facts()
        # Of runs older than that its content was noted, the place counts.
        by_content = {key for key, name in CONTENT.items() if f"{name}_fingerprint" in facts}
        before, now = (
            {key: value for key, value in deciding(said).items() if key not in by_content}
            for said in (self.read_config(), config)
        )
        if changed := sorted(key for key in before | now if before.get(key) != now.get(key)):
            key = changed[0]
            raise UserError(
                f"{self.path}: holds a run with {key} = {before.get(key)}, now {now.get(key)}; delete the folder to "
                "train anew, or give another one (make ... RUN=folder, clir-ot fit --run folder)"
            )
        if changed := [name for name, value in read.items() if facts.get(f"{name}_fingerprint", value) != value]:
            raise UserError(
                f"{self.path}: was trained from {changed[0].replace('_', ' ')} of other content; delete the folder to "
                "train anew, or give another one (make ... RUN=folder, clir-ot fit --run folder)"
            )

    def claim(self, config: dict[str, Any], read: Mapping[str, str]) -> None:
        """Make the free folder this configuration's; where it already is, clear away what a kill or a fault left."""
        if not self.config.is_file():
            facts = {f"{name}_fingerprint": value for name, value in read.items()}
            write_text(self.facts, json.dumps(facts, indent=2) + "\n")
            # Last: with it, the folder is a run.
            write_text(self.config, yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
        for target in (self.config, self.facts, self.checkpoint, self.best, self.encoder):
            remove_leftovers(target)
        for path in self.path.glob("hpc_ckpt_*.ckpt"):
            path.unlink()  # Lightning's, of a Slurm job that was told to end; it would go on from that to other weights
        if self.last_checkpoint == self.previous:
            # A damaged one must not become the previous one.
            self.checkpoint.unlink(missing_ok=True)

    def release(self) -> None:
        """Give up a run that has saved nothing, so that a corrected configuration finds the folder free.

        The Weights & Biases run stays: it shows how training diverged.
        """
        if not self.config.is_file() or self._checkpoints() or self.is_trained:
            return
        for path in self.path.iterdir():
            if path.is_dir() and path != self.wandb:
                shutil.rmtree(path)
            elif path.is_file() and path != self.lock:
                path.unlink()
        with suppress(OSError):
            self.path.rmdir()  # only where nothing else is in it

    def _may_be_there(self, path: Path) -> bool:
        """What `release`, or a kill in the middle of `claim`, leaves."""
        return path in (self.wandb, self.facts) or path.name.startswith((".lock", ".run.json.", ".config.yaml."))

    def read_config(self) -> dict[str, Any]:
        """The resolved configuration.

        Raises:
            UserError: the folder is no run.
        """
        if not self.config.is_file():
            raise UserError(f"{self.path}: is no run folder (it has no config.yaml); train one with clir-ot fit")
        return read_yaml(self.config)

    def read_facts(self) -> dict[str, Any]:
        """What is known of the run beside its configuration.

        Raises:
            UserError: its file is missing or damaged.
        """
        try:
            facts: dict[str, Any] = json.loads(self.facts.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{self.facts}: cannot be read ({error}); delete {self.path} to train anew") from error
        return facts

    def add_facts(self, **facts: Any) -> None:
        """Add to `run.json`."""
        write_text(self.facts, json.dumps(self.read_facts() | facts, indent=2) + "\n")


def run_of(encoder: str | Path) -> RunFolder | None:
    """The run whose encoder lies in a folder, or that a link to it leads to; None where it is no run's."""
    folder = user_path(encoder)
    for place in (folder, folder.resolve()):
        if (run := RunFolder(place.parent)).config.is_file() or run.facts.is_file():
            return run
    return None


def _is_whole(checkpoint: Path) -> bool:
    """Whether a file of `torch.save`, which is a zip with checksums, is as it was written."""
    try:
        with zipfile.ZipFile(checkpoint) as file:
            return file.testzip() is None
    except zipfile.BadZipFile:
        return False
