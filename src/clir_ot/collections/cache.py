"""Where the starter lies, and how it is named in configurations and on the command line."""

import os
from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.files import user_path

STARTER = "starter"


def cache_folder() -> Path:
    """`$CLIR_OT_CACHE`, by default in the user's cache directory."""
    import platformdirs

    cache = os.environ.get("CLIR_OT_CACHE") or platformdirs.user_cache_dir("clir-ot", appauthor=False)
    return Path(cache).expanduser()


def starter_folder() -> Path:
    """`starter` in the cache folder."""
    return cache_folder() / STARTER


def locate(name: str | Path, what: str) -> Path | str:
    """The folder that `name` means: itself, or for `starter` the starter's `encoder` or `collection`.

    Raises:
        UserError: the starter is asked for and not built.
    """
    if str(name) != STARTER:
        return user_path(name) if str(name).startswith("~") else name
    folder = starter_folder() / what
    if not folder.is_dir():
        raise UserError(
            f"{folder}: the starter is not there yet; run `make starter` or `clir-ot collection build starter`"
        )
    return folder
