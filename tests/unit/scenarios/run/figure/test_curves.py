"""What is drawn of a run: thinned out, with its ends and its best."""

import numpy as np

from scenarios.display.observation_axis import MAX_DRAWN_STEPS
from scenarios.run.figure.curves import Curves, kept_points
from scenarios.run.trajectory import Trajectory
from tests.support.shown.grown import grown


def test_thinning_keeps_the_ends_and_the_smallest_gap() -> None:
    gaps = np.ones(20_000)
    gaps[12_345] = 0.5
    kept = kept_points(gaps)
    assert len(kept) <= MAX_DRAWN_STEPS + 1
    assert {0, 12_345, 19_999} <= set(kept)


def test_the_last_entropy_of_a_family_is_the_last_that_it_had() -> None:
    run = grown(9, 30)
    curves, last = Curves.of(run), Curves.of(run).last_entropies()
    for column in curves.defined():
        known = curves.entropies[:, column]
        assert last[column] == known[~np.isnan(known)][-1]


def test_the_extremes_are_the_poorest_and_the_richest_at_the_end() -> None:
    curves = Curves.of(grown(7, 60, bands=True))
    poorest, richest = curves.extremes()
    assert curves.entropies[-1, poorest] == np.nanmin(curves.entropies[-1])
    assert curves.entropies[-1, richest] == np.nanmax(curves.entropies[-1])


def test_a_run_without_points_and_one_without_bands_have_no_extremes() -> None:
    assert Curves.of(Trajectory("p", "u", ())).extremes() == []
    assert Curves.of(grown(7, 60)).extremes() == []
