"""The card of a run in a list: a few questions to its database, without reading its course."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from agent.campaign.events import (
    ApprovalOverdue,
    BudgetSet,
    CampaignFinished,
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    DecisionApproved,
    DecisionVetoed,
    DecisionWithdrawn,
    PolicyExhausted,
    ResultAccepted,
    StopRuleFired,
)
from agent.campaign.plan import CampaignPlan
from agent.store.tables import BIAS_POINT, JOURNAL, REQUEST
from scenarios.watch.reading.chronicle import RARE, Chronicle
from scenarios.watch.reading.moments import phase_shown
from scenarios.watch.reading.spending import spent_at
from scenarios.watch.reading.standing import StandingCourse
from scenarios.watch.state.runs import MAX_SPARKLINE, RunCard

KINDS: Final = (
    CampaignStarted,
    CampaignPaused,
    CampaignResumed,
    CampaignStopping,
    CampaignFinished,
    BudgetSet,
    PolicyExhausted,
    StopRuleFired,
    ApprovalOverdue,
    DecisionApproved,
    DecisionVetoed,
    DecisionWithdrawn,
)
"""Kinds of rows that a card is made of."""

ABOUT_CANDIDATES: Final = frozenset({"candidate_id", "candidate_ids", "decision"})
"""Fields of what may change which part of the budget is spent."""


def card_of(connection: Connection, key: str, folder: Path, *, is_interrupted: bool) -> RunCard:
    """Return the card of a run.

    Args:
        connection: In a transaction.
        key: Of the run.
        folder: Of it.
        is_interrupted: Whether its agent is gone.

    Raises:
        StoreError: When the journal is empty, or holds what this version does not know.
    """
    last = connection.execute(
        select(JOURNAL.c.sequence, JOURNAL.c.recorded_at).order_by(JOURNAL.c.sequence.desc()).limit(1)
    ).first()
    chronicle, standing = Chronicle(kinds=KINDS), StandingCourse()
    for entry in chronicle.read(connection, 0 if last is None else last.sequence):
        standing.add(entry)
    plan = chronicle.plan
    start, point = (_point(connection, is_last=is_last) for is_last in (False, True))
    stands = standing.at(0 if last is None else last.sequence)
    open_now = select(func.count()).select_from(REQUEST).where(REQUEST.c.closed_sequence.is_(None))
    return RunCard(
        key=key,
        name=plan.campaign or folder.name,
        source="folder",
        phase=phase_shown(stands, is_interrupted=is_interrupted),
        reason=stands.reason,
        policy=plan.policy,
        property=plan.label,
        unit=plan.unit,
        observation=None if point is None else point.observation,
        budget=chronicle.budget_at(chronicle.last),
        spent=_spent(connection, chronicle.last, point),
        budget_unit=plan.budget_unit,
        in_flight=int(connection.execute(open_now).scalar_one()),
        starved_family=None if point is None else point.starved_family,
        entropy_range=None if point is None else point.entropy_range,
        entropy_range_start=None if start is None else start.entropy_range,
        mean_gap=None if point is None else point.mean_gap,
        mean_gap_start=None if start is None else start.mean_gap,
        last_event_at=None if last is None else last.recorded_at,
        sparkline=tuple(_sparkline(connection, plan, None if point is None else point.observation)),
    )


def _point(connection: Connection, *, is_last: bool) -> Row[Any] | None:
    order = BIAS_POINT.c.observation.desc() if is_last else BIAS_POINT.c.observation
    return connection.execute(select(BIAS_POINT).order_by(order).limit(1)).first()


def _spent(connection: Connection, last: int, point: Row[Any] | None) -> int:
    """Return what is spent; all rare rows are read only where some came after the last observation."""
    if point is None:
        return 0
    names = [kind.__name__ for kind in RARE if ABOUT_CANDIDATES & {each.name for each in fields(kind)}]
    later = select(JOURNAL.c.sequence).where(JOURNAL.c.sequence > point.sequence, JOURNAL.c.kind.in_(names))
    fidelities = select(JOURNAL.c.sequence).where(
        JOURNAL.c.sequence > point.sequence, JOURNAL.c.kind == ResultAccepted.__name__
    )
    if all(connection.execute(each.limit(1)).first() is None for each in (later, fidelities)):
        return int(point.spent)
    chronicle = Chronicle()
    chronicle.read(connection, last)
    return spent_at(connection, chronicle, last, since=point.sequence, spent=int(point.spent))


def _sparkline(connection: Connection, plan: CampaignPlan, last: int | None) -> list[float | None]:
    """Return the figure that stands for the run at evenly spaced observations."""
    if last is None:
        return []
    count = min(MAX_SPARKLINE, last + 1)
    wanted = sorted({round(place * last / max(count - 1, 1)) for place in range(count)})
    rows = connection.execute(
        select(BIAS_POINT.c.mean_gap, BIAS_POINT.c.declared)
        .where(BIAS_POINT.c.observation.in_(wanted))
        .order_by(BIAS_POINT.c.observation)
    ).all()
    if not plan.metrics:
        return [row.mean_gap for row in rows]
    return [json.loads(row.declared).get(plan.metrics[0].name) if row.declared else None for row in rows]
