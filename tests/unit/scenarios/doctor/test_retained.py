"""What a broker keeps is judged by what it does to whoever comes."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import Control, ControlAction, Health, Status
from scenarios.doctor.checks import Verdict
from scenarios.doctor.retained import MOST_NAMED, judge_retained, judge_sessions, online_in

URL = "mqtt://lab"


def envelope(campaign: str = "lab") -> dict[str, Any]:
    return {"campaign": campaign, "message_id": uuid.uuid4().hex, "sent_at": datetime.now(UTC)}


def status(client: str, health: Health, campaign: str = "lab") -> tuple[str, bytes]:
    role: Literal["agent", "simulator"] = "agent" if client == "agent" else "simulator"
    message = Status(**envelope(campaign), client=client, role=role, health=health, instance="memory-1")
    return topic_of(message), encode(message)


def test_who_is_there_is_told_by_statuses_of_the_campaign_and_of_every_campaign() -> None:
    told = dict([
        status("agent", Health.ONLINE),
        status("furnace", Health.OFFLINE),
        status("press", Health.ONLINE, "every-campaign"),
        status("mill", Health.ONLINE, "another"),
    ])  # fmt: skip
    assert online_in(told, "lab") == {"agent", "press"}


@pytest.mark.parametrize("channel", ["request/furnace", "result/furnace", "failure/furnace", "receipt/furnace"])
def test_what_is_said_again_to_whoever_comes_fails(channel: str) -> None:
    (check,) = judge_retained({f"entropilot/v1/lab/{channel}": b"{}"}, "lab", URL)
    assert (check.verdict, check.subject) == (Verdict.FAIL, f"entropilot/v1/lab/{channel}")
    assert f"broker tidy --broker {URL}" in check.action


def test_an_order_that_stays_fails_and_of_many_only_some_are_named() -> None:
    stop = Control(**envelope(), action=ControlAction.STOP)
    assert judge_retained({topic_of(stop): encode(stop)}, "lab", URL)[0].verdict is Verdict.FAIL
    many = {f"entropilot/v1/lab/control/o{number}": b"{}" for number in range(MOST_NAMED + 3)}
    checks = judge_retained(many, "lab", URL)
    assert len(checks) == MOST_NAMED + 1
    assert "3 more" in checks[-1].found


def test_what_nobody_can_read_and_another_agent_of_the_campaign_are_warnings() -> None:
    told = dict([status("agent", Health.ONLINE), ("entropilot/v1/lab/status/furnace", b"garbage"), ("x/y", b"z")])
    told["entropilot/v1/x/y/z"] = b"not ours"
    garbage, agent = judge_retained(told, "lab", URL)
    assert (garbage.verdict, "entropilot/v1/lab/status/furnace" in garbage.subject) == (Verdict.WARN, True)
    assert (agent.verdict, "would give way" in agent.found) == (Verdict.WARN, True)
    (fine,) = judge_retained(dict([status("agent", Health.ONLINE)]), "another", URL)
    assert fine.verdict is Verdict.PASS


def test_sessions_of_parts_that_have_gone_are_a_warning_and_those_of_parts_that_are_there_are_not() -> None:
    assert judge_sessions({}, URL).verdict is Verdict.PASS
    assert judge_sessions(dict([status("furnace", Health.ONLINE)]), URL).verdict is Verdict.PASS
    gone = judge_sessions(dict([status("furnace", Health.OFFLINE), status("agent", Health.OFFLINE)]), URL)
    assert gone.verdict is Verdict.WARN
    assert "entropilot-lab-furnace-memory-1" in gone.found
    assert "operator" not in gone.found
