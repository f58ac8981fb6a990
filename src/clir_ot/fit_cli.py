"""The options of `clir-ot fit`, and what is seen to before anything large is loaded."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities import rank_zero_only

from clir_ot.collections import Collection
from clir_ot.collections.cache import locate
from clir_ot.collections.languages import parse_languages
from clir_ot.data.from_collection import AUTO, passages, training_languages
from clir_ot.errors import UserError, require
from clir_ot.files import sha256, user_path
from clir_ot.kit.named import Shelf, find
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.machine import check_devices, check_trainer, prepare_slurm
from clir_ot.tracking.weights_and_biases import identify, is_offline

_CONFIG = ("-c", "--config")


class AlreadyTrained(Exception):  # noqa: N818 - not an error
    """The run folder, whose path is the argument, holds this very run, complete."""


class FitCLI(LightningCLI):
    """LightningCLI with a run folder, which is checked before anything large is loaded.

    Args:
        held: keeps the run folder this process's until it is closed.
    """

    run: RunFolder
    says: list[str]  # how the collection decided, and what of it is read otherwise than it stands there
    settings: tuple[dict[str, Any], dict[str, str]]  # the resolved configuration, and fingerprints of what is read

    def __init__(self, *arguments: Any, held: ExitStack, **options: Any) -> None:
        self._held = held
        super().__init__(*arguments, **options)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--run", type=str, required=True, help="the run's folder: new, or to be resumed")
        parser.add_argument(
            "--checkpoint_seconds",
            type=float,
            default=60.0,
            help="between checkpoints within an epoch, from which a run that was stopped goes on",
        )
        parser.add_argument(
            "--monitor",
            type=str | None,
            default=None,
            help="dev figure whose best epoch's weights are kept, such as dev/yo/MRR@10; by default the last epoch's",
        )
        parser.add_argument(
            "--upload_encoder",
            type=bool,
            default=True,
            help="keep the trained encoder in Weights & Biases, as an artifact",
        )
        parser.add_argument(
            "--keep_checkpoints",
            type=bool,
            default=False,
            help="leave checkpoints/ there when training is complete; nothing reads them then",
        )
        parser.add_argument(
            "--wait",
            type=bool,
            default=False,
            help="for another process that trains this run, instead of being refused; not with torchrun or srun",
        )
        parser.link_arguments("seed_everything", "data.seed")
        parser.link_arguments("run", "trainer.default_root_dir")

    def before_instantiate_classes(self) -> None:
        trainer, model = self.config.trainer, self.config.model.init_args
        check_devices(trainer.devices, trainer.accelerator)
        check_trainer(trainer)
        require("checkpoint_seconds", self.config.checkpoint_seconds, least=0)
        prepare_slurm()
        if trainer.fast_dev_run:
            # A few batches to see that it goes through: somewhere else, so that nothing of it counts.
            trial = Path(tempfile.mkdtemp(prefix="clir-ot-"))
            self._held.callback(shutil.rmtree, trial, ignore_errors=True)
            self.config.run = str(trial / Path(self.config.run).name)
            trainer.default_root_dir = self.config.run
        self.run = RunFolder(self.config.run)
        encoder = model.get("teacher") or model.get("encoder")
        if encoder is None:
            raise UserError("model.teacher is not set; give the encoder folder of a trained teacher")
        self._ask_collection()
        read = {
            "collection": Collection(self.config.data.collection).fingerprint(),
            "encoder": fingerprint(locate(encoder, "encoder")),
        }
        if (negatives := self.config.data.hard_negatives) not in (None, "collection"):
            read["hard_negatives"] = sha256(user_path(negatives)).hex()[:16]
        self.settings = (yaml.safe_load(self.parser.dump(self.config)), read)
        # The other ranks find the folder as rank 0 made it.
        rank_zero_only(self._take)()
        if self.run.is_trained:
            raise AlreadyTrained(self.run.path)
        self._place_logger()

    def _ask_collection(self) -> None:
        """What the configuration leaves to the collection, in its place: the run folder holds what was trained with."""
        data, self.says = self.config.data, []
        collection = Collection(data.collection)
        if data.languages == AUTO:
            data.languages = ",".join(training_languages(collection, AUTO))
        if data.bitext_rate == 1:
            return
        languages = parse_languages(data.languages)
        if data.cloze_share == AUTO:
            read = passages(collection, languages, data.passage_words)
            data.cloze_share = read.cloze_share
            self.says.append(read.says)
        there = [language for language in languages if language in collection.document_languages]
        self.says += [f"note: {note}" for language in there for note in collection.notes(language)]

    def _take(self) -> None:
        """Make the run folder this process's alone; one that is another run's is left as it is."""
        self.run.check(*self.settings)
        if not self.run.is_trained:
            self._held.enter_context(self.run.held("trained", wait=self.config.wait))
            self.run.check(*self.settings)

    def _place_logger(self) -> None:
        """The Weights & Biases run is named after the run folder and lies in it; one that goes on keeps its id."""
        logger = self.config.trainer.logger
        if not getattr(logger, "class_path", "").endswith(("RunLogger", "WandbLogger")):
            return
        options = logger.init_args
        options.save_dir = str(self.run.path)
        for key, value in identify(self.run, self.config.data.languages, self.config.seed_everything).items():
            options[key] = options.get(key) or value
        # Rank 0 alone writes the run, and alone asks the server whether the user is logged in.
        if rank_zero_only(is_offline, default=True)():
            # Not the logger's own `offline`: it sets the environment variable after wandb has read it.
            options.mode = "offline"


def with_files(arguments: list[str]) -> list[str]:
    """The arguments with the file in place of an experiment's name, as in `--config distill`."""
    found = []
    for before, word in zip([None, *arguments], arguments, strict=False):
        option, equals, value = word.partition("=")
        if before in _CONFIG:
            found.append(str(find(word, Shelf.EXPERIMENT)))
        elif equals and option in _CONFIG:
            found.append(f"{option}={find(value, Shelf.EXPERIMENT)}")
        else:
            found.append(word)
    return found
