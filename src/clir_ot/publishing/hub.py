"""A run's encoder, with its card, on the Hugging Face hub."""

from pathlib import Path

import httpx2
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported lazily

from clir_ot.errors import UserError
from clir_ot.models.encoder_folder import CARD, read_settings
from clir_ot.models.encoder_parts import check_trained
from clir_ot.publishing.model_card import update_card
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say


def push_encoder(path: Path, repo: str, *, private: bool = False) -> str:
    """Upload the encoder folder of a run; says before what is uploaded and where to.

    A run without card gets one first. An encoder that was not measured is uploaded too, with a note.

    Args:
        path: of the run.
        repo: `user/name` on the hub; made if it is not there.
        private: it must be, and is made so.

    Returns:
        The address of the repository.

    Raises:
        UserError: no such run, or not trained; no token, no network, no right to write there; the repository is public
            and was to be private.
    """
    run = RunFolder(path)
    _check(run, repo)
    if not (run.encoder / CARD).is_file():
        update_card(run)
    _announce(run, repo, private)
    token = get_token()
    if token is None:
        raise UserError(
            "the hub knows nobody here; log in with `hf auth login`, or set HF_TOKEN to a token that may write"
        )
    api = HfApi(token=token)
    try:
        # None: as the owner's settings say, which is public for most.
        address = api.create_repo(repo, private=private or None, exist_ok=True)
        if private and not api.repo_info(repo).private:
            raise UserError(f"{repo}: exists and is public, and --private was asked for; choose another name")
        message = f"Encoder of {path.resolve().name}"
        api.upload_folder(repo_id=repo, folder_path=run.encoder, ignore_patterns=".*", commit_message=message)
    except HfHubHTTPError as error:
        raise _refused(repo, error) from error
    except (httpx2.TransportError, OSError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{repo}: the hub cannot be reached ({reason}); the same command goes on later") from error
    return str(address)


def _check(run: RunFolder, repo: str) -> None:
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"--repo {repo}: {str(error).splitlines()[0]}") from error
    if repo.count("/") != 1:
        raise UserError(f"--repo {repo}: expected user/name")
    if not run.path.is_dir():
        raise UserError(f"{run.path}: no such run folder")
    run.read_config()
    if not run.is_trained:
        raise UserError(f"{run.path}: training is not complete; resume it with the command that started it")
    check_trained(run.encoder)


def _announce(run: RunFolder, repo: str, private: bool) -> None:
    say(f"{run.encoder} goes to {repo}{', private' if private else ''}:")
    for file in sorted(file for file in run.encoder.rglob("*") if file.is_file()):
        place = file.relative_to(run.encoder)
        if not place.parts[0].startswith("."):
            say(f"{file.stat().st_size / 1e6:10.3f} MB  {place.as_posix()}")
    if not run.metrics.is_file():
        say(f"note: its card has no figures; clir-ot evaluate {run.path} --collection DIR adds them")
    settings = read_settings(run.encoder)
    if settings and not settings.portable:
        say("note: an earlier version wrote this folder; other libraries read it, but not as clir-ot does")


def _refused(repo: str, error: HfHubHTTPError) -> UserError:
    status = error.response.status_code
    if status == 401:
        return UserError(f"{repo}: the hub does not accept the token; log in again with `hf auth login`")
    if status in (403, 404):
        return UserError(
            f"{repo}: the token may not write there; use one with write access, or your own name before the /"
        )
    reason = (error.server_message or str(error)).splitlines()[0]
    return UserError(f"{repo}: the hub refuses the upload (HTTP {status}: {reason})")
