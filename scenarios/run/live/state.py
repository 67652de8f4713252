"""A moment of a run, as the live view shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.campaign.gap_progress import Finding
from agent.entropy.best import Best
from agent.entropy.bias import BiasPoint

Phase = Literal["preparing", "running", "paused", "finishing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """A moment of a run.

    Attributes:
        campaign: Its name.
        policy: The policy.
        phase: What it is at.
        observation: Results accepted.
        budget: Requests allowed.
        spent: Requests that counted.
        elapsed_s: Since the first decision [s].
        per_second: Results accepted per second; None when not known yet.
        bias: The bias now.
        before: The bias of the start set.
        best: The best that each figure was.
        found: What holds of the mean gap now: that it is even, or that it has stalled.
        last_decision: The candidate chosen last, and why.
        in_flight: Candidate, family, attempt and seconds since it was sent.
        retries: Second and further attempts.
        quarantined: Messages that were not ours.
        unproven: Of these, messages that were not signed, or not rightly, and should have been.
        duplicates: Results that had come before.
        contradictions: Results that say something else than the first one of their attempt.
        broker: The broker's address, without a password.
        connected: Whether it can be reached now.
        link_trouble: Why not, as far as it is known.
        waiting_for: Instruments that hold requests and are not there, and approvals that decisions wait for.
        held: Why nothing is asked now, or nothing taken either, though nobody paused it.
        course: Observation and figure, ascending: how the leading figure went.
        course_of: Which figure that is, with its unit.
    """

    campaign: str
    policy: str
    phase: Phase
    observation: int
    budget: int
    spent: int
    elapsed_s: float
    per_second: float | None = None
    bias: BiasPoint | None = None
    before: BiasPoint | None = None
    best: tuple[Best, ...] = ()
    found: Finding | None = None
    last_decision: str = ""
    in_flight: tuple[tuple[str, str, int, float], ...] = ()
    retries: int = 0
    quarantined: int = 0
    unproven: int = 0
    duplicates: int = 0
    contradictions: int = 0
    broker: str = ""
    connected: bool = True
    link_trouble: str = ""
    waiting_for: tuple[str, ...] = ()
    held: str = ""
    course: tuple[tuple[int, float | None], ...] = ()
    course_of: str = ""
