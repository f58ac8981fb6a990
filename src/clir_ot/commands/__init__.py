"""Verbs of the command line that have verbs of their own; `cli` has the others."""
