"""Weights & Biases, and the callbacks that feed it during training.

Not here: the run folder itself (`runs/`), and the pictures that are logged (`pictures/`). Read `run_logger.py` first.
"""
