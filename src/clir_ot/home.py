"""Without a home: a container's user, an unknown number, a disk that is only read.

Libraries keep caches, settings and logs in the user's home, and several end where it cannot be written.
"""

import getpass
import os
import sys
import tempfile
from pathlib import Path

# What they write there, and the variable that says where else; a home that can be read keeps what is read of it, such
# as a login.
_ELSEWHERE = {
    "MPLCONFIGDIR": "matplotlib",
    "WANDB_CACHE_DIR": "wandb",
    "WANDB_DATA_DIR": "wandb",
    "HF_DATASETS_CACHE": "datasets",
    "HF_MODULES_CACHE": "modules",
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
}


def spare_folder() -> Path:
    """A temporary folder of this user's, the same for every process; made if it is not there."""
    folder = Path(tempfile.gettempdir()) / f"clir-ot-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():  # somebody else's
        return Path(tempfile.mkdtemp(prefix=f"{folder.name}-"))
    return folder


def prepare_home() -> None:
    """Before any library is imported: where the home cannot be written, let them write into `spare_folder`; say so."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # neither a variable nor the system has a name for this user
        os.environ["LOGNAME"] = str(os.getuid())
    home = Path(os.path.expanduser("~"))  # as it is where nobody knows
    # Not pathlib's, which raises where a folder above, or the home itself, may not be entered.
    there = home.is_absolute() and os.path.isdir(home)
    cache = Path(os.environ.get("XDG_CACHE_HOME", home / ".cache"))  # the superuser's, where he once made it
    kept = [home, cache] if os.path.isdir(cache) else [home]
    refused = [folder for folder in kept if not os.access(folder, os.W_OK | os.X_OK)]
    if there and not refused:
        return
    spare = spare_folder()
    closed = there and not os.access(home, os.X_OK)  # another user's, such as /root
    if closed or not there:
        os.environ["HOME"] = str(spare)
    else:
        for name, folder in _ELSEWHERE.items():
            os.environ.setdefault(name, str(spare / folder))
        import platformdirs

        # Of which what is there is read.
        for name, folder in {"HF_HOME": "huggingface", "CLIR_OT_CACHE": "clir-ot"}.items():
            if not os.access(platformdirs.user_cache_path(folder, appauthor=False), os.R_OK | os.X_OK):
                os.environ.setdefault(name, str(spare / folder))
    if os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")) == "0":
        what = "cannot be entered" if closed else "cannot be written" if there else "is not there"
        place = refused[0] if there and refused else home
        print(f"clir-ot: home folder {place} {what}: caches are kept in {spare}; set HOME to another", file=sys.stderr)
