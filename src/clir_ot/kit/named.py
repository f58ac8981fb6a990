"""The experiments that travel with clir-ot, by name: `distill`, `paper/optical`."""

from enum import StrEnum
from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.files import user_path

KIT = Path(__file__).resolve().parent
EXPERIMENTS = "experiments"


class Shelf(StrEnum):
    """Where the files of a kind lie, below `experiments/`."""

    EXPERIMENT = "."
    ABLATION = "ablation"
    SWEEP = "sweeps"
    PUBLISHED = "paper/published"


def find(name: str | Path, shelf: Shelf, beside: Path = Path()) -> Path:
    """The YAML file that is meant: a path, or the name of one.

    Args:
        name: a file's path, or what it is called on its shelf, without `.yaml`. A path wins; then `experiments/` of the
            folder one works in; then what came with clir-ot.
        shelf: where names are looked up.
        beside: the folder that a path is relative to.

    Raises:
        UserError: it is neither; lists the names.
    """
    if (path := beside / user_path(name)).is_file():
        return path
    known = _named(shelf)
    if found := known.get(str(name)):
        return found
    raise UserError(f"{path}: no such file, nor one of the names {', '.join(sorted(known))}")


def _named(shelf: Shelf) -> dict[str, Path]:
    """`{name: file}`."""
    found: dict[str, Path] = {}
    for root in ((KIT / EXPERIMENTS).resolve(), Path(EXPERIMENTS)):
        others = [root / other for other in Shelf if other not in (shelf, Shelf.EXPERIMENT)]
        for path in (root / shelf).rglob("*.yaml"):
            if not any(path.is_relative_to(other) for other in others):
                found[str(path.relative_to(root / shelf).with_suffix(""))] = path
    return found
