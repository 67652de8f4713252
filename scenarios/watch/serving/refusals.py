"""An answer that refuses: a status of HTTP with what was found, expected, and is to be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from protocols.errors import (
    BrokerError,
    EntropilotError,
    NoAnswer,
    NotPossibleNow,
    NotThere,
    OrderRefused,
    SettingsError,
    StoreError,
    TableError,
)
from protocols.extras import ExtraMissingError
from scenarios.watch.broker.order_desk import TooManyOrders
from scenarios.watch.state.answers import Problem


class Refusal(EntropilotError):
    """A request that cannot be answered, with the status that says so.

    Args:
        status: Of HTTP.
        found: What was found.
        expected: What was expected.
        action: What to do about it.
        headers: What the answer says besides.
    """

    def __init__(
        self,
        status: HTTPStatus,
        found: str,
        *,
        expected: str = "",
        action: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status: Final = status
        self.headers: Final = dict(headers or {})
        super().__init__(found, expected=expected, action=action)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent in place of what was asked for.

    Attributes:
        status: Of HTTP.
        problem: Why.
        headers: What the answer says besides.
    """

    status: HTTPStatus
    problem: Problem
    headers: Mapping[str, str] = field(default_factory=dict)


_STATUS_OF: Final[tuple[tuple[type[EntropilotError], HTTPStatus], ...]] = (
    (ExtraMissingError, HTTPStatus.NOT_IMPLEMENTED),
    (NotThere, HTTPStatus.NOT_FOUND),
    (NotPossibleNow, HTTPStatus.CONFLICT),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE),  # away, damaged, or being written: nobody asked amiss
    (BrokerError, HTTPStatus.BAD_GATEWAY),
    (NoAnswer, HTTPStatus.CONFLICT),
    (TooManyOrders, HTTPStatus.TOO_MANY_REQUESTS),
    (OrderRefused, HTTPStatus.CONFLICT),
    (SettingsError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TableError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
"""Kind of error -> status, the first that fits."""


def answer_to(error: EntropilotError) -> Answer:
    """Return what a browser or a program is told of an error."""
    problem = Problem(found=error.found, expected=error.expected, action=error.action)
    if isinstance(error, Refusal):
        return Answer(error.status, problem, error.headers)
    fits = (status for kind, status in _STATUS_OF if isinstance(error, kind))
    return Answer(next(fits, HTTPStatus.CONFLICT), problem)


def not_found(what: str, *, expected: str = "", action: str = "") -> Refusal:
    """Return the refusal of something that is not there."""
    return Refusal(HTTPStatus.NOT_FOUND, what, expected=expected, action=action)
