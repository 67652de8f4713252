"""Ids of attempts: `<uid>-d<decision>-<candidate's digest>-a<number>`, and what can be read from them again."""

from __future__ import annotations

import hashlib
from typing import Final

_DECISION_MARK: Final = "-d"
_ATTEMPT_MARK: Final = "-a"

_CANDIDATE_DIGITS: Final = 8
"""Hexadecimal digits of a candidate's SHA-256: it tells apart the candidates of one decision, a few hundred at most."""


def attempt_identity(uid: str, decision: int, candidate_id: str, attempt: int) -> str:
    """Return the id of an attempt: unique for ever, and the same when the same journal decides the same.

    Args:
        uid: Random part of the campaign's ids.
        decision: Number of the decision, from 0.
        candidate_id: What is asked for.
        attempt: Number of the attempt, from 1.
    """
    of_candidate = hashlib.sha256(candidate_id.encode()).hexdigest()[:_CANDIDATE_DIGITS]
    return f"{uid}{_DECISION_MARK}{decision:06d}-{of_candidate}{_ATTEMPT_MARK}{attempt}"


def uid_of(attempt_id: str) -> str:
    """Return the campaign's part of an attempt's id; all of one that is not in this form."""
    return attempt_id.partition(_DECISION_MARK)[0]


def decision_of(attempt_id: str) -> int | None:
    """Return the decision that an attempt belongs to; None for an id that is not in this form."""
    number = attempt_id.partition(_DECISION_MARK)[2].partition("-")[0]
    return int(number) if number.isdecimal() and number.isascii() else None


def number_of(attempt_id: str) -> int | None:
    """Return which attempt of its candidate an id names; None for one that is not in this form."""
    _, mark, number = attempt_id.rpartition(_ATTEMPT_MARK)
    return int(number) if mark and number.isdecimal() and number.isascii() else None
