"""Variants of an experiment, each with several seeds, trained and measured into one table.

Not here: values that are searched for (`sweeps/`). Read `plan.py` first.
"""
