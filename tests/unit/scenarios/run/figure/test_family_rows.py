"""Rows of many families: all of forty, and of hundreds the poorest and the richest, in the order of their end."""

import numpy as np

from scenarios.run.figure.curves import Curves
from scenarios.run.figure.family_rows import MAX_ROWS, row_labels, rows_of
from tests.support.shown.grown import grown


def test_forty_families_have_a_row_each_poorest_first() -> None:
    curves = Curves.of(grown(40, 200))
    columns, hidden = rows_of(curves)
    assert sorted(columns) == curves.defined()
    assert hidden == 0
    assert (np.diff(curves.last_entropies()[columns]) >= 0).all()
    assert len(row_labels(curves)) == len(columns)


def test_of_three_hundred_the_poorest_and_the_richest_have_rows_and_the_rest_are_counted() -> None:
    curves = Curves.of(grown(300, 200))
    columns, hidden = rows_of(curves)
    last = curves.last_entropies()
    assert len(columns) == MAX_ROWS
    assert hidden == len(curves.defined()) - MAX_ROWS
    assert last[columns[0]] == np.nanmin(last)
    assert last[columns[-1]] == np.nanmax(last)
