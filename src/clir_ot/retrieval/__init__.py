"""Retrieval: encode texts, keep them in an index, search it exactly or approximately, re-rank, translate queries.

Not here: how good a ranking is (`evaluation/`). Read `token_index.py` first, then `search.py`.
"""
