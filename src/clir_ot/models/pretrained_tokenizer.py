"""The tokenizer of a pretrained transformer, out of its folder."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clir_ot.errors import UserError
from clir_ot.models.folder_files import parse_json
from clir_ot.models.pretrained import first_line, quietly


def load_tokenizer(folder: Path, transformer: Any, name: str | Path) -> Any:
    """A fast tokenizer, with a token to pad with: where it has none, any serves, for padding is masked.

    Raises:
        UserError: no tokenizer there, or one that cannot be read, does not say where tokens lie in the text, or has
            more tokens than the transformer has embeddings.
    """
    from transformers import AutoTokenizer

    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the library tokenizers raises nothing narrower
        raise UserError(_unreadable(folder, name, error)) from error
    if not tokenizer.is_fast:
        raise UserError(
            f"{name}: {type(tokenizer).__name__} does not say where its tokens lie in the text; save the encoder with "
            "a tokenizer.json"
        )
    _check_vocabulary(folder, tokenizer, name)
    rows, last = transformer.get_input_embeddings().weight.shape[0], max(tokenizer.get_vocab().values())
    if last >= rows:
        raise UserError(
            f"{name}: its tokenizer has tokens up to number {last}, its transformer embeddings of {rows}; one of the "
            "two is another model's"
        )
    if tokenizer.pad_token is None:
        number = next(iter(tokenizer.all_special_ids), 0)
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(number)
    return tokenizer


def _check_vocabulary(folder: Path, tokenizer: Any, name: str | Path) -> None:
    """See that it was read from a file: without one, transformers makes a vocabulary of special tokens."""
    files: dict[str, str] = dict(type(tokenizer).vocab_files_names)
    whole = files.pop("tokenizer_file", "tokenizer.json")
    missing = [file for file in files.values() if not (folder / file).is_file()]
    if not (folder / whole).is_file() and (missing or not files):
        raise UserError(
            f"{name}: no tokenizer there ({' or '.join([whole, *missing])} in {folder}): every word would be unknown; "
            "put the tokenizer's files of the model that it was trained from beside the weights"
        )


def _unreadable(folder: Path, name: str | Path, error: Exception) -> str:
    if (folder / "tokenizer.json").is_file():
        parse_json(folder / "tokenizer.json")
    elif pieces := [path.name for path in sorted(folder.glob("*.model"))]:
        packages = {"sentencepiece": "sentencepiece", "protobuf": "google.protobuf"}
        if missing := [package for package, module in packages.items() if not _installed(module)]:
            return (
                f"{name}: its tokenizer is in SentencePiece's format alone ({pieces[0]}), which needs a package; run "
                f"pip install {' '.join(missing)}"
            )
    return f"{name}: no tokenizer there that can be read ({first_line(error)})"


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it lies in
        return False
