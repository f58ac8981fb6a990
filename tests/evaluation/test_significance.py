"""Holm's correction, by hand."""

import pytest

from clir_ot.errors import UserError
from clir_ot.evaluation.significance import holm


def test_holm_by_hand() -> None:
    # Sorted: 0.005 * 4 = 0.02, 0.01 * 3 = 0.03, 0.03 * 2 = 0.06, and 0.04 * 1 raised to 0.06.
    p_values = {"w": 0.01, "x": 0.04, "y": 0.03, "z": 0.005}
    adjusted = holm(p_values)
    assert adjusted == pytest.approx({"w": 0.03, "x": 0.06, "y": 0.06, "z": 0.02})
    assert list(adjusted) == list(p_values)
    assert holm({"a": 0.7, "b": 0.6, "c": 0.0}) == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert holm({}) == {}


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_holm_names_what_is_not_a_p_value(p: float) -> None:
    with pytest.raises(UserError, match="p-value of 'b' is"):
        holm({"a": 0.5, "b": p})
