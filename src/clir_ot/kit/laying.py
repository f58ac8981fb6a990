"""`clir-ot init`: a folder of one's own with the experiments, the Makefile and the pinned versions."""

import shutil
from contextlib import ExitStack
from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.files import replacing
from clir_ot.kit.named import EXPERIMENTS, KIT

LAID = ("Makefile", "environment.mk", "constraints.txt", EXPERIMENTS)


def lay(folder: Path) -> list[Path]:
    """Put everything in `LAID` into a folder, new or not; all of it, or nothing.

    Raises:
        UserError: one of them is there already, or the place is not writable.
    """
    if there := next((path for name in LAID if (path := folder / name).exists() or path.is_symlink()), None):
        raise UserError(f"{there}: is there already, and init overwrites nothing; choose another folder")
    with ExitStack() as on_failure:
        if folder.is_dir():
            for name in LAID:
                with replacing(folder / name) as temporary:
                    _copy(name, temporary)
                on_failure.callback(_remove, folder / name)
        else:
            with replacing(folder) as temporary:
                temporary.mkdir()
                for name in LAID:
                    _copy(name, temporary / name)
        on_failure.pop_all()
    return [folder / name for name in LAID]


def runnable(command: str) -> str:
    """A command to print: before `make ...` comes laying, where the folder that one works in has not been laid."""
    laid = Path("environment.mk").is_file()
    return f"clir-ot init . && {command}" if command.startswith("make ") and not laid else command


def _copy(name: str, target: Path) -> None:
    """Of the experiments only the YAML, as in a wheel; in a checkout, figures lie beside them."""
    source = (KIT / name).resolve()
    for file in sorted(source.rglob("*.yaml")) if source.is_dir() else [source]:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()
