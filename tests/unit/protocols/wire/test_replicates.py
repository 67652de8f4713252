"""Single measurements tell how well their mean is known, unless the lab tells it."""

from __future__ import annotations

import numpy as np
import pytest

from protocols.wire.limits import MAX_ABS_VALUE, MAX_REPLICATES
from protocols.wire.messages import Quantity
from protocols.wire.replicates import deviation_of_mean, with_deviation

TOLD = (62.1, 62.4, 63.0)


def test_the_deviation_is_that_of_the_mean() -> None:
    assert deviation_of_mean(TOLD) == pytest.approx(np.std(TOLD, ddof=1) / np.sqrt(3))
    assert deviation_of_mean((1.5, 1.5)) == 0.0


@pytest.mark.parametrize("few", [(), (62.1,)])
def test_fewer_than_two_tell_nothing(few: tuple[float, ...]) -> None:
    assert deviation_of_mean(few) is None


def test_the_widest_that_a_message_carries_have_a_finite_one() -> None:
    widest = (MAX_ABS_VALUE, -MAX_ABS_VALUE) * (MAX_REPLICATES // 2)
    assert deviation_of_mean(widest) == pytest.approx(MAX_ABS_VALUE / np.sqrt(MAX_REPLICATES - 1))


def test_only_their_own_property_gets_it_and_what_the_lab_says_stays() -> None:
    yields, gap = Quantity(name="yield", value=62.5, unit="%"), Quantity(name="gap", value=1.0, unit="eV")
    first, second = with_deviation((yields, gap), "yield", TOLD)
    assert first.standard_deviation == deviation_of_mean(TOLD)
    assert second == gap
    known = yields.model_copy(update={"standard_deviation": 0.5})
    assert with_deviation((known,), "yield", TOLD) == (known,)
    assert with_deviation((yields,), "yield", (62.1,)) == (yields,)
