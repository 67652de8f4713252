"""What `--dry-run` prints: for people, and for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from scenarios.run.before.dry_run import DryRun, PlannedRequest

DRY_RUN_FORMAT: Final = 1
"""Version of the JSON that `dry_run_json` makes."""

MAX_SHOWN: Final = 10
"""Most requests that are shown to people; `--json` has them all."""

MAX_PAYLOAD_SHOWN: Final = 2_000
"""Longest payload that is shown whole [character]: the rest of a crystal of hundreds of atoms tells nobody anything."""


def dry_run_json(found: DryRun) -> str:
    """Return a dry run as JSON."""
    tree = {
        "format": DRY_RUN_FORMAT,
        "campaign": found.campaign,
        "broker": found.broker,
        "real_lab": found.leave.real,
        "broker_is_listed": found.leave.is_listed,
        "requests": [
            {
                "topic": each.topic,
                "payload": each.content,
                "not_before": None if each.not_before is None else each.not_before.isoformat(),
                "takes": dict(each.takes),
            }
            for each in found.requests
        ],
        "ended": found.ended,
        "barred": dict(found.barred),
        "left": dict(found.left),
    }
    return json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False)


def dry_run_in_words(found: DryRun) -> RenderableType:
    """Lay a dry run out for a terminal."""
    parts: list[RenderableType] = [Text.assemble((found.campaign, "bold"), f" at {found.broker}: nothing was sent")]
    parts += [Text(line, "yellow") for line in _warnings(found)]
    for number, each in enumerate(found.requests[:MAX_SHOWN], 1):
        parts += ["", Text.assemble((f"{number}. ", "bold"), (each.topic, "bold"), _remark(each, found))]
        parts.append(Text(_payload(each)))
    if (more := len(found.requests) - MAX_SHOWN) > 0:
        parts.append(Text(f"… and {more} more; --json shows all"))
    if not found.requests:
        parts.append(Text(f"nothing would be asked for{f': {found.ended}' if found.ended else ''}"))
    if any(True for _ in _limits(found)):
        parts += ["", *map(Text, _limits(found))]
    return Group(*parts)


def _warnings(found: DryRun) -> Iterator[str]:
    if found.leave.real:
        yield f"it needs --live: {found.leave.real}"
        if not found.leave.is_listed:
            yield f"and {found.leave.place} in live.brokers"


def _remark(planned: PlannedRequest, found: DryRun) -> str:
    told = [
        f"{amount:g} {found.units.get(name, '')}".rstrip() + f" of {name}" for name, amount in planned.takes.items()
    ]
    takes = f", takes {', '.join(told)}" if told else ""
    when = "" if planned.not_before is None else f", not before {planned.not_before:%Y-%m-%d %H:%M:%S} UTC"
    return f"{when}{takes}"


def _payload(planned: PlannedRequest) -> str:
    text = json.dumps(planned.content, indent=2, ensure_ascii=False)
    return text if len(text) <= MAX_PAYLOAD_SHOWN else f"{text[:MAX_PAYLOAD_SHOWN]}… ({len(text)} characters)"


def _limits(found: DryRun) -> Iterator[str]:
    for reason, count in found.barred.items():
        yield f"{count} candidate{'s' * (count != 1)} may not be asked for: {reason}"
    for name, amount in found.left.items():
        yield f"left of {name} then: {amount:g} {found.units.get(name, '')}".rstrip()
