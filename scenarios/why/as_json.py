"""An explanation for other programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from agent.campaign.life_cycle import CandidateStatus
from scenarios.why.explanation import Explanation, Verdict

EXPLANATION_FORMAT: Final = 1
"""Version of the JSON that `explanation_json` writes."""


def explanation_json(explanation: Explanation, *, figure: str | None = None) -> str:
    """Return an explanation as JSON; what is not a finite number is null.

    Args:
        explanation: What to write.
        figure: Path of the figure, if one was drawn.
    """
    tree = {"format": EXPLANATION_FORMAT, **dataclasses.asdict(explanation), "figure": figure}
    return json.dumps(_plain(tree), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case CandidateStatus() | Verdict():
            return value.name.lower()
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case float():
            return value if math.isfinite(value) else None
        case str() | int() | None:
            return value
        case _:
            return str(value)  # an option of a user's policy may be anything
