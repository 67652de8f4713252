"""An attempt goes to the lab once, with its set points; again only where it did not arrive, or where that is safe."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from protocols.link.transport import (
    LinkLost,
    NobodyListens,
    NotSent,
    PublishRefused,
    Reply,
)
from protocols.mapping.sending import REPEAT_CHECK_S
from tests.support.mapping.links import Link, ask, mapped
from tests.support.mapping.samples import asked
from tests.support.virtual_loop import run_in_virtual_time


async def test_quality_retaining_and_where_the_answer_is_wanted_go_with_it() -> None:
    wanted: dict[str, Any] = {
        "request__qos": 0, "request__retain": True, "repeat": {"safe": True},
        "request__response_topic": "lab/{instrument}/done", "result__correlate_by": "correlation_data",
        "result__id": None,
    }  # fmt: skip
    async with mapped(**wanted) as (link, transport):
        await ask(transport)
        assert [told for _, _, told in link.sent] == [
            {"retain": True, "qos": 0, "reply": Reply("lab/F1/done", b"u-d1-a1")}
        ]


@pytest.mark.parametrize("plain", [False, True])
async def test_correlation_data_that_cannot_travel_is_an_error_that_says_so(plain: bool) -> None:
    wanted: dict[str, Any] = {
        "request__response_topic": "lab/{instrument}/done", "result__correlate_by": "correlation_data",
        "result__id": None,
    }  # fmt: skip
    async with mapped(link=Link(carries_properties=False), plain=plain, **wanted) as (_, transport):
        with pytest.raises(PublishRefused, match=r"3\.1\.1"):
            await ask(transport)


async def test_a_link_without_properties_carries_all_else() -> None:
    async with mapped(plain=True) as (link, transport):
        await ask(transport)
        assert [topic for topic, _, _ in link.sent] == ["lab/F1/run"]


async def test_a_request_is_sent_once_also_where_the_agent_repeats_it_or_starts_again() -> None:
    async with mapped(sent=("u-d0-a1",)) as (link, transport):
        for attempt_id in ("u-d0-a1", "u-d1-a1", "u-d1-a1"):
            await ask(transport, attempt_id)
        assert [json.loads(payload)["job"] for _, payload, _ in link.sent] == ["u-d1-a1"]


@pytest.mark.parametrize("error", [NotSent(), NobodyListens(), PublishRefused("lab/F1/run", "not authorised")])
async def test_a_request_that_did_not_arrive_is_sent_again(error: Exception) -> None:
    async with mapped() as (link, transport):
        link.refuses = error
        with pytest.raises(type(error)):
            await ask(transport)
        link.refuses = None
        await ask(transport)
        assert len(link.sent) == 1


async def test_a_request_that_may_have_arrived_is_not_sent_again_unless_the_lab_looks_at_its_id() -> None:
    async with mapped() as (link, transport):
        link.refuses = LinkLost()
        await ask(transport)
        link.refuses = None
        await ask(transport)
        assert link.sent == []
    async with mapped(repeat={"safe": True}) as (link, transport):
        link.refuses = LinkLost()
        with pytest.raises(LinkLost):
            await ask(transport)
        link.refuses = None
        await ask(transport)
        assert len(link.sent) == 1


async def test_set_points_that_were_lost_are_written_again_with_their_request() -> None:
    points = {"t": {"topic": "sp/{instrument}", "payload": "number", "fields": {"value": "feature.temperature"}}}
    async with mapped(setpoints=points) as (link, transport):
        link.refuses = LinkLost()
        with pytest.raises(LinkLost):
            await ask(transport)
        link.refuses = None
        await asyncio.gather(ask(transport), ask(transport, "u-d2-a1"))
        assert [topic for topic, _, _ in link.sent] == ["sp/F1", "lab/F1/run", "sp/F1", "lab/F1/run"]


async def test_a_lab_that_carries_out_each_attempt_once_may_be_asked_again() -> None:
    async with mapped(repeat={"safe": True}) as (link, transport):
        await ask(transport)
        await ask(transport)
        assert len(link.sent) == 2


def test_what_stays_silent_is_repeated_more_and_more_rarely_until_it_is_answered() -> None:
    async def silence() -> list[float]:
        attempts, times = asked(("u-d1-a1", "c1"), ("u-d2-a1", "c2")), list[float]()
        async with mapped(attempts, repeat={"safe": True, "after_s": 10, "times": 2}) as (link, transport):
            began = asyncio.get_running_loop().time()
            await ask(transport)
            await ask(transport, "u-d2-a1")
            attempts.close("u-d2-a1")
            for _ in range(100):
                before = len(link.sent)
                await asyncio.sleep(REPEAT_CHECK_S)
                if len(link.sent) > before:
                    times.append(asyncio.get_running_loop().time() - began)
        return times

    first, second = run_in_virtual_time(silence(), seed=1)
    assert first == pytest.approx(10.0, abs=2 * REPEAT_CHECK_S)
    assert second == pytest.approx(30.0, abs=3 * REPEAT_CHECK_S)


async def test_attempts_that_are_over_are_forgotten_and_those_in_flight_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("protocols.mapping.sending.MAX_TIMES_KNOWN", 2)
    attempts = asked(("u-d1-a1", "c1"), ("u-d2-a1", "c2"), ("u-d3-a1", "c3"))
    async with mapped(attempts) as (link, transport):
        for attempt_id in ("u-d1-a1", "u-d2-a1"):
            await ask(transport, attempt_id)
        attempts.close("u-d2-a1")
        await ask(transport, "u-d3-a1")
        await ask(transport, "u-d1-a1")
        assert [json.loads(payload)["job"] for _, payload, _ in link.sent] == ["u-d1-a1", "u-d2-a1", "u-d3-a1"]
