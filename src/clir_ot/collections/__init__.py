"""What is read: collections in BEIR's folder layout extended by language, their checks and their builders.

`Collection` loads on first use: commands that only need a name from one of these modules start at once.
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
