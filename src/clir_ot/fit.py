"""`clir-ot fit`: one training run, from a YAML configuration to a run folder."""

import logging
import os
import resource
import shutil
import sys
import warnings
from contextlib import ExitStack
from typing import Any

import torch
from jsonargparse import ArgumentError
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import SIGTERMException

from clir_ot.collections.cache import locate
from clir_ot.data.datamodule import CLIRDataModule
from clir_ot.errors import UserError
from clir_ot.fit_cli import AlreadyTrained, FitCLI, with_files
from clir_ot.publishing.model_card import model_card
from clir_ot.runs.best_weights import BestWeights
from clir_ot.runs.checkpoints import RunCheckpoint, WholeCheckpointIO
from clir_ot.runs.deciding import CONTENT, deciding, defaults
from clir_ot.runs.facts import provenance
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.option_errors import as_user_error
from clir_ot.runs.progress import say
from clir_ot.runs.teacher_vectors import TeacherVectors
from clir_ot.runs.training_cost import TrainingCost
from clir_ot.systems.ranker import Ranker
from clir_ot.tracking.artifacts import TEACHER_KEY, log_encoder, teacher_artifact, use_teacher
from clir_ot.tracking.run_logger import RunLogger
from clir_ot.tracking.training_progress import EpochLine, TrainingBar
from clir_ot.tracking.weights_and_biases import finish, sync_command


def fit(arguments: list[str]) -> None:
    """Train as the arguments say, resume where the run folder has a checkpoint, write the encoder.

    Raises:
        UserError: bad arguments, a collection that lacks something, a run folder that is another run's.
    """
    _quiet_libraries()
    with ExitStack() as held:
        try:
            cli = FitCLI(
                Ranker,
                CLIRDataModule,
                subclass_mode_model=True,
                run=False,
                save_config_callback=None,
                seed_everything_default=0,
                trainer_defaults={
                    "use_distributed_sampler": False,  # the batch sampler shards itself
                    "enable_checkpointing": False,  # the run folder's own checkpoint, in place of the default one
                    "enable_progress_bar": sys.stderr.isatty(),
                    "enable_model_summary": False,
                },
                parser_kwargs={"exit_on_error": False},
                args=with_files(arguments),
                held=held,
            )
        except (ArgumentError, MisconfigurationException, ImportError, ValueError, TypeError) as error:
            raise as_user_error(error) from error
        except AlreadyTrained as found:
            say(f"{found}: already trained with this configuration; delete the folder to train it anew")
            return
        _train(cli)


