"""The dataset as it was at a moment, with what was taken back by then."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from agent.campaign.events import ObservationRetracted
from agent.store.tables import JOURNAL, OBSERVATION
from protocols.errors import NotPossibleNow, SettingsError
from scenarios.watch.reading.history import History
from scenarios.watch.reading.source import MAX_ROWS
from scenarios.watch.reading.values import HeldValue, changed_values
from scenarios.watch.state.tables import DatasetPage, DatasetRow, Retraction

ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "sequence": (OBSERVATION.c.sequence, OBSERVATION.c.candidate_id),
    "name": (OBSERVATION.c.source_id, OBSERVATION.c.candidate_id),
    "family": (OBSERVATION.c.family, OBSERVATION.c.sequence, OBSERVATION.c.candidate_id),
    "value": (OBSERVATION.c.value, OBSERVATION.c.sequence, OBSERVATION.c.candidate_id),
}
"""By what the rows may be ordered, and what settles a tie."""

MAX_CHANGED: Final = 10_000
"""Most candidates whose values were corrected or taken back that are told apart: a database takes no more at once."""


def dataset_page(
    connection: Connection,
    history: History,
    *,
    at: int | None,
    offset: int,
    limit: int,
    family: str | None,
    text: str,
    order: str,
) -> DatasetPage:
    """Return some rows of the dataset; arguments as of `Source.dataset`.

    Raises:
        StoreError: When there is no such observation or order.
    """
    sequence = history.last if at is None else history.row_of_observation(at)
    changed = changed_values(connection, history)
    apart = {each.candidate_id for each in changed}
    if len(apart) > MAX_CHANGED:
        raise NotPossibleNow(
            f"{len(apart):,} values of this run were corrected or taken back",
            expected=f"at most {MAX_CHANGED:,}",
            action="read them from the journal",
        )
    wanted = select(OBSERVATION).where(OBSERVATION.c.sequence <= sequence, *_filters(family, text))
    wanted = wanted.where(OBSERVATION.c.candidate_id.not_in(apart)) if apart else wanted
    others = [_as_row(history, each, sequence) for each in changed if _is_shown(each, sequence, family, text)]
    total = int(connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()) + len(others)
    limit = min(max(limit, 0), MAX_ROWS)
    rows = _merged(connection, wanted, others, order, (max(offset, 0), limit))
    return DatasetPage(total=total, offset=offset, rows=tuple(_shown(connection, history, rows)))


def _filters(family: str | None, text: str) -> Iterator[ColumnElement[bool]]:
    if family is not None:
        yield OBSERVATION.c.family == family
    if text:
        columns = (OBSERVATION.c.candidate_id, OBSERVATION.c.source_id)
        yield or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns))


def _is_shown(value: HeldValue, sequence: int, family: str | None, text: str) -> bool:
    if not (value.holds_at(sequence) or value.was_taken_back_by(sequence)):
        return False
    if family is not None and value.family != family:
        return False
    return not text or any(text.lower() in each.lower() for each in (value.candidate_id, value.name))


def _as_row(history: History, value: HeldValue, sequence: int) -> dict[str, Any]:
    """Return a value, as it was at a row of the journal, as a row of the dataset's view."""
    return {
        "candidate_id": value.candidate_id,
        "sequence": value.begins,
        "family": value.family,
        "value": value.value,
        "unit": history.chronicle.plan.unit,
        "source": value.source,
        "attempt_id": value.attempt_id,
        "source_id": "" if value.name == value.candidate_id else value.name,
        "standard_deviation": value.uncertainty,
        "fidelity": value.fidelity,
        "replicate": value.replicate,
        "retraction": value.retraction if value.was_taken_back_by(sequence) else None,
    }


def _merged(
    connection: Connection,
    wanted: Select[Any],
    others: Sequence[dict[str, Any]],
    order: str,
    window: tuple[int, int],
) -> list[dict[str, Any]]:
    """Return a window of the view's rows with the others in their places."""
    is_reversed, columns = order.startswith("-"), ORDERS.get(order.removeprefix("-"))
    if columns is None:
        raise SettingsError(
            f"The dataset has no order {order!r}", expected=f"one of {', '.join(ORDERS)}, or with a minus"
        )
    names = [column.name for column in columns]
    sort: Callable[[dict[str, Any]], Any] = lambda row: tuple(row[name] for name in names)  # noqa: E731
    offset, limit = window
    first = max(0, offset - len(others))
    ordered = wanted.order_by(*(column.desc() if is_reversed else column for column in columns))
    found = connection.execute(ordered.offset(first).limit(offset - first + limit)).mappings()
    rows = [dict(row) for row in found]
    apart = sorted(others, key=sort, reverse=is_reversed)
    before = 0
    if first and rows:  # those of the others that stand before the first row that was read
        start = sort(rows[0])
        before = sum((sort(each) > start) if is_reversed else (sort(each) < start) for each in apart)
    merged = list(heapq.merge(rows, apart[before:], key=sort, reverse=is_reversed))
    begin = offset - first - before
    return merged[begin : begin + limit] if begin >= 0 else [*apart[begin + before : before], *merged][:limit]


def _shown(connection: Connection, history: History, rows: Sequence[dict[str, Any]]) -> Iterator[DatasetRow]:
    numbers = {row["sequence"] for row in rows}
    when = select(JOURNAL.c.sequence, JOURNAL.c.recorded_at).where(JOURNAL.c.sequence.in_(numbers))
    times = {row.sequence: row.recorded_at for row in connection.execute(when)} if numbers else {}
    plan = history.chronicle.plan
    for row in rows:
        entry = row.get("retraction")
        event = None if entry is None else entry.event
        yield DatasetRow(
            observation=history.course.observation_at(row["sequence"]),
            sequence=row["sequence"],
            at=times.get(row["sequence"]),
            candidate=row["candidate_id"],
            name=row["source_id"] or plan.measurement_of(row["candidate_id"]).candidate_id,
            family=row["family"],
            value=row["value"],
            uncertainty=row["standard_deviation"],
            unit=row["unit"],
            by=row["source"],
            attempt_id=row["attempt_id"],
            fidelity=row["fidelity"],
            replicate=row["replicate"],
            retracted=Retraction(by=event.operator, at=entry.at, why=event.reason)
            if entry is not None and isinstance(event, ObservationRetracted)
            else None,
        )
