"""The views of a journal: are they what the journal makes of an empty database?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from agent.campaign.events import Event, RequestIssued
from agent.campaign.plan import CampaignPlan
from agent.pool.candidates import Pool
from agent.store.commit import Commit
from agent.store.read_only import NO_TIME
from agent.store.store import Store
from agent.store.tables import BIAS_FAMILY, BIAS_POINT, JOURNAL, META, OBSERVATION, OUTBOX, REQUEST, SCHEMA_VERSION
from agent.store.views import DatasetLabels
from protocols.errors import MessageError
from protocols.storage.database import connected, sqlite_url
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateRequest
from protocols.wire.topics import parse
from scenarios.verify.part import CheckedPart, JournalFold, equal, equal_declared
from scenarios.verify.recorded_messages import RecordedMessages, digest_of
from scenarios.verify.same_as_message import other_than_request, told

EVENTS_PER_COMMIT: Final = 1_000
"""Events that are folded into the empty database at a time."""


def check_views(
    connection: Connection,
    scratch: Path,
    events: list[Event],
    pool: Pool,
    fold: JournalFold,
    *,
    recorded: RecordedMessages | None = None,
) -> list[CheckedPart]:
    """Compare every view, and the queue of what is to be sent.

    Args:
        connection: To the database that is checked.
        scratch: Where the empty database may be made.
        events: The journal.
        pool: What it touched.
        fold: What it tells.
        recorded: The messages in its recording; None where they are not known.
    """
    labels = DatasetLabels.of(pool, fold.ledger.campaign.plan.unit)
    with closing(Store.open(sqlite_url(scratch), labels=labels, now=NO_TIME)) as again:
        rebuild(again, events, fold)
    with connected(sqlite_url(scratch)) as right:
        parts = [
            _same_rows(table, connection, right, fold.why_not if table is BIAS_POINT else "")
            for table in (OBSERVATION, REQUEST, BIAS_POINT, BIAS_FAMILY)
        ]
    return [*parts, _outbox(connection, events, fold.ledger.campaign.plan, recorded)]


def check_meta(connection: Connection, plan: CampaignPlan) -> CheckedPart:
    """Compare whose database it is with what the journal says."""
    rows = connection.execute(select(META)).all()
    if len(rows) != 1:
        return CheckedPart(META.name, 0, f"{len(rows)} rows; there is one")
    began = connection.execute(select(JOURNAL.c.recorded_at).order_by(JOURNAL.c.sequence).limit(1)).scalar()
    right = {
        "campaign": plan.campaign, "uid": plan.uid, "schema_version": SCHEMA_VERSION, "pool_digest": plan.pool_digest,
        "created_at": began,
    }  # fmt: skip
    for name, value in right.items():
        if (found := getattr(rows[0], name)) != value:
            return CheckedPart(META.name, 0, f"it says {name} = {found!r}; the journal says {value!r}")
    return CheckedPart(META.name, 1)


def rebuild(again: Store, events: list[Event], fold: JournalFold) -> None:
    """Fold the events into an empty database, by the statements that the agent uses."""
    for first in range(0, len(events), EVENTS_PER_COMMIT):
        again.append(Commit(events=tuple(events[first : first + EVENTS_PER_COMMIT])), now=NO_TIME)
    again.append(Commit(bias=fold.metrics), now=NO_TIME)


def _same_cell(name: str, one: object, other: object) -> bool:
    """Tell whether two cells are the same; what a policy declares is JSON."""
    if name != BIAS_POINT.c.declared.name or not one or not other:
        return equal(one, other)
    try:
        written, right = json.loads(str(one)), json.loads(str(other))
        same = [equal_declared(written[each], value) for each, value in right.items()]
        return written.keys() == right.keys() and all(same)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False  # it is not what the agent writes


def _same_rows(table: Table, connection: Connection, right: Connection, no_declared: str = "") -> CheckedPart:
    """Compare the rows of a table.

    Args:
        table: Which.
        connection: Where it is checked.
        right: Where it is as the journal makes it.
        no_declared: Why what a policy declares is left out; empty where it is compared.
    """
    left_out = BIAS_POINT.c.declared.name if no_declared else ""
    keys = [column.name for column in table.primary_key]
    there, expected = (
        {tuple(row._mapping[key] for key in keys): row for row in each.execute(select(table)).all()}  # noqa: SLF001 - SQLAlchemy's public name
        for each in (connection, right)
    )
    for sound, key in enumerate(sorted(there.keys() | expected.keys())):
        row, wanted = there.get(key), expected.get(key)
        which = "the row " + ", ".join(f"{name} = {value!r}" for name, value in zip(keys, key, strict=True))
        if row is None or wanted is None:
            return CheckedPart(table.name, sound, f"{which} {'is missing' if row is None else 'is not in the journal'}")
        for column, value, right_value in zip(table.columns, row, wanted, strict=True):
            if column.name != left_out and not _same_cell(column.name, value, right_value):
                return CheckedPart(
                    table.name, sound, f"{which} says {column.name} = {value!r}; the journal says {right_value!r}"
                )
    return CheckedPart(table.name, len(expected), note=no_declared)


def _outbox(
    connection: Connection, events: Sequence[Event], plan: CampaignPlan, recorded: RecordedMessages | None
) -> CheckedPart:
    issued = {event.attempt_id: event for event in events if isinstance(event, RequestIssued)}
    waiting = connection.execute(select(OUTBOX).order_by(OUTBOX.c.attempt_id)).all()
    for sound, row in enumerate(waiting):
        if problem := _other_request(row, issued, plan) or _other_sent(row, recorded):
            return CheckedPart(OUTBOX.name, sound, f"attempt {row.attempt_id!r} {problem}")
    return CheckedPart(OUTBOX.name, len(waiting))


def _other_request(row: Any, issued: Mapping[str, RequestIssued], plan: CampaignPlan) -> str:
    if row.attempt_id not in issued:
        return "was never made"
    try:
        request, recipient = decode(row.topic, bytes(row.payload)), str(parse(row.topic).client)
    except MessageError as error:
        return f"is asked for by no message of ours: {error.found}"
    if not isinstance(request, CandidateRequest):
        return f"is asked for by a {request.type}"
    difference = other_than_request(issued[row.attempt_id], recipient, request, plan)
    if difference is None:
        return ""
    return f"is asked for with {difference[0]} = {told(difference[2])}; the journal says {told(difference[1])}"


def _other_sent(row: Any, recorded: RecordedMessages | None) -> str:
    """Tell that what is to be sent once more is not what was sent."""
    sent = () if recorded is None else recorded.requests.get(row.attempt_id, ())
    if not sent or digest_of(bytes(row.payload)) in {each.digest for each in sent}:
        return ""
    return f"is asked for otherwise than row {sent[0].row} of the recording asks for it"
