"""Runs: their folders, what is logged to Weights & Biases during training, and pictures."""
