"""Published data sets, from the Hugging Face hub or from a local copy in the same layout.

Only files are fetched and read; a repository's loader script is never run (`datasets` >= 4 refuses them). A copy that
the user gives takes the place of the download, and nothing else differs. What the hub sends lies in its own cache: an
interrupted download goes on where it stopped, and a set that is there can be built again without network.
"""

import re
import zipfile
from collections.abc import Collection as Container
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from clir_ot.errors import UserError

_HUB = "https://huggingface.co/datasets"


@dataclass(frozen=True)
class Terms:
    """Conditions of use that somebody must agree to before a set is built.

    Attributes:
        says: what they ask, in a few words.
        place: where they stand.
    """

    says: str
    place: str


@dataclass(frozen=True)
class Copy:
    """The files of a repository on this machine.

    Attributes:
        name: of the repository, `owner/name`.
        folder: its root.
        version: commit of the repository, or that it is the user's copy.
    """

    name: str
    folder: Path
    version: str

    def files(self, *patterns: str) -> list[Path]:
        """The files that the first of several patterns finds which finds any, `docs-2` before `docs-10`.

        Args:
            patterns: shell patterns below the root, of the layouts that the set has had; the current one first.

        Raises:
            UserError: none finds any; says what is there.
        """
        for pattern in patterns:
            if found := sorted(self.folder.glob(pattern), key=_naturally):
                return found
        there = sorted({path.relative_to(self.folder).parts[0] for path in self.folder.glob("*")})
        raise UserError(
            f"{self.folder}: no file {' or '.join(patterns)}, as {self.name} has; there is "
            f"{', '.join(there[:12]) or 'nothing'}; give a copy in the published layout with --from"
        )

    def has(self, pattern: str) -> bool:
        """Whether there is such a file."""
        return any(self.folder.glob(pattern))


def obtain(repository: str, patterns: Sequence[str], source: Path | None) -> Copy:
    """Fetch the files of a data set repository, or find them in the user's copy.

    Args:
        repository: `owner/name` on the hub.
        patterns: of the files that are needed, as in `Copy.files`.
        source: the user's copy: its root, or a folder that holds it as `name` or `owner/name`. None fetches.

    Raises:
        UserError: no such folder; no network; no such repository; one whose terms are accepted on its page.
    """
    if source is not None:
        if not source.is_dir():
            raise UserError(f"{source}: no such folder; expected a copy of {_HUB}/{repository}")
        inside = (source / repository, source / repository.split("/")[1])
        return Copy(repository, next((folder for folder in inside if folder.is_dir()), source), "a local copy")
    folder = Path(_snapshot(repository, patterns))
    if not any(fnmatch(str(path.relative_to(folder)), p) for path in folder.rglob("*") for p in patterns):
        raise UserError(
            f"{repository}: the hub has no file {' or '.join(patterns)} there (or HF_HUB_OFFLINE is set and it was not "
            f"fetched before); see {_HUB}/{repository}/tree/main, and give a copy in the old layout with --from"
        )
    return Copy(repository, folder, f"commit {folder.name}")


def obtain_archive(name: str, url: str, source: Path | None) -> Copy:
    """`obtain` of a set that is not on the hub: a repository's zip archive, as GitHub makes them.

    Args:
        name: `owner/name` of the repository.
        url: of the archive, whose one folder is the repository's root.
        source: as in `obtain`.

    Raises:
        UserError: no such folder; no network; no such archive.
    """
    if source is not None:
        if not source.is_dir():
            raise UserError(f"{source}: no such folder; expected a copy of {url.partition('/archive/')[0]}")
        return Copy(name, source, "a local copy")
    import datasets

    manager = datasets.DownloadManager()
    try:
        archive = manager.download(url)
        folder = Path(manager.extract(archive))
        with zipfile.ZipFile(archive) as opened:
            commit = opened.comment.decode("ascii", "replace")  # git archive puts it there
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(_not_fetched(name, url, error)) from error
    root = next((path for path in folder.iterdir() if path.is_dir()), folder)
    return Copy(name, root, f"commit {commit}" if commit else "unknown")


def require_accepted(name: str, terms: Terms, accepted: bool) -> None:
    """Go on only if the user says that the terms are accepted.

    Raises:
        UserError: they are not; says what they are and where they stand.
    """
    if not accepted:
        raise UserError(f"{name}: {terms.says}; read {terms.place} and, if you agree, add --accept-licence")


def choose_languages(name: str, there: Container[str], wanted: Sequence[str] | None) -> list[str]:
    """The languages wanted, or all that there are.

    Raises:
        UserError: one is not there.
    """
    if lost := next((language for language in wanted or () if language not in there), None):
        raise UserError(f"{name} has no language {lost!r}; it has {', '.join(sorted(there))}")
    return sorted(there) if wanted is None else list(dict.fromkeys(wanted))


def reason(error: Exception) -> str:
    """Why a fetch failed, in a line: what lies innermost of what libraries wrap into each other.

    Of a missing file `datasets` gives the address alone, which says nothing, and so do errors without a text.
    """
    while isinstance(inner := getattr(error, "reason", None) or next(iter(error.args), None), Exception):
        error = inner
    said = next(iter(str(error).splitlines()), "") or type(error).__name__
    return "no network, or no such file there" if re.fullmatch(r"https?://\S+", said) else said[:200]


def _snapshot(repository: str, patterns: Sequence[str]) -> str:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    page = f"{_HUB}/{repository}"
    try:
        return snapshot_download(repository, repo_type="dataset", allow_patterns=list(patterns))
    except GatedRepoError as error:
        raise UserError(
            f"{repository}: its owners ask you to accept their terms: do so at {page}, run `hf auth login`, then again"
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"{repository}: the hub has no such data set, or it is private (then run `hf auth login`); see {page}"
        ) from error
    except (LocalEntryNotFoundError, OSError) as error:
        raise UserError(_not_fetched(repository, page, error)) from error


def _not_fetched(name: str, url: str, error: Exception) -> str:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return (
            f"{name}: HF_HUB_OFFLINE is set and it was not fetched before; unset it, or give a copy of {url} with "
            "--from PATH"
        )
    return (
        f"{name}: could not be fetched ({reason(error)}); check the network, or give a copy of {url} with --from PATH"
    )


def _naturally(path: Path) -> list[tuple[int, str]]:
    """Numbers in the name by their value."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", str(path))]
