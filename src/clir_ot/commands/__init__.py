"""Verbs of the command line that have verbs of their own; `cli.py` has the others.

Not here: options (`options.py`), and what a verb does (the room of its name). Read `cli.py` first.
"""
