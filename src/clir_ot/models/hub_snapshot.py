"""An encoder by its name on the hub, as the folder that it is fetched into."""

from pathlib import Path

from clir_ot.errors import UserError
from clir_ot.files import user_path

# Settings, vocabularies and weights, of modules too; no weights for other frameworks, nor in other precisions.
_FILES = ["*.json", "*.txt", "*.model", "artifact.metadata"]
_SAFE = ["model.safetensors", "model-*-of-*.safetensors", "*/model.safetensors", "*/model-*-of-*.safetensors"]
_TORCH = ["pytorch_model.bin", "pytorch_model-*-of-*.bin", "*/pytorch_model.bin"]
_FOREIGN = ["onnx/*", "openvino/*", "*checkpoint*/*", "runs/*"]


def local_folder(name: str | Path) -> Path:
    """The folder of an encoder: itself, or a hub model's files in the hub's cache, fetched where they are not there.

    Raises:
        UserError: neither a folder nor a hub name; a model that cannot be had.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported lazily

    folder = user_path(name)
    if folder.is_dir():
        return folder
    if folder.exists():
        raise UserError(f"{name}: is a file; give the encoder's folder")
    try:
        validate_repo_id(str(name))
    except HFValidationError as error:
        raise UserError(f"{name}: no such folder, nor could a model on the hub have that name") from error
    return _fetch(str(name))


def _fetch(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        folder = Path(snapshot_download(name, allow_patterns=_FILES + _SAFE, ignore_patterns=_FOREIGN))
        if not any(folder.glob("*.safetensors")) and not any(folder.glob("0_Transformer/*.safetensors")):
            # Of the same commit, which is the folder's name.
            snapshot_download(name, revision=folder.name, allow_patterns=_TORCH, ignore_patterns=_FOREIGN)
    except GatedRepoError as error:
        raise UserError(
            f"{name}: its owners ask you to accept their terms: do so at https://huggingface.co/{name}, run "
            "`hf auth login`, then again"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(
            f"{name}: no encoder there, neither a folder nor a model on the hub ({_first_line(error)})"
        ) from error
    except LocalEntryNotFoundError as error:
        raise UserError(
            f"{name}: no such folder, and the hub cannot be reached ({_first_line(error)}); check name and network"
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"{name}: could not be fetched ({_first_line(error)})") from error
    _note_unknown_modules(name, folder)
    return folder


def _note_unknown_modules(name: str, folder: Path) -> None:
    """Say so where nobody can know that the model is a transformer alone.

    Another library fetched it before, which had no use for modules, and there is no network to ask.
    """
    from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    file = "modules.json"
    # Asked first: without network, the hub's library would try for half a minute.
    known = try_to_load_from_cache(name, file, revision=folder.name) is _CACHED_NO_EXIST
    if known or (folder / file).exists():
        return
    try:
        hf_hub_download(name, file, revision=folder.name)
    except LocalEntryNotFoundError:
        print(f"{name}: without network, and {file} is not in the cache: it is taken as an encoder without", flush=True)
    except EntryNotFoundError:
        pass
    except (HfHubHTTPError, OSError) as error:
        raise UserError(f"{name}: {file} could not be fetched ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
