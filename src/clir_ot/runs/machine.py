"""What a run finds around it: devices, Slurm, and how many steps its trainer is to take."""

import math
import os
from typing import Any

import torch

from clir_ot.errors import UserError, require
from clir_ot.runs.progress import say

_OWN_MEMORY = ("spawn", "fork", "notebook")  # strategies that train in other processes than the one that saves
_UNFIT = ("64", "64-true")
_FROM_SRUN = ("SLURM_STEP_NUM_TASKS", "SLURM_STEP_ID", "SLURM_STEPID")


def check_devices(devices: Any, accelerator: str) -> None:
    """See that there are as many; Lightning would start any number of processes on a CPU."""
    gpus = 0 if accelerator == "cpu" else torch.cuda.device_count()
    there, what = (gpus, "GPUs") if gpus else (os.cpu_count() or 1, "cores")
    if str(devices).isdecimal() and int(devices) > there:
        raise UserError(f"trainer.devices is {devices}, but this machine has {there} {what}; DEVICES={there} at most")


def prepare_slurm() -> None:
    """Of a batch script, see whether `srun` started this process, as Lightning takes for granted in a Slurm job.

    Where it did not, this is the only process, and Lightning is told so as it wants to be told.

    Raises:
        UserError: `srun` started several tasks in a way that Lightning does not know.
    """
    tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    if "SLURM_JOB_ID" not in os.environ and "SLURM_NTASKS" not in os.environ:
        return
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return  # torchrun's processes, wherever it was started
    if not any(name in os.environ for name in _FROM_SRUN):
        if tasks > 1:
            say(f"Slurm has {tasks} tasks for this job, and this is one process; srun in front starts one a task")
        os.environ["SLURM_JOB_NAME"] = "interactive"
    elif tasks > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise UserError(f"srun started {tasks} tasks by --ntasks; give --ntasks-per-node (and --nodes) instead")


def check_trainer(trainer: Any) -> None:
    """See that training has an end and a step before it; and numbers that Lightning takes without a look.

    Args:
        trainer: part of the configuration.

    Raises:
        UserError: no end, no step, a number that cannot be one.
    """
    for name, value in (("max_epochs", trainer.max_epochs), ("max_steps", trainer.max_steps)):
        if value is not None and (value < -1 or value == 0):
            raise UserError(f"trainer.{name} is {value}; it must be at least 1, or -1 for no limit")
    if trainer.max_epochs in (-1, None) and trainer.max_steps == -1:
        epochs = "null" if trainer.max_epochs is None else trainer.max_epochs
        raise UserError(
            f"trainer.max_epochs is {epochs}, and trainer.max_steps gives no end either, towards which the learning "
            "rate falls; set one of them (trainer.max_time may end training earlier)"
        )
    require("trainer.accumulate_grad_batches", trainer.accumulate_grad_batches, least=1)
    require("trainer.gradient_clip_val", trainer.gradient_clip_val, least=0)
    require("trainer.log_every_n_steps", trainer.log_every_n_steps, least=0)
    limit = 1.0 if trainer.limit_train_batches is None else trainer.limit_train_batches
    if not math.isfinite(limit) or limit <= 0 or (isinstance(limit, float) and limit > 1):
        raise UserError(
            f"trainer.limit_train_batches is {limit}; it is a number of batches, or a share above 0 and at most 1.0"
        )
    if trainer.overfit_batches:
        raise UserError(
            f"trainer.overfit_batches is {trainer.overfit_batches}, but every epoch draws its own batches here; leave "
            "it out, and give data.bitext_pairs or trainer.limit_train_batches for a small trial"
        )
    if any(word in str(trainer.strategy) for word in _OWN_MEMORY):
        raise UserError(
            f"trainer.strategy is {trainer.strategy}, whose processes keep what they learn to themselves; take ddp"
        )
    if (precision := str(trainer.precision)) in _UNFIT:
        raise UserError(
            f"trainer.precision is {precision}; token vectors are float32: take 32-true, 16-mixed or bf16-mixed"
        )
