"""Run folders of random campaigns, in which everything happens that a journal can tell, and what their fold says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.campaign.events import DecisionMade, Event
from agent.campaign.ledger import Ledger
from agent.campaign.life_cycle import CandidateStatus, Phase
from agent.campaign.people.approval import ApprovalSettings
from agent.campaign.plan import Ordering
from agent.pool.candidates import Pool
from agent.run_files import DATABASE
from agent.store.read_only import reading_journal
from protocols.link.transport import Delivery
from protocols.wire.messages import Control, ControlAction
from tests.support.campaigns import control, quantity, small_plan, small_pool, with_source_ids
from tests.support.stored_campaigns import Shelf, delivered, opened

POOL = with_source_ids(small_pool(60))
CLOSED = (CandidateStatus.ABANDONED, CandidateStatus.EXCLUDED, CandidateStatus.RETRACTED)
STEPS = 120


def order(shelf: Shelf, rng: np.random.Generator) -> Delivery:
    """What an operator may say that `Shelf.trouble` knows nothing of."""
    campaign, ids = shelf.campaign, shelf.pool.candidate_ids

    def one_of(statuses: tuple[CandidateStatus, ...]) -> str:
        fitting = [which for which in ids if campaign.status_of(which) in statuses] or list(ids)
        return fitting[int(rng.integers(len(fitting)))]

    value, waiting = quantity(float(rng.normal())), [*campaign.awaiting_approval, 0]
    orders: tuple[Callable[[], Control], ...] = (
        lambda: control(
            ControlAction.RETRACT_OBSERVATION, one_of((CandidateStatus.OBSERVED,)), reason="spilled", operator="ada"
        ),
        lambda: control(ControlAction.AMEND_OBSERVATION, one_of((CandidateStatus.OBSERVED,)), quantity=value),
        lambda: control(ControlAction.REQUEUE_CANDIDATE, one_of(CLOSED), reason="again"),
        lambda: control(ControlAction.SET_BUDGET, budget=campaign.requested + int(rng.integers(1, 9))),
        lambda: control(ControlAction.PAUSE, reason="lunch"),
        lambda: control(ControlAction.RESUME, reason="back"),
        lambda: control(ControlAction.APPROVE_DECISION, decision=waiting[0]),
        lambda: control(ControlAction.VETO_DECISION, decision=waiting[-1], reason="no"),
    )
    return delivered(orders[int(rng.integers(len(orders)))]())


def random_run(folder: Path, seed: int) -> None:
    """Write a run with faults, late answers, pauses, approvals, retractions, corrections and new budgets."""
    rng = np.random.default_rng(seed)
    plan = small_plan(
        POOL, budget=30, parallel=int(rng.integers(1, 5)), ordering=list(Ordering)[seed % 2], max_attempts=2,
        estimator="m_spacing", resolution=0.01, recipients=("simulator-1", "simulator-2"), give_up_after=4,
        approval=ApprovalSettings(required="always" if seed % 3 == 0 else "never"),
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(opened(folder / DATABASE, POOL), POOL, plan)
    for _ in range(STEPS):
        campaign = shelf.campaign
        if campaign.phase is Phase.FINISHED and rng.random() < 0.3:
            break
        items = [
            order(shelf, rng) if rng.random() < 0.35 or not campaign.attempts else shelf.trouble(rng)
            for _ in range(int(rng.integers(1, 3)))
        ]
        if campaign.awaiting_approval and rng.random() < 0.5:
            items.append(
                delivered(control(ControlAction.APPROVE_DECISION, decision=next(iter(campaign.awaiting_approval))))
            )
        if campaign.phase is Phase.PAUSED and rng.random() < 0.5:
            items.append(delivered(control(ControlAction.RESUME)))
        shelf.transaction(*items)
    shelf.store.close()


@dataclass(frozen=True, slots=True)
class Stand:
    """A campaign as its fold says that it stood, right after an observation, or at the end of its journal."""

    observation: int | None
    """None at the end."""
    ledger: Ledger
    events: list[Event]
    decision: DecisionMade | None


def stands_of(folder: Path, observations: set[int], pool: Pool = POOL) -> Iterator[Stand]:
    """Fold a journal, and yield how it stood after some observations, and at its end; the ledger goes on afterwards."""
    with reading_journal(folder / DATABASE) as (store, _):
        events = list(store.journal())
    ledger, decision = Ledger(pool), None
    for number, event in enumerate(events, 1):
        change = ledger.fold_journalled(event)
        decision = event if isinstance(event, DecisionMade) else decision
        if change.metrics is not None and ledger.observation in observations:
            yield Stand(ledger.observation, ledger, events[:number], decision)
    yield Stand(None, ledger, events, decision)
