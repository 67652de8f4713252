"""What is told row by row: the dataset, what was set aside, the journal."""

from __future__ import annotations

from typing import Any

from scenarios.watch.state.model import Number, Shown, Time


class Retraction(Shown):
    """Who took a value out of the dataset, when and why."""

    by: str
    """The operator; empty where the control did not say."""
    at: Time
    """When."""
    why: str
    """In the operator's words."""


class DatasetRow(Shown):
    """A measurement."""

    observation: int | None
    """Number of the observation that it came with; 0 is the start set."""
    sequence: int
    """Number of the journal's row that brought it."""
    at: Time
    """When it came."""
    candidate: str
    """Our id."""
    name: str
    """As the table writes it."""
    family: str
    """Its family."""
    value: Number
    """In `unit`."""
    uncertainty: Number
    """Standard uncertainty of the value; null where none is known."""
    unit: str
    """Of the value."""
    by: str
    """Who measured it."""
    attempt_id: str | None
    """The request that it answers, if it answers one."""
    fidelity: str = ""
    """The method; empty for the usual one."""
    replicate: int = 0
    """Which repetition it is, from 0."""
    retracted: Retraction | None = None
    """Who took it back; null for a value that counts."""
    formula: str = ""
    """Of the candidate; empty where the run does not tell."""


class DatasetPage(Shown):
    """Some rows of the dataset."""

    total: int
    """How many there are in all that fit."""
    offset: int
    """Number of the first row below, from 0."""
    rows: tuple[DatasetRow, ...]
    """The rows."""


class SetAside(Shown):
    """A candidate that is closed without a value that counts."""

    candidate: str
    """Our id."""
    name: str
    """As the table writes it, where the run tells."""
    family: str | None
    """Its family, where the run tells."""
    status: str
    """Abandoned, excluded or retracted."""
    reason: str
    """Why."""
    at: Time
    """When."""
    can_requeue: bool
    """Whether an operator can ask for it again."""


class JournalEntry(Shown):
    """A row of the journal."""

    sequence: int
    """Its number, from 1."""
    at: Time
    """When it was written."""
    kind: str
    """What happened, by name."""
    words: str
    """The same as a person tells it."""
    candidates: tuple[str, ...] = ()
    """The candidates that it is about, by our ids; the first of very many."""
    operator: str = ""
    """Who ordered it; empty where nobody did, or the control did not say."""
    signed_by: str = ""
    """Who signed the message that brought it."""
    message_id: str = ""
    """Of that message."""
    payload: Any = None
    """All that the row holds."""


class JournalPage(Shown):
    """Some rows of the journal."""

    total: int
    """How many rows the journal has."""
    rows: tuple[JournalEntry, ...]
    """In order."""
    next: int | None
    """What `after` of the next page is; null at the end."""
