"""What the worker is asked, and how it travels to its process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Kind = Literal["why", "what_if", "verify"]


@dataclass(frozen=True, slots=True)
class AskedRun:
    """The run that a question is about.

    Attributes:
        folder: Of it.
        database: Of another database than the folder's own, or than it remembers.
        uid: Names the campaign for ever.
        version: Number of the journal's last row when it was asked.
    """

    folder: Path
    database: str | None
    uid: str
    version: int


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        kind: What is asked.
        folder: Of the run.
        database: As of `AskedRun`.
        decision: Number of the decision.
        policy: The other policy, of a what-if.
    """

    kind: Kind
    folder: str
    database: str | None = None
    decision: int = 0
    policy: str = ""

    def frame(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, frame: bytes) -> Question:
        """Return the question of some bytes."""
        told: dict[str, Any] = json.loads(frame)
        return cls(**told)
