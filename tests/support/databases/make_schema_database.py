"""Writes the database that the migration tests open for ever: a campaign with an event of every kind, by today's code.

    python -m tests.support.databases.make_schema_database

Run it once when a schema version is released, commit the file, and never write it again: it stands for the runs that
people have on their disks.
"""

from __future__ import annotations

import sys
from pathlib import Path

from agent.campaign.events import EVENT_TYPES, BeginCorrected, LimitsChanged
from agent.campaign.life_cycle import Phase
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import Ordering
from agent.campaign.stop_settings import StopSettings
from agent.pool.limits.settings import NO_LIMITS
from agent.runtime.policy_runner import InlinePolicyRunner
from agent.runtime.transaction import ApprovalMissing, DeadlinePassed, InstrumentGone, InstrumentReturned
from agent.store.commit import Commit
from agent.store.tables import SCHEMA_VERSION
from protocols.wire.messages import AddedCandidate, ControlAction, FailureReason
from tests.support.campaigns import (
    NOW,
    SENT_AT,
    control,
    failure_of,
    quantity,
    result_of,
    small_plan,
    small_pool,
    value_of,
    with_all_that_came,
    with_source_ids,
)
from tests.support.sample_messages import capabilities
from tests.support.stored_campaigns import Shelf, delivered, opened
from tests.support.user_policies import ContentAfter

FOLDER = Path(__file__).parent
POOL = with_source_ids(small_pool(24))
PLAN = small_plan(
    POOL, budget=16, parallel=4, ordering=Ordering.AS_COMPLETED, max_attempts=2, estimator="m_spacing", resolution=0.01,
    stop=StopSettings(when_no_gain="coverage", tolerance_nat=9.0, gain_nat=0.01, patience=1),
    recipients=("simulator-1", "simulator-2"),
    approval=ApprovalSettings(required="first_n", first=3),
)  # fmt: skip


def main(path: Path) -> int:
    """Write it; refuse to overwrite one."""
    if path.exists():
        print(f"{path} is there already: it is never written again")
        return 1
    store = opened(path, POOL)
    shelf = Shelf(store, POOL, PLAN, InlinePolicyRunner(ContentAfter(decisions=9)))
    shelf.transaction(ApprovalMissing(0, 60.0))
    shelf.transaction(delivered(control(ControlAction.APPROVE_DECISION, decision=0)))
    _announce(shelf, slots=1)
    shelf.transaction(delivered(control(ControlAction.VETO_DECISION, decision=1)))  # what is chosen in its place waits
    _announce(shelf, slots=4)
    for _ in range(3):
        shelf.transaction(delivered(result_of(shelf.awaited[0])))
    first = shelf.awaited[0]
    shelf.transaction(DeadlinePassed(first.attempt_id))
    second = next(a for a in shelf.awaited if a.candidate_id == first.candidate_id)
    shelf.transaction(delivered(failure_of(second, FailureReason.CALCULATION_FAILED)))
    shelf.transaction(delivered(result_of(first)), delivered(topic="somebody/else", payload=b"\x00\xff"))
    shelf.transaction(InstrumentGone("simulator-2", "it says so"))
    silent = shelf.awaited[0]
    for _ in range(PLAN.max_attempts):
        expired = next(a for a in shelf.awaited if a.candidate_id == silent.candidate_id)
        shelf.transaction(DeadlinePassed(expired.attempt_id))
    shelf.transaction(InstrumentReturned("simulator-2"))
    excluded = shelf.awaited[0]
    shelf.transaction(delivered(control(ControlAction.EXCLUDE_CANDIDATE, excluded.candidate_id, reason="broken")))
    shelf.transaction(delivered(result_of(excluded)))
    shelf.transaction(delivered(result_of(excluded, quantity(9.0))))
    free = [which for which in POOL.candidate_ids if shelf.campaign.status_of(which).name == "AVAILABLE"]
    shelf.transaction(delivered(control(ControlAction.EXCLUDE_CANDIDATE, free[0], reason="toxic")))
    new = AddedCandidate(candidate_id="a-new-one", family=POOL.families[0], features=(0.1, 0.2, 0.3), formula="X")
    shelf.transaction(delivered(control(ControlAction.ADD_CANDIDATES, candidates=(new,))))
    shelf.transaction(delivered(control(ControlAction.ADD_OBSERVATION, free[1], quantity=quantity(0.125))))
    for which in free[2:11]:  # until every family has five values
        shelf.transaction(delivered(control(ControlAction.ADD_OBSERVATION, which, quantity=quantity(value_of(which)))))
    shelf.transaction(delivered(control(ControlAction.AMEND_OBSERVATION, free[1], quantity=quantity(0.25))))
    shelf.transaction(delivered(control(ControlAction.RETRACT_OBSERVATION, free[1], reason="spilled")))
    shelf.transaction(delivered(control(ControlAction.RETRACT_OBSERVATION, free[1], reason="twice")))
    shelf.transaction(delivered(control(ControlAction.REQUEUE_CANDIDATE, free[0], reason="not toxic")))
    shelf.transaction(delivered(control(ControlAction.SET_BUDGET, budget=18)))
    shelf.transaction(delivered(control(ControlAction.PAUSE)))
    shelf.transaction(delivered(control(ControlAction.PAUSE)))
    shelf.transaction(delivered(control(ControlAction.RESUME)))
    shelf.transaction(delivered(control(ControlAction.STOP)))
    while shelf.campaign.phase is not Phase.FINISHED:
        shelf.transaction(delivered(with_all_that_came(result_of(shelf.awaited[0]))))
    store.append(Commit(events=(BeginCorrected(NOW), LimitsChanged(NO_LIMITS))), now=SENT_AT)
    kinds = {type(event) for event in store.journal()}
    store.close()
    if missing := set(EVENT_TYPES) - kinds:
        path.unlink()
        print(f"no event of kind {missing}")
        return 1
    return 0


def _announce(shelf: Shelf, *, slots: int) -> None:
    for name in PLAN.recipients:
        announced = capabilities(campaign=PLAN.campaign, simulator=name, slots=slots, properties=None, elements=None)
        shelf.transaction(delivered(announced))


if __name__ == "__main__":
    sys.exit(main(FOLDER / f"schema-{SCHEMA_VERSION}.db"))
