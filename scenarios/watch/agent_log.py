"""What the agent's log tells and its journal does not: how long policy and commits take. Only the log's end is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from agent.run_files import LOG
from scenarios.observe.figures import Timing

TAIL_BYTES: Final = 256 * 1024
"""How much of the log's end is looked through [byte]: the agent says it every half minute, and when it ends."""

MARK: Final = b'"event": "timings"'


def timings_in(folder: Path) -> tuple[Timing | None, Timing | None]:
    """Return how long deciding and committing took, as the agent of a run folder said last; None where it did not.

    Args:
        folder: Of the run.
    """
    try:
        with (folder / LOG).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read(TAIL_BYTES).splitlines()
    except OSError:
        return None, None
    told = next((found for line in reversed(lines) if MARK in line and (found := _object(line))), {})
    return _timing(told, "decisions", "deciding_s"), _timing(told, "commits", "committing_s")


def _timing(told: dict[str, Any], count: str, sum_s: str) -> Timing | None:
    try:
        return Timing(int(told[count]), float(told[sum_s]))
    except (KeyError, TypeError, ValueError):
        return None


def _object(line: bytes) -> dict[str, Any]:
    """Return what a line holds; nothing of one that is torn."""
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
