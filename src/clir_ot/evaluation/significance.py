"""Many tests at a time, and how small a difference counts as none."""

from collections.abc import Mapping

from clir_ot.errors import UserError

EQUIVALENCE_MARGIN = 0.02
"""Of a measure in [0, 1]: English queries are called unharmed where a change is shown to be smaller than this. A fifth
of the smallest gain of a low-resource language; chosen when changes of -0.003 to -0.010 had been seen."""

FEWEST_QUERIES = 20
"""A measure that is defined for fewer queries is left out of tables and of families of tests, with a note."""


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values, in the order given: reject where the adjusted value is at most alpha.

    With p(1) <= ... <= p(m): adjusted p(i) = max over j <= i of min(1, (m - j + 1) p(j)). The chance of any
    false rejection is then at most alpha, however the tests depend on each other. (Ours, since scipy has none and
    statsmodels would be a dependency for these lines.)

    Raises:
        UserError: a p-value is not within [0, 1]; names it.

    Source: Holm, Scandinavian Journal of Statistics 6(2), 1979.
    """
    adjusted: dict[str, float] = {}
    running = 0.0
    for position, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        p = p_values[name]
        if not 0 <= p <= 1:
            raise UserError(f"the p-value of {name!r} is {p}, expected a number from 0 to 1")
        running = max(running, min(1.0, (len(p_values) - position) * p))
        adjusted[name] = running
    return {name: adjusted[name] for name in p_values}
