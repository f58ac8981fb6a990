"""clir-ot: cross-lingual retrieval into low-resource languages by transport distillation and hybrid batches.

The public names load on first use, so that commands which need no torch start at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clir_ot.collections import Collection
    from clir_ot.data.datamodule import CLIRDataModule
    from clir_ot.models.encoder import TokenEncoder
    from clir_ot.systems.contrastive import HybridBatchRanker, TeacherRanker
    from clir_ot.systems.distillation import OTDistillation

__version__ = "0.1.0"
__all__ = [
    "CLIRDataModule",
    "Collection",
    "HybridBatchRanker",
    "OTDistillation",
    "TeacherRanker",
    "TokenEncoder",
]

_HOMES = {
    "Collection": "clir_ot.collections",
    "CLIRDataModule": "clir_ot.data.datamodule",
    "TokenEncoder": "clir_ot.models.encoder",
    "TeacherRanker": "clir_ot.systems.contrastive",
    "HybridBatchRanker": "clir_ot.systems.contrastive",
    "OTDistillation": "clir_ot.systems.distillation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'clir_ot' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
