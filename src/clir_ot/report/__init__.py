"""The report: from run folders to tables, pictures and an answer in words.

Not here: measures and tests (`evaluation/`). Read `study.py` first: it is what everything else shows.
"""
