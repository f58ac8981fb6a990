"""Files of a Debian package, without installing it."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from clir_ot.collections.cache import starter_folder
from clir_ot.errors import UserError


@contextlib.contextmanager
def unpacked_package(package: str, instead: str) -> Iterator[Path]:
    """A folder with the package's files, which goes when the block ends; the package itself stays in the cache.

    `apt-get download` verifies what it fetches against the distribution's signed lists, and fetches nothing where the
    cache has that version. Neither it nor `dpkg-deb -x` needs to be root.

    Args:
        package: its name.
        instead: what the user can do where this is not Debian; ends the errors.

    Raises:
        UserError: there is no apt-get or dpkg-deb, or no such package, or it cannot be fetched or unpacked.
    """
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise UserError(f"{package} is fetched with {program}, which is not on this machine; {instead}")
    cache = starter_folder().parent / "debian"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{cache}: cannot be written ({error.strerror})") from error
    with tempfile.TemporaryDirectory(prefix=f".{package}.", dir=cache) as scratch:
        # In an empty folder: where the file is there already, apt-get does not name it.
        named = _run("apt-get", "download", "--print-uris", package, of=package, instead=instead, folder=Path(scratch))
        names = re.findall(r"^'\S+' (\S+\.deb) ", named, re.MULTILINE)
        if not names:
            raise UserError(f"{package}: apt-get names no file of it; run `apt-get update` first, or {instead}")
        _run("apt-get", "download", package, of=package, instead=instead, folder=cache)
        _run("dpkg-deb", "-x", names[0], scratch, of=package, instead=instead, folder=cache)
        yield Path(scratch)


def _run(*command: str, of: str, instead: str, folder: Path) -> str:
    # The C locale: what apt-get says is a part of the error.
    result = subprocess.run(command, cwd=folder, env=os.environ | {"LC_ALL": "C"}, capture_output=True, text=True)
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if line.strip()] or [f"exit status {result.returncode}"]
        why = next((line for line in said if line.startswith("E:")), said[-1])
        raise UserError(f"{of}: `{' '.join(command[:2])}` failed ({why}); run `apt-get update` first, or {instead}")
    return result.stdout
