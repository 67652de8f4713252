"""A span as a plain value, and the names that the spans of an attempt have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ATTEMPT: Final = "attempt"
"""From the decision to the commit of the answer: the root."""

DECIDE: Final = "decide"
"""The policy is asked, and answers."""

SEND: Final = "send"
"""The request goes out, until the broker has it."""

EVALUATE: Final = "evaluate"
"""The instrument works, from its commit that it begins to the commit of its answer."""

COMMIT: Final = "commit"
"""The agent writes the answer, and all that follows from it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an attempt's life.

    Attributes:
        attempt_id: Whose.
        name: Which part.
        start_ns: When it began [ns since 1970].
        end_ns: When it ended.
        parent: Name of the part that it is in; empty of the root.
        attributes: What there is to say of it.
        error: Why it failed; empty where it did not.
    """

    attempt_id: str
    name: str
    start_ns: int
    end_ns: int
    parent: str = ATTEMPT
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    error: str = ""
