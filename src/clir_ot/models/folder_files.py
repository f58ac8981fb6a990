"""The files of an encoder's folder: there, readable, whole, and themselves.

The libraries that read them take a folder without tokenizer for one of five tokens, and say "header too large" of a
Git-LFS pointer. What is wrong with a file is found here, before, and named.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.files import refuse_pointer

# In the order in which transformers looks for them.
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_READ = {".json", ".txt", ".model", ".metadata"}  # besides weights
_LARGE = 2**20  # bytes, from which on a JSON file is a vocabulary, left to the library that reads it


def check_files(folder: Path) -> None:
    """See that settings, vocabularies and weights in a folder are whole, as far as that is quickly seen.

    Args:
        folder: of a transformer; its subfolders are not looked into.

    Raises:
        UserError: no weights, a shard missing; a file that cannot be read, is a Git-LFS pointer, no JSON, or cut short.
    """
    for path in sorted(folder.iterdir()):
        if path.suffix in _READ and path.is_file():
            _head(path)
            if path.suffix == ".json" and path.stat().st_size < _LARGE:
                parse_json(path)
    weight_files(folder)


def weight_files(folder: Path) -> list[Path]:
    """The files of the weights in a folder, those that transformers would read.

    Raises:
        UserError: as `check_files`.
    """
    first = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if first is None:
        raise UserError(f"{folder}: no weights there ({WEIGHTS[0]} or {WEIGHTS[2]}); is the folder whole?")
    files = [first] if first.suffix != ".json" else [*_shards(first)]
    for path in files:
        _check_weights(path)
    return files


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; `{}` where there is no such file.

    Raises:
        UserError: it cannot be read, or is something else.
    """
    if not path.is_file():
        return {}
    said = parse_json(path)
    if not isinstance(said, dict):
        raise UserError(f"{path}: expected a JSON object; fetch the file again")
    return said


def parse_json(path: Path) -> Any:
    """What a JSON file says.

    Raises:
        UserError: it cannot be read, is a Git-LFS pointer or no JSON (names the line).
    """
    _head(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: no JSON ({error.msg}); fetch the file again") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error.reason}); fetch the file again") from error


def _shards(index: Path) -> Iterator[Path]:
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise UserError(f"{index}: names no files (weight_map); fetch it again")
    for name in sorted(set(places.values())):
        if not (index.parent / name).is_file():
            raise UserError(f"{index.parent / name}: no such file, but {index.name} names it; fetch it too")
        yield index.parent / name


def _check_weights(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    head = _head(path)
    broken = ""
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt"):
                pass
        except SafetensorError as error:
            broken = str(error)
    # torch writes a zip archive, whose end says what is in it; before 1.6 it wrote a pickle.
    elif head.startswith(b"PK"):
        broken = "" if zipfile.is_zipfile(path) else "cut short"
    elif not head.startswith(b"\x80"):
        broken = "not weights as torch saves them"
    if broken:
        raise UserError(f"{path}: is damaged ({broken}); fetch it again")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    refuse_pointer(path, head)
    return head
