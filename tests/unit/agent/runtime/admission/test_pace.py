"""Requests have one turn each, in their order, at their pace, over restarts too; hours hold for repetitions as well."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.campaign.limits.pace import PaceLimits
from agent.runtime.admission.pace import Pace, TurnMemory
from protocols.errors import StoreError
from tests.support.virtual_loop import run_in_virtual_time

BEGIN = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
TWO_AN_HOUR = PaceLimits(requests_per_hour=2)
HOURS = PaceLimits(hours=("08:00-09:00",), time_zone="UTC")


class Bench:
    """A pace in virtual time, and when each request went out [s after the begin]."""

    def __init__(self, limits: PaceLimits, memory: Path | None = None, **options: Any) -> None:
        self.wanted, self.paused = True, False
        self.out: dict[str, float] = {}
        self.begun: list[str] = []
        """The attempts whose clock was started, in order."""
        self.told: list[str] = []
        self.pace = Pace(
            limits,
            TurnMemory(memory),
            clock=lambda: BEGIN + timedelta(seconds=asyncio.get_running_loop().time()),
            is_paused=lambda: self.paused,
            on_event=lambda name, **_fields: self.told.append(name),
            **options,
        )
        self.pace.on_turn = self.begun.append

    async def send(self, *attempts: str) -> list[bool]:
        return await asyncio.gather(*map(self._send, attempts))

    async def _send(self, attempt_id: str) -> bool:
        went = await self.pace.turn(attempt_id, lambda: self.wanted)
        if went:
            self.out[attempt_id] = asyncio.get_running_loop().time()
        return went


def play(work: Callable[[], Awaitable[Any]]) -> None:
    async def whole() -> None:
        await work()

    run_in_virtual_time(whole(), seed=None)


def test_without_a_pace_a_request_goes_out_at_once_and_nothing_is_noted() -> None:
    bench = Bench(PaceLimits())

    async def work() -> None:
        assert await bench.send("a", "b", "c") == [True, True, True]
        assert bench.begun == []  # its clock runs already

    play(work)


def test_requests_go_out_at_their_pace_in_their_order(tmp_path: Path) -> None:
    bench = Bench(TWO_AN_HOUR, tmp_path / "pace.json")

    async def work() -> None:
        await bench.send("d", "c", "b", "a")

    play(work)
    assert list(bench.out) == ["d", "c", "b", "a"]
    assert [round(each) for each in bench.out.values()] == [0, 0, 3600, 3600]
    assert bench.told == ["sending_waits", "sending_goes_on"]
    assert bench.pace.reason == ""


def test_one_that_waits_is_held_and_why_is_told() -> None:
    bench = Bench(TWO_AN_HOUR)

    async def work() -> None:
        sending = asyncio.create_task(bench.send("a", "b", "c"))
        await asyncio.sleep(10)
        assert [bench.pace.is_held(each) for each in "abc"] == [False, False, True]
        assert bench.pace.reason == "requests go out again at 2026-11-30 08:00:00 UTC"
        await sending
        assert not bench.pace.is_held("c")

    play(work)


def test_a_process_that_is_started_again_keeps_the_pace(tmp_path: Path) -> None:
    memory = tmp_path / "pace.json"
    first, second = Bench(TWO_AN_HOUR, memory), None

    async def work() -> None:
        nonlocal second
        await first.send("a", "b")
        second = Bench(TWO_AN_HOUR, memory)
        await asyncio.sleep(600)
        await second.send("a", "c")  # what had its turn has it again

    play(work)
    assert second is not None
    assert second.begun == ["c"], "a repetition that waits for nothing starts no clock"
    assert {each: round(at) for each, at in second.out.items()} == {"a": 600, "c": 3600}


def test_a_turn_is_written_down_before_the_request_goes_out(tmp_path: Path) -> None:
    memory = tmp_path / "pace.json"
    bench = Bench(TWO_AN_HOUR, memory)
    seen: list[list[str]] = []
    bench.pace.on_turn = lambda _attempt_id: seen.append(list(json.loads(memory.read_text())))

    async def work() -> None:
        await bench.send("a", "b", "c")

    play(work)
    assert seen == [["a"], ["a", "b"], ["c"]]  # the first two count no more after an hour


def test_hours_hold_for_new_ones_and_for_repetitions() -> None:
    bench = Bench(HOURS, had_turn=["b"])

    async def work() -> None:
        await bench.send("a", "b")

    play(work)
    assert {each: round(at) for each, at in bench.out.items()} == {"a": 3600, "b": 3600}


def test_while_the_campaign_is_paused_nothing_new_goes_out() -> None:
    bench = Bench(TWO_AN_HOUR, had_turn=["b"])

    async def work() -> None:
        bench.paused = True
        sending = asyncio.create_task(bench.send("a", "b"))
        await asyncio.sleep(60)
        assert (list(bench.out), bench.pace.reason) == (["b"], "the campaign is paused")
        bench.paused = False
        await sending

    play(work)
    assert list(bench.out) == ["b", "a"]


def test_what_nobody_wants_any_more_has_no_turn_and_takes_none() -> None:
    bench = Bench(TWO_AN_HOUR)

    async def work() -> None:
        await bench.send("a", "b")
        sending = asyncio.create_task(bench.send("c"))
        await asyncio.sleep(60)
        bench.wanted = False
        assert await sending == [False]
        bench.wanted = True
        await bench.send("d")

    play(work)
    assert {each: round(at) for each, at in bench.out.items()} == {"a": 0, "b": 0, "d": 3600}


@pytest.mark.parametrize("content", ["", "[]", '{"a": 3', '{"a": "yesterday"}', '{"a": "2026-11-30T08:00:00"}'])
def test_a_memory_that_cannot_be_read_stops_the_start_with_what_to_do(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pace.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=r"when requests were sent is not known.*delete it"):
        TurnMemory(path)


def test_a_memory_of_impossible_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.runtime.admission.pace.MAX_MEMORY_BYTES", 1)
    (tmp_path / "pace.json").write_text("{}")
    with pytest.raises(StoreError, match="too large"):
        TurnMemory(tmp_path / "pace.json")