def _train(cli: FitCLI) -> None:
    """In the run folder, which is this process's."""
    run, module = cli.run, cli.model
    trainer: Any = cli.trainer  # its callbacks and flags are set up in ways that mypy does not see
    config, read = cli.settings
    best = BestWeights(run.best, cli.config.monitor) if cli.config.monitor else None
    cost = TrainingCost()
    trainer.callbacks.extend([EpochLine(), *([best] if best else []), cost])
    if trainer.progress_bar_callback:
        trainer.callbacks[trainer.callbacks.index(trainer.progress_bar_callback)] = TrainingBar()
    about = provenance(read)
    if teacher := cli.config.model.init_args.get("teacher"):
        taught_by = locate(teacher, "encoder")
        folders = [home.path / "bitext" for home in run.homes_of(taught_by)]
        trainer.callbacks.append(TeacherVectors(folders, read["encoder"]))
        about[TEACHER_KEY] = teacher_artifact(taught_by)
    saved = RunCheckpoint(run.checkpoint, cli.config.checkpoint_seconds)
    trainer.callbacks.append(saved)
    identity = {key: value for key, value in deciding(config).items() if key not in CONTENT}
    identity |= {name: read[name] for name in ("collection", "encoder")}
    trainer.strategy.checkpoint_io = WholeCheckpointIO(run.previous, identity, defaults(config))
    checkpoint = run.last_checkpoint
    if checkpoint == run.previous:
        say(f"{run.checkpoint}: is damaged or was not finished; the one before it is whole")
    if checkpoint:
        say(f"{run.path}: resuming from {checkpoint}")
    trained, total = (
        sum(p.numel() for p in module.encoder.parameters() if p.requires_grad >= needed) for needed in (1, 0)
    )
    say(f"{run.path}: training {trained / 1e6:.1f} M of the encoder's {total / 1e6:.1f} M parameters")
    for line in cli.says:
        say(line)
    rank_zero_only(run.claim)(config, read)
    rank_zero_only(run.add_facts)(code=about["code"])
    tracked = next((logger for logger in trainer.loggers if isinstance(logger, RunLogger)), None)
    try:
        for logger in trainer.loggers:
            # Not read from the folder: rank 0 may not have made it yet.
            logger.log_hyperparams(config | about)
        if tracked and trainer.is_global_zero:
            run.add_facts(wandb=tracked.identity())
        trainer.fit(module, cli.datamodule, ckpt_path=checkpoint, weights_only=False)
        spent = cost.total()
        if trainer.is_global_zero and not trainer.fast_dev_run:
            _finish(run, trainer, module, best, spent, saved.metrics)
            if tracked:
                _log_lineage(tracked, run, about, cli.config.upload_encoder)
            if not cli.config.keep_checkpoints:
                shutil.rmtree(run.checkpoints, ignore_errors=True)
    except MisconfigurationException as error:
        raise as_user_error(error) from error
    except SIGTERMException:
        raise UserError(f"{run.path}: told to end, saved; {saved.what_next()}") from None
    except (KeyboardInterrupt, SystemExit):  # Lightning makes the second of the first
        raise UserError(f"{run.path}: interrupted; the same command goes on from what is saved") from None
    finally:
        finish()
        if not run.is_trained:
            rank_zero_only(run.release)()
    if trainer.fast_dev_run:
        say("fast_dev_run: the batches went through; nothing of it is kept")
    elif trainer.is_global_zero and (command := sync_command(run.path)):
        print(f"Weights & Biases run is offline; upload it with: {command}")


def _log_lineage(logger: RunLogger, run: RunFolder, about: dict[str, Any], with_encoder: bool) -> None:
    if teacher := about.get(TEACHER_KEY):
        use_teacher(logger, teacher)
    if with_encoder:
        log_encoder(logger, run.encoder, {**about, "steps": run.read_facts()["steps"]})


def _finish(
    run: RunFolder,
    trainer: Any,
    module: Any,
    best: BestWeights | None,
    cost: dict[str, float],
    metrics: dict[str, float],
) -> None:
    if not trainer.global_step:
        raise UserError(
            f"{run.path}: training has taken no step, so nothing is kept; see trainer.max_time and the like"
        )
    # Of a run that was stopped after its last step, all metrics are those of the checkpoint.
    metrics = metrics | {name: float(value) for name, value in trainer.callback_metrics.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    run.add_facts(
        steps=trainer.global_step,
        **cost,
        peak_memory_bytes=peak,
        peak_gpu_memory_bytes=torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None,
        devices=trainer.world_size,
        metrics={name: round(value, 6) for name, value in metrics.items()},
        versions={"pytorch-lightning": _version("pytorch-lightning"), "torch": _version("torch")},
    )
    chosen = best.restore(module) if best else None
    if chosen:
        run.add_facts(best=chosen)
    module.query_encoder().save_pretrained(run.encoder, card=lambda folder: model_card(run, folder))
    print(f"trained {trainer.global_step} steps in {cost['seconds']:.0f} s, peak memory {peak / 2**30:.1f} GiB")
    if chosen:
        print(f"kept the weights of epoch {chosen['epoch']}, best of all by dev figure: {chosen['value']:.3f}")
    print(f"encoder: {run.encoder}")


def _quiet_libraries() -> None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    # Advice that does not apply here: batches are small and cheap to make; the frozen teacher is meant to be in eval
    # mode, and so is a student without dropout; arguments are given to LightningCLI and on the command line both; dev
    # figures are the same on all ranks.
    for advice in ("does not have many workers", "in eval mode at the start", "LightningCLI's args", "sync_dist=True"):
        warnings.filterwarnings("ignore", f".*{advice}.*")
    warnings.filterwarnings("ignore", ".*treespec, LeafSpec.*")


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
