"""The dataset view of a campaign whose pool grows: it knows the families of what joined, after a restart too."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from agent.campaign.events import DecisionMade
from agent.campaign.ledger import Ledger
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.store.read_only import reading, referenced_in
from agent.store.store import Store
from agent.store.tables import OBSERVATION
from protocols.link.transport import Delivery
from protocols.wire.messages import Control, ControlAction
from tests.support.campaigns import control, quantity, result_of, small_plan, small_pool
from tests.support.stored_campaigns import Shelf, assert_views_equal_fold, delivered, opened
from tests.support.user_policies import Growing

POOL = small_pool(12)
RESULTS = 6
PLAN = small_plan(POOL, budget=RESULTS, parallel=2, policy="mine", grows_pool=True)


def lived(folder: Path, ends_after: int) -> Path:
    """Let a campaign live to its end, with a new process after every `ends_after` results."""
    file = folder / "campaign.db"
    for _process in range(0, RESULTS, ends_after):
        with closing(opened(file, POOL)) as store:
            shelf = Shelf(store, POOL, PLAN, InlinePolicyRunner(Growing()))
            for _result in range(ends_after):
                shelf.transaction(delivered(result_of(shelf.awaited[0])))
    return file


def families(store: Store) -> dict[str, str]:
    rows = store._connection.execute(select(OBSERVATION.c.candidate_id, OBSERVATION.c.family))
    found = {row.candidate_id: row.family for row in rows}
    store._connection.rollback()
    return found


@pytest.mark.parametrize("ends_after", [1, 2])
def test_every_value_has_the_family_of_its_candidate_whoever_wrote_it(tmp_path: Path, ends_after: int) -> None:
    with closing(opened(lived(tmp_path, ends_after), POOL)) as store:
        campaign = Ledger.of_journal(POOL, store.journal()).campaign
        told = families(store)
    assert campaign.spent == campaign.plan.budget
    assert len(told.keys() - POOL.index_of.keys()) >= 4
    assert told == {which: campaign.pool.candidate(which).family for which in told}


def test_restarts_change_no_decision(tmp_path: Path) -> None:
    journals = []
    for ends_after in (1, 2, RESULTS):
        folder = tmp_path / str(ends_after)
        folder.mkdir()
        with closing(opened(lived(folder, ends_after), POOL)) as store:
            journals.append([decided(event) for event in store.journal() if isinstance(event, DecisionMade)])
    assert len(journals[0]) == 6
    assert journals[0] == journals[1] == journals[2]


def decided(event: DecisionMade) -> tuple[Any, ...]:
    return event.decision, event.seed, event.candidate_ids, event.scores, event.runner_up, event.added


def test_a_reader_without_the_scenario_has_what_joined_from_the_journal(tmp_path: Path) -> None:
    file = lived(tmp_path, 2)
    with closing(opened(file, POOL)) as store:
        events, told = list(store.journal()), families(store)
    with reading(file) as connection:
        partial = referenced_in(connection, events)
    ledger, whole = Ledger.of_journal(partial, events), Ledger.of_journal(POOL, events)
    assert ledger.point() == whole.point()
    assert {which: ledger.campaign.pool.candidate(which).family for which in told} == told


def orders(*given: Control) -> tuple[Delivery, ...]:
    return tuple(map(delivered, given))


def test_a_value_that_is_taken_back_or_corrected_is_so_in_the_dataset_and_who_measured_it_stays(
    tmp_path: Path,
) -> None:
    plan = small_plan(POOL, budget=6, parallel=2)
    right = quantity(0.125).model_copy(update={"standard_deviation": 0.5})
    with closing(opened(tmp_path / "campaign.db", POOL)) as store:
        shelf = Shelf(store, POOL, plan)
        shelf.transaction(delivered(result_of(shelf.awaited[0])), delivered(result_of(shelf.awaited[1])))
        known = sorted(families(store))
        gone, corrected = (attempt.candidate_id for attempt in list(shelf.campaign.attempts.values())[:2])
        shelf.transaction(*orders(
            control(ControlAction.RETRACT_OBSERVATION, gone),
            control(ControlAction.AMEND_OBSERVATION, corrected, quantity=right),
        ))  # fmt: skip
        rows = {row.candidate_id: row for row in store._connection.execute(select(OBSERVATION))}
        store._connection.rollback()
        assert sorted(rows) == [each for each in known if each != gone]
        row = rows[corrected]
        assert (row.value, row.source, row.sequence) == (0.125, "simulator-1", shelf.campaign.sequence)
        assert row.standard_deviation == 0.5
        assert row.attempt_id is not None
        assert_views_equal_fold(store, POOL)
        events = list(store.journal())
    with reading(tmp_path / "campaign.db") as connection:
        partial = referenced_in(connection, events)
    assert Ledger.of_journal(partial, events).point() == Ledger.of_journal(POOL, events).point()
    assert partial.candidate(gone).family == POOL.candidate(gone).family
