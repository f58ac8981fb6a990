"""Evaluation: trec_eval's measures of a run, and whether two runs differ by more than chance.

Not here: finding the rankings of a training run (`runs/rankings.py`). Read `metrics.py` first.
"""
