"""An earlier log: what it withholds, and what it may not say."""

from __future__ import annotations

import numpy as np
import pytest

from agent.pool.designs import Designs
from agent.pool.earlier_log import WITHHELD, make_log
from protocols.errors import TableError
from tests.support.samples.closures import made_up_bed


@pytest.fixture
def designs() -> Designs:
    found = made_up_bed().pool.designs
    assert found is not None
    return found


def test_what_is_not_told_is_withheld(designs: Designs) -> None:
    log = make_log(designs, {"x": ["k", None], "place": ["far", "near"]}, [1.0, 2.0])
    assert log.codes[:, 1].tolist() == [WITHHELD, WITHHELD]
    assert log.codes[0, 0] == designs.groups.index("k")
    assert log.codes[1, 0] == WITHHELD
    assert [designs.levels[2][code] for code in log.codes[:, 2]] == ["far", "near"]
    np.testing.assert_array_equal(log.values, [1.0, 2.0])


def test_a_column_that_is_no_factor_is_refused(designs: Designs) -> None:
    with pytest.raises(TableError, match=r"'plce', which is no factor.*did you mean 'place'"):
        make_log(designs, {"plce": ["far"]}, [1.0])


def test_a_level_that_no_design_has_is_refused_with_its_row(designs: Designs) -> None:
    with pytest.raises(TableError, match=r"Row 2 of the log has x = 'zz'.*one of -, k"):
        make_log(designs, {"x": ["k", "zz"]}, [1.0, 2.0])


def test_a_value_that_is_no_number_is_refused_with_its_row(designs: Designs) -> None:
    with pytest.raises(TableError, match="Row 1 of the log has the value nan"):
        make_log(designs, {"x": ["k"]}, [float("nan")])
