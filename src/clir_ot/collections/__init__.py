"""The folder format alone: BEIR's layout extended by language, read, written, checked and counted.

Not here: bitext as others publish it (`bitext/`), and where collections come from (`sources/`). Read `collection.py`
first. `Collection` loads on first use: commands that only need a name from one of these modules start at once.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clir_ot.collections.collection import Collection

__all__ = ["Collection"]


def __getattr__(name: str) -> Any:
    if name != "Collection":
        raise AttributeError(f"module 'clir_ot.collections' has no attribute {name!r}")
    from clir_ot.collections.collection import Collection

    return Collection
