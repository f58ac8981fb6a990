"""Where collections come from: one module a published source, what they are fetched with, and the starter.

Not here: the format that they are written in (`collections/`). Read `builders.py` first, the table of all of them.
"""
