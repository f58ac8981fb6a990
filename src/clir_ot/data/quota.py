"""Shares kept to at every moment: what is asked for is drawn, not tossed for.

A coin that falls .5 of the time falls 11 times of 16 once in ten epochs; the experiment is then about another share.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import count

import numpy as np


def portions(share: float, size: int, random: np.random.Generator) -> Iterator[int]:
    """How many of each `size` things, so that after n of these the total is within one of n * size * share.

    Systematic sampling: a random start, then steps of equal width (Madow & Madow, Annals of Mathematical Statistics 15,
    1944), so that each number is as likely as the share says.
    """
    start = random.random()
    for n in count():
        yield math.floor((n + 1) * size * share + start) - math.floor(n * size * share + start)


def in_turn(shares: Mapping[str, float], random: np.random.Generator) -> Iterator[str]:
    """Names, so that after n of them each has been drawn within one of n times its share; equal ones in random order.

    The quota method: of those that are behind, the one whose next turn is due first (Balinski & Young, American
    Mathematical Monthly 82(7), 1975).

    Args:
        shares: which sum to 1.
    """
    names = sorted(shares)
    drawn = dict.fromkeys(names, 0)
    for n in count(1):
        order = [names[i] for i in random.permutation(len(names))]
        behind = [name for name in order if drawn[name] < shares[name] * n - 1e-9]
        name = min(behind, key=lambda name: (drawn[name] + 1) / shares[name])
        drawn[name] += 1
        yield name
