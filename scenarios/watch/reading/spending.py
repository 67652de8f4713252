"""What had been spent of the budget at a row of the journal."""

from __future__ import annotations

from sqlalchemy import Connection, select

from agent.campaign.events import ResultAccepted, load_event
from agent.store.tables import JOURNAL
from scenarios.watch.reading.candidates import courses_of
from scenarios.watch.reading.chronicle import Chronicle, about


def spent_at(connection: Connection, chronicle: Chronicle, sequence: int, *, since: int, spent: int) -> int:
    """Return what had been spent at a row of the journal [unit of the budget].

    What was spent when an observation came stands beside it; what came after touched few candidates.

    Args:
        connection: In a transaction.
        chronicle: The rare rows, up to that row or further.
        sequence: That row.
        since: The row of the last observation up to it.
        spent: What had been spent then.
    """
    if since >= sequence:
        return spent
    touched = {
        which
        for which, entries in chronicle.about.items()
        if since < entries[-1].sequence and any(since < each.sequence <= sequence for each in entries)
    }
    if chronicle.plan.fidelities:  # values by another method than the target are no observations
        between = (JOURNAL.c.sequence > since, JOURNAL.c.sequence <= sequence)
        rows = connection.execute(
            select(JOURNAL.c.kind, JOURNAL.c.payload).where(JOURNAL.c.kind == ResultAccepted.__name__, *between)
        ).all()
        touched.update(which for row in rows for which in about(load_event(row.kind, row.payload)))
    for which, candidate in courses_of(connection, chronicle, touched).items():
        cost = chronicle.plan.cost_of(which)
        spent += cost * (candidate.at(sequence).is_spent - candidate.at(since).is_spent)
    return spent
