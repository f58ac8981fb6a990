"""What is read: collections in BEIR's folder layout extended by language, their checks and their builders."""

from clir_ot.collections.collection import Collection

__all__ = ["Collection"]
