"""A run is a folder: its configuration and facts, lock, checkpoints, rankings, and what a teacher has encoded.

Not here: what is sent to Weights & Biases (`tracking/`). Read `folder.py` first.
"""
