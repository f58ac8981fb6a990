"""Bitext as others publish it: its formats, its filters, and how it becomes a collection's `bitext/<lang>.tsv`.

Not here: where to get it (`sources/`), and the folder it ends in (`collections/`). Read `formats.py` first.
"""
