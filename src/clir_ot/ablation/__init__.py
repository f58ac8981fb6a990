"""Variants of an experiment, each with several seeds, trained and measured into one table."""
