"""Which part of a configuration decides the trained weights: runs that differ in it are different runs."""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from clir_ot.collections.languages import parse_languages
from clir_ot.data.from_collection import AUTO

CONTENT = {"model.teacher": "encoder", "model.encoder": "encoder", "data.hard_negatives": "hard_negatives"}
"""Keys that are places: their content counts, and not how a place is spelt, or that it was moved."""

# The machine, the loggers and the number of devices are not among them: they change the time, or what is shown.
_TRAINER = ("max_epochs", "max_steps", "precision", "accumulate_grad_batches", "gradient_clip_val")
# These too, where they are not as they have always been: runs are older than that they count.
_TRAINER_UNLESS: dict[str, tuple[Any, ...]] = {
    "min_epochs": (None,),
    "min_steps": (None,),
    "max_time": (None,),
    "limit_train_batches": (None, "1.0"),
    "overfit_batches": (None, "0", "0.0"),
    "gradient_clip_algorithm": (None, "norm"),
    "reload_dataloaders_every_n_epochs": (None, "0"),
    "sync_batchnorm": (None, "False"),
    "plugins": (None,),
}
# Callbacks that only show, log or save; every other one may change the weights, unless its class says that it does not.
_SAYS_SO = "only_observes"
_OUR_OBSERVERS = "clir_ot.tracking."
_OBSERVERS = (
    "DeviceStatsMonitor", "LearningRateMonitor", "ModelCheckpoint", "ModelSummary", "OnExceptionCheckpoint",
    "ProgressBar", "RichModelSummary", "RichProgressBar", "ThroughputMonitor", "TQDMProgressBar",
)  # fmt: skip
_DATA_LEFT_OUT = ("collection", "workers")  # the collection counts by its content


def deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that decides the weights, flat: `{"model.epsilon": 0.02, ...}`.

    What a configuration lacks, since it is older than the option, is the option's default.
    """
    model, data = config["model"], config["data"]
    trainer = {key: config["trainer"].get(key) for key in _TRAINER}
    for key, usual in _TRAINER_UNLESS.items():
        value = config["trainer"].get(key)
        # As text: 1 is one batch, and 1.0 all of them.
        if value not in usual and str(value) not in usual:
            trainer[key] = value if isinstance(value, str) else str(value)
    if callbacks := _deciding_callbacks(config["trainer"].get("callbacks")):
        trainer["callbacks"] = callbacks
    chosen = {key: config[key] for key in ("optimizer", "lr_scheduler") if config.get(key)}
    said = data.get("languages")
    languages = {"languages": ",".join(parse_languages(said))} if said not in (None, AUTO) else {}
    parts = {
        "seed": {"everything": config["seed_everything"]},
        "fit": {"monitor": config.get("monitor"), **chosen},
        **_defaults(model["class_path"]),
        "trainer": trainer,
    }
    parts["model"] |= {"class": model["class_path"], **model["init_args"]}
    parts["data"] |= {key: value for key, value in data.items() if key not in _DATA_LEFT_OUT} | languages
    return {f"{part}.{key}": value for part, values in parts.items() for key, value in values.items()}


def defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """Of those options of model and data that have one, flat as `deciding` is."""
    parts = _defaults(config["model"]["class_path"])
    return {f"{part}.{key}": value for part, values in parts.items() for key, value in values.items()}


def _defaults(class_path: str) -> dict[str, dict[str, Any]]:
    system = _class(class_path)
    data = _defaults_of(_class("clir_ot.CLIRDataModule"))
    left_out = {"seed", *_DATA_LEFT_OUT}
    return {
        "model": _defaults_of(system) if system else {},
        "data": {key: value for key, value in data.items() if key not in left_out},
    }


def _class(path: str) -> Any:
    """None where it cannot be imported: somebody's own, which is not here."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None


def _defaults_of(kind: type) -> dict[str, Any]:
    parameters = inspect.signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def _deciding_callbacks(said: Any) -> list[Any]:
    callbacks = said if isinstance(said, list) else [said] if said else []
    found = []
    for callback in callbacks:
        path = callback["class_path"] if isinstance(callback, Mapping) else str(callback)
        is_lightning = path.startswith(("pytorch_lightning.", "lightning."))
        if path.startswith(_OUR_OBSERVERS) or (is_lightning and path.rpartition(".")[2] in _OBSERVERS):
            continue
        if getattr(_class(path), _SAYS_SO, False):
            continue
        # Of ours, which ends a sweep's trial early, the arguments are places.
        found.append(path if path.startswith("clir_ot.") or not isinstance(callback, Mapping) else dict(callback))
    return found
