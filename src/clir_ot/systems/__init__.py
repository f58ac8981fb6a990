"""The three systems as LightningModules: teacher ranker, transport distillation, hybrid-batch ranker.

Not here: the mathematics (`models/`), and what surrounds a training run (`runs/`, `fit.py`). Read `ranker.py` first.
"""
