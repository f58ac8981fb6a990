"""From a collection to batches: tokens, the hybrid batch sampler and the one DataModule of all systems."""
