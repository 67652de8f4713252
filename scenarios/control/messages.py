"""Orders become messages: a table of values or of new candidates makes as many as the bounds of one need. Pure.

Each message is carried out whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from protocols.errors import SettingsError
from protocols.wire.limits import MAX_ADDED_RESULTS, MAX_NEW_CANDIDATES, MAX_PAYLOAD_BYTES
from protocols.wire.messages import AddedCandidate, AddedResult, Control, ControlAction
from scenarios.control.orders import Order

HEADROOM_BYTES: Final = 8 * 1024
"""What a message of several parts keeps for all else than these [byte]: a reason of 500 characters and the ids, each
character of them up to six bytes, take half of it."""

ID_DIGITS: Final = 32
"""Hexadecimal digits of the ids of messages that a table makes: as many as a fresh id has."""


def orders_of_results(results: Sequence[AddedResult], places: Sequence[str]) -> list[Order]:
    """Return the orders that add values: as few as their bounds allow.

    Args:
        results: The values.
        places: Where each stands, as a person counts.
    """
    return [
        Order(ControlAction.ADD_OBSERVATIONS, _span("value", len(part), places, start), {"quantities": part})
        for start, part in _parts(results, MAX_ADDED_RESULTS, places)
    ]


def orders_of_candidates(candidates: Sequence[AddedCandidate], places: Sequence[str]) -> list[Order]:
    """Return the orders that add candidates: as few as their bounds allow.

    Args:
        candidates: The new ones.
        places: Where each stands, as a person counts.

    Raises:
        SettingsError: When one alone is too large for a message.
    """
    return [
        Order(ControlAction.ADD_CANDIDATES, _span("candidate", len(part), places, start), {"candidates": part})
        for start, part in _parts(candidates, MAX_NEW_CANDIDATES, places)
    ]


def as_message(
    order: Order, *, campaign: str, operator: str, reason: str, message_id: str, sent_at: datetime, is_one_of: bool
) -> Control:
    """Return the message of an order.

    Args:
        order: What is asked for.
        campaign: Of whom.
        operator: By whom.
        reason: Why.
        message_id: That of the command: the same for a repetition.
        sent_at: When.
        is_one_of: Whether the command gives several orders: then each has an id of its own, made of what it asks for,
            so that one that is corrected is another one, and the others are still the same.
    """
    message = Control(
        campaign=campaign,
        message_id=message_id,
        sent_at=sent_at,
        action=order.action,
        operator=operator,
        reason=reason,
        **order.fields,
    )
    return message.model_copy(update={"message_id": _id_of_part(message_id, message)}) if is_one_of else message


def _id_of_part(message_id: str, message: Control) -> str:
    content = message.model_dump_json(include={"action", "quantities", "candidates"}, exclude_none=True)
    return hashlib.sha256(f"{message_id}/{content}".encode()).hexdigest()[:ID_DIGITS]


def _parts(items: Sequence[Any], most: int, places: Sequence[str]) -> list[tuple[int, tuple[Any, ...]]]:
    """Divide what is added into parts that fit a message each; return them with where they begin."""
    parts: list[tuple[int, tuple[Any, ...]]] = []
    begin, size = 0, 0
    for place, each in enumerate(items):
        own = _size(each)
        if own > MAX_PAYLOAD_BYTES - HEADROOM_BYTES:
            raise SettingsError(
                f"What stands in {places[place]} takes {own} bytes of a message",
                expected=f"at most {MAX_PAYLOAD_BYTES - HEADROOM_BYTES}",
                action="leave it out, or describe it in fewer words",
            )
        if place > begin and (place - begin == most or size + own > MAX_PAYLOAD_BYTES - HEADROOM_BYTES):
            parts.append((begin, tuple(items[begin:place])))
            begin, size = place, 0
        size += own
    return [*parts, (begin, tuple(items[begin:]))]


def _size(item: BaseModel) -> int:
    return len(item.model_dump_json(exclude_none=True).encode()) + 1


def _span(what: str, count: int, places: Sequence[str], start: int) -> str:
    """Return what an order is about that was made of rows of a table."""
    first, last = places[start], places[start + count - 1]
    return f"1 {what} ({first})" if count == 1 else f"{count} {what}s ({first} to {last})"
