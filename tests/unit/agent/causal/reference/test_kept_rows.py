"""What is kept follows from the values that are known, whatever their order, and goes on without those that lack."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.causal.reference.kept_rows import KeptRows, Selection
from agent.causal.reference.schedule import Arm, Schedule, draw_schedule
from agent.causal.reference.selection import Universe, select
from tests.support.samples.causal import named
from tests.support.samples.told import told_bed

BED = told_bed()
LABELS = np.rint(BED.pool.features[:, 3] / 20.0).astype(np.int64)
UNIVERSE = Universe.of(named(BED.rows), LABELS)
ROUNDS, BATCH = 5, 8


def begun(arm: Arm = "active") -> tuple[Schedule, KeptRows]:
    """A schedule, and nothing known."""
    schedule = draw_schedule(UNIVERSE.subsets, arm, 4, seed=3, rounds=ROUNDS, batch=BATCH)
    unknown = BED.rows.copy()
    unknown[:, -1] = np.nan
    return schedule, KeptRows(schedule, BED.told, unknown)


def assert_same(one: Selection, other: Selection) -> None:
    assert one.rows.tolist() == other.rows.tolist()
    assert one.looked_at.tolist() == other.looked_at.tolist()
    assert (one.losses, one.kept) == (other.losses, other.kept)


@pytest.mark.parametrize("arm", ["active", "control", "best_of_three"])
@pytest.mark.parametrize("order", ["as drawn", "backwards", "shuffled"])
def test_with_all_values_it_is_the_selection_in_whatever_order_they_came(arm: Arm, order: str) -> None:
    schedule, kept = begun(arm)
    rows = schedule.different_rows()
    rows = {"as drawn": rows, "backwards": rows[::-1], "shuffled": np.random.default_rng(0).permutation(rows)}[order]
    for row in rows.tolist():
        kept.learn(row, BED.truth[row])
        kept.selection()
    assert_same(kept.selection(), select(UNIVERSE, arm, seed=3, rounds=ROUNDS, batch=BATCH))


def test_nothing_is_kept_of_a_round_that_is_not_over() -> None:
    schedule, kept = begun()
    rows = schedule.different_rows().tolist()
    first = 1 + len(set(schedule.rounds[0].rows.tolist()) - set(schedule.start.tolist()))
    for row in rows[: first - 1]:
        kept.learn(row, BED.truth[row])
        assert kept.selection().losses == ()
    kept.learn(rows[first - 1], BED.truth[rows[first - 1]])
    assert len(kept.selection().losses) == 1
    assert len(kept.selection().rows) == 1 + BATCH


def test_a_round_goes_on_without_what_was_given_up_and_takes_it_in_when_it_comes_after_all() -> None:
    schedule, kept = begun()
    lacking = int(schedule.rounds[1].batches[0][2])
    for row in schedule.different_rows().tolist():
        if row != lacking:
            kept.learn(row, BED.truth[row])
    without = kept.selection()
    assert len(without.losses) == ROUNDS
    assert lacking not in without.looked_at
    kept.learn(lacking, BED.truth[lacking])
    assert_same(kept.selection(), select(UNIVERSE, "active", seed=3, rounds=ROUNDS, batch=BATCH))


def test_values_that_are_taken_back_are_known_no_more() -> None:
    schedule, kept = begun()
    values = np.full(len(BED.truth), np.nan)
    values[schedule.different_rows()] = BED.truth[schedule.different_rows()]
    kept.follow(values)
    whole = kept.selection()
    values[schedule.rounds[-1].rows] = np.nan
    kept.follow(values)
    assert len(kept.selection().losses) < ROUNDS
    values[schedule.rounds[-1].rows] = BED.truth[schedule.rounds[-1].rows]
    kept.follow(values)
    assert_same(kept.selection(), whole)


def test_a_batch_with_too_few_values_for_a_graph_is_not_kept() -> None:
    schedule, kept = begun()
    batches = schedule.rounds[0].batches
    left_out = {int(row) for batch in batches[1:] for row in batch[2:]} - {int(row) for row in batches[0]}
    for row in schedule.different_rows().tolist():
        if row not in left_out:
            kept.learn(row, BED.truth[row])
    assert kept.selection().kept[0] == 0
    assert math.isfinite(kept.selection().losses[0])


def test_the_loss_of_too_few_rows_is_infinite_and_that_of_all_rows_is_none() -> None:
    _, kept = begun()
    kept.follow(BED.truth)
    assert kept.loss_of(np.arange(4)) == math.inf
    assert kept.loss_of(kept.known) == 0.0
