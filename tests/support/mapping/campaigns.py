"""Campaigns with a lab of its own messages, as processes; what their journals and recordings hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from scenarios.broker.broker import LOOPBACK
from scenarios.settings.library import MAPPINGS
from tests.support.commands import Part, Workbench, live_at
from tests.support.mapping.devices import Device
from tests.support.mapping.scenarios import BUDGET, SCENARIO

CAMPAIGN = "recipes"

D = TypeVar("D", bound=Device)


@contextmanager
def working(device: D) -> Iterator[D]:
    """Let a device work; it leaves without a word."""
    try:
        yield device
    finally:
        device.end()


def agent(bench: Workbench, port: int, mapping: str | None, *flags: str) -> Part:
    """Start the agent, with a mapping of the library laid over the scenario, or the scenario's own."""
    broker = ("--broker", f"mqtt://{LOOPBACK}:{port}", "--set", "broker.reconnect_min_s=0.1", *live_at(port))
    laid = () if mapping is None else ("--settings", MAPPINGS / f"{mapping}.toml")
    return bench.start("agent", SCENARIO, *laid, *broker, "--campaign", CAMPAIGN, "--quiet", *flags)


def results(bench: Workbench) -> list[dict[str, Any]]:
    """What the journal holds of the results."""
    rows = bench.rows("SELECT payload FROM journal WHERE kind = 'ResultAccepted' ORDER BY sequence", CAMPAIGN)
    return [json.loads(payload) for (payload,) in rows]


def named(candidate_id: str) -> str:
    """Return a candidate's name in the table: `s-07-…` is made of `S 07`."""
    return f"S {candidate_id.split('-')[1]}"


def assert_done(bench: Workbench, ended: Part) -> None:
    """The campaign is over, and what was recorded and kept agrees, event for event."""
    told = ended.finish()
    assert told.code == 0, told.err
    assert bench.summary(CAMPAIGN)["spent"] == BUDGET
    for command in (("verify", CAMPAIGN), ("replay", CAMPAIGN, "--quiet")):
        checked = bench.entropilot(*command)
        assert checked.code == 0, checked.err + checked.out
