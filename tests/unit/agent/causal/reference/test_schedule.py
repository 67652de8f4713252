"""What is drawn, and that no value decides it."""

from __future__ import annotations

import numpy as np
import pytest

from agent.causal.reference.schedule import ARMS, Arm, draw_schedule, require_arm
from protocols.errors import SettingsError

SUBSETS = (np.arange(0, 100, 2), np.arange(1, 100, 4), np.arange(3, 100, 4))


@pytest.mark.parametrize(("arm", "batches"), [("active", 3), ("control", 1), ("best_of_three", 3)])
def test_a_round_has_the_batches_of_its_arm_each_of_different_rows(arm: Arm, batches: int) -> None:
    schedule = draw_schedule(SUBSETS, arm, 4, seed=0, rounds=6, batch=7)
    assert len(schedule.rounds) == 6
    for each in schedule.rounds:
        assert [len(set(batch.tolist())) for batch in each.batches] == [7] * batches
        assert len(each.rows) == 7 * batches


def test_the_first_rounds_are_the_same_however_many_follow() -> None:
    for arm in ARMS:
        few, many = (draw_schedule(SUBSETS, arm, 4, seed=5, rounds=rounds, batch=7) for rounds in (2, 9))
        for one, other in zip(few.rounds, many.rounds, strict=False):
            assert (one.rows == other.rows).all()


def test_every_row_is_there_once_in_the_order_in_which_it_is_drawn_first() -> None:
    schedule = draw_schedule(SUBSETS, "active", 4, seed=0, rounds=12, batch=7)
    drawn = [int(schedule.start[0]), *(int(row) for each in schedule.rounds for row in each.rows)]
    assert schedule.different_rows().tolist() == list(dict.fromkeys(drawn))
    assert len(set(drawn)) < len(drawn)


def test_it_says_where_a_row_is_drawn() -> None:
    schedule = draw_schedule(SUBSETS, "active", 4, seed=0, rounds=3, batch=7)
    assert schedule.where(int(schedule.start[0])) == "the row to begin with"
    ordered = schedule.different_rows().tolist()
    assert schedule.where(ordered[1]) == "round 1 of 3, batch 1 of 3"
    assert schedule.where(ordered[-1]).startswith("round 3 of 3")


def test_an_arm_that_is_misspelt_is_refused_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"no arm 'activ'.*did you mean 'active'"):
        require_arm("activ")
