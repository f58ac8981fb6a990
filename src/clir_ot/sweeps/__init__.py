"""Sweeps: W&B's sweep files, run by a scheduler on this machine or by W&B's.

Not here: variants that are all run (`ablation/`). Read `sweep.py` first.
"""

import warnings

with warnings.catch_warnings():
    # Its pydantic models are written for an older pydantic, which warns, and reads them right.
    warnings.simplefilter("ignore")
    import sweeps  # noqa: F401
