"""A dry run is told with what it needs before it may be real."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from rich.console import Console

from scenarios.run.before.dry_run import DryRun, PlannedRequest
from scenarios.run.before.leave import Leave
from scenarios.run.before.report import MAX_SHOWN, dry_run_in_words, dry_run_json

AT = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
REQUEST = PlannedRequest("entropilot/v1/c/request/furnace", b'{"candidate_id": "\xce\xb1"}', AT, {"Pd": 1.5})


def dry_run(*requests: PlannedRequest, real: str = "", ended: str = "") -> DryRun:
    leave = Leave(real, "broker.lab:8883", is_listed=False)
    return DryRun("c", "mqtts://broker.lab", leave, requests, ended, {"it holds Pb": 2}, {"Pd": 3.25}, {"Pd": "mg"})


def words(found: DryRun) -> str:
    console = Console(width=200, color_system=None, highlight=False)
    with console.capture() as captured:
        console.print(dry_run_in_words(found))
    return captured.get()


def test_people_read_topic_time_cost_and_payload_and_what_is_lacking() -> None:
    told = words(dry_run(REQUEST, real="furnace says that it is not simulated"))
    assert "c at mqtts://broker.lab: nothing was sent" in told
    assert "it needs --live: furnace says that it is not simulated" in told
    assert "and broker.lab:8883 in live.brokers" in told
    assert "1. entropilot/v1/c/request/furnace, not before 2026-12-01 08:00:00 UTC, takes 1.5 mg of Pd" in told
    assert '"candidate_id": "α"' in told
    assert "2 candidates may not be asked for: it holds Pb" in told
    assert "left of Pd then: 3.25 mg" in told


def test_of_many_requests_people_see_some_and_programs_all() -> None:
    many = dry_run(*([REQUEST] * (MAX_SHOWN + 3)))
    assert "… and 3 more; --json shows all" in words(many)
    told = json.loads(dry_run_json(many))
    assert len(told["requests"]) == MAX_SHOWN + 3
    assert told["requests"][0] == {
        "topic": REQUEST.topic, "payload": {"candidate_id": "α"}, "not_before": AT.isoformat(), "takes": {"Pd": 1.5},
    }  # fmt: skip


def test_where_nothing_would_be_asked_for_people_read_why() -> None:
    assert "nothing would be asked for: the budget is spent" in words(dry_run(ended="the budget is spent"))
    assert "--live" not in words(dry_run())
