"""Pictures: transport plans, heat maps, and the lettering that shows any script.

Not here: the pictures of one page alone (`report/figures.py`, `sweeps/picture.py`). Read `canvas.py` first.
"""
