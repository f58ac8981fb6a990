"""Pure torch: the token encoder, late interaction, optimal transport and the losses.

Not here: Lightning, and files other than an encoder's own folder. Read `maxsim.py` first, then `transport.py`;
a new loss goes into `losses.py` or `alignments.py`, a new layout of encoders into `published_layouts.py`.
"""
