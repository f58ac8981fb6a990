"""From a collection to batches: tokens, the hybrid batch sampler and the one DataModule of all systems.

Not here: reading files (`collections/`), and what a batch is used for (`systems/`). Read `batches.py` first.
"""
