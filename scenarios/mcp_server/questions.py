"""Questions that take seconds of calculation: why, what if, two runs side by side. One at a time; nothing is written.

A policy is named here as it comes with Entropilot, or as an installed package brings it: a path or a module that a
model names is code that somebody else would choose, and is refused.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Final

from agent.acquisition.built_in import BUILT_IN
from protocols.errors import SettingsError
from protocols.settings.plug_ins import POLICIES, plug_in_names
from protocols.settings.suggestions import did_you_mean
from scenarios.diff.diff import diff, load_journal
from scenarios.diff.report import diff_json, verdict
from scenarios.display.progress import no_progress
from scenarios.sources.recording_source import named_source
from scenarios.sources.scenario import Overrides, layered_over
from scenarios.what_if.report import what_if_json
from scenarios.what_if.what_if import what_if as play_other
from scenarios.why.as_json import explanation_json
from scenarios.why.why import explain_run

_AT_WORK: Final = threading.Lock()
"""Held by the question that is being answered: two would take twice the memory, and no less time."""


def why(folder: Path, decision: str, database: str | None = None) -> dict[str, Any]:
    """Return why a decision was made, and whether it would be made again.

    Raises:
        EntropilotError: When there is none, or it cannot be explained.
    """
    with _AT_WORK:
        _, explanation = explain_run(str(folder), decision, folder.parent, database, no_progress)
    told: dict[str, Any] = json.loads(explanation_json(explanation))
    return told


def what_if(folder: Path, policy: str) -> dict[str, Any]:
    """Return what another policy would have done with the answers that were recorded.

    Raises:
        SettingsError: When there is no such policy.
        EntropilotError: When the recording cannot be followed.
    """
    known = (*BUILT_IN, *plug_in_names(POLICIES))
    if policy not in known:
        raise SettingsError(
            f"There is no policy {policy[:80]!r}",
            expected=f"one of {', '.join(known)}",
            action=did_you_mean(policy, known) or "name one of these",
        )
    with _AT_WORK:
        source = named_source(str(folder), folder.parent, None, no_progress)
        other = layered_over(source.scenario, f"recording {source.path.name}", Overrides({"policy": policy}))
        told: dict[str, Any] = json.loads(what_if_json(play_other(source, other, None, no_progress)))
    return told


def compare(left: Path, right: Path) -> dict[str, Any]:
    """Return where two runs part, and their figures side by side.

    Raises:
        EntropilotError: When one cannot be read.
    """
    with _AT_WORK:
        found = diff(
            load_journal(str(left), left.parent, no_progress), load_journal(str(right), right.parent, no_progress)
        )
    return {"verdict": verdict(found), **json.loads(diff_json(found))}
