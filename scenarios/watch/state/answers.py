"""Answers to what takes time (why, what if, the whole check, two runs beside each other), and what an order came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from scenarios.watch.state.model import Number, Shown, Time

AnswerStatus = Literal["computing", "ready", "failed"]
"""Where the answer of a question is; `computing` covers waiting for one that is under way."""


class Explanation(Shown):
    """Why a decision was made, and whether it would be made again."""

    decision: int
    """Its number."""
    status: AnswerStatus
    """Where the answer is."""
    same_today: bool | None = None
    """Whether the same comes out today; null where it was not asked again."""
    words: tuple[str, ...] = ()
    """For people, a line each."""
    document: Mapping[str, Any] | None = None
    """What `entropilot why --json` says."""
    error: str = ""
    """Why there is none."""


class WhatIf(Shown):
    """What another policy would have done from a decision on, on the answers that were recorded."""

    policy: str
    """Which."""
    from_decision: int
    """The first decision that it makes."""
    status: AnswerStatus
    """Where the answer is."""
    measured: int | None = None
    """How many values it has in the end, the start set beside them not counted."""
    unknown: int | None = None
    """How many of its choices had no recorded answer."""
    first_difference: int | None = None
    """The first decision that differs; null where none does."""
    trajectory: Mapping[str, tuple[Number, ...]] = Field(default_factory=dict)
    """Columns by name, with `observation` first: the figures of the trajectory that it makes."""
    error: str = ""
    """Why there is none."""


class Verified(Shown):
    """What the whole check of a run found."""

    status: AnswerStatus
    """Where the answer is."""
    is_sound: bool | None = None
    """Whether nothing is wrong."""
    parts: tuple[str, ...] = ()
    """What was checked, a sentence each."""
    problems: tuple[str, ...] = ()
    """What is wrong, a sentence each."""
    error: str = ""
    """Why it could not be checked."""


class ComparedMetric(Shown):
    """A figure of two runs."""

    left: Number
    """Of the first run, now."""
    right: Number
    """Of the second."""
    lower_is_better: bool
    """Which way is good."""
    unit: str
    """Of both."""


class Comparison(Shown):
    """Two runs beside each other."""

    left: str
    """Key of the first."""
    right: str
    """Key of the second."""
    same: bool
    """Whether all decisions of both are the same, as far as both go."""
    compared: int
    """How many decisions that are."""
    first_difference: int | None = None
    """The first decision that differs; null where none does."""
    words: tuple[str, ...] = ()
    """What differs there, and what must be known to compare them, a sentence each."""
    metrics: Mapping[str, ComparedMetric] = Field(default_factory=dict)
    """The figures that both have, by name, at the last observation that both have."""
    observation: int | None = None
    """That observation."""


class ControlAnswer(Shown):
    """An order of an operator, and what came of it."""

    message_id: str
    """Names the order for ever."""
    action: str
    """What was asked for."""
    words: str = ""
    """The same for people."""
    sent_at: Time = None
    """When it was sent."""
    status: Literal["sent", "accepted", "duplicate", "refused", "no_answer", "not_sent"]
    """What came of it."""
    detail: str = ""
    """Why, in words."""
    row: int | None = None
    """The journal's row that it made."""
    operator: str = ""
    """Who asked."""


class Problem(Shown):
    """What is wrong, in place of an answer."""

    found: str
    """What was found."""
    expected: str = ""
    """What was expected."""
    action: str = ""
    """What to do about it."""
