"""What travels with the package beside its code: the experiments, found by name, and a Makefile, laid into a folder.

`experiments`, `Makefile` and `constraints.txt` are the repository's own, linked here, so that a wheel has them;
`environment.mk` says where a laid folder's Makefile finds clir-ot. Not here: what an experiment says (the room of its
verb). Read `named.py` first.
"""
