"""What training says on the terminal."""

from pytorch_lightning.utilities import rank_zero_only


@rank_zero_only
def say(line: str) -> None:
    """Print a line at once, from rank 0 alone."""
    print(line, flush=True)
