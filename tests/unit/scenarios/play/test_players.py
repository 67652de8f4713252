"""A lab that is played live answers over a link that fails, says who is there, and ends when nobody asks any more."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import BrokerError
from protocols.link.transport import Delivery, LinkUp
from protocols.recording.lines import HEARD
from protocols.recording.writer import RecordingWriter
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import CandidateRequest, CandidateResult, Health, Status
from protocols.wire.topics import PREFIX, Channel, agent_subscriptions, lab_subscriptions
from scenarios.play.link import LiveLink
from scenarios.play.players import LabPlayback, PlaybackStatus, WholePlayer
from scenarios.play.recorded_lab import labs_in
from scenarios.play.schedule import LiveSchedule
from tests.support import sample_messages as messages
from tests.support.lab import PATIENCE_S, until
from tests.support.memory_bus import MemoryBus
from tests.support.samples.recorded import Rows, asking

CAMPAIGN = messages.CAMPAIGN
LAB = "lab"
QUIET_S = 2.0
"""Silence after which it is over: longer than any pause of these tests before they ask."""


class Bench:
    """A bus, a recorded lab that is played onto it, and a client that plays the agent."""

    def __init__(self, rows: Rows, bus: MemoryBus | None = None, until_idle_s: float | None = QUIET_S) -> None:
        self.bus = bus or MemoryBus()
        lab = labs_in(rows)[CAMPAIGN]
        self.player = LabPlayback(
            LiveSchedule(lab, CAMPAIGN, math.inf),
            LiveLink(self.bus.transport(LAB, lab_subscriptions(CAMPAIGN))),
            campaign=CAMPAIGN,
            simulators=lab.simulators,
            until_idle_s=until_idle_s,
        )
        self.heard: list[CandidateResult] = []
        self._agent = self.bus.transport("agent", agent_subscriptions(CAMPAIGN))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[PlaybackStatus]]:
        playing = asyncio.create_task(self.player.run(lambda _playing: None))
        tasks = [asyncio.create_task(self._agent.run()), asyncio.create_task(self._hear())]
        await until(lambda: {LAB, "agent"} <= set(self.bus.sessions))
        try:
            yield playing
        finally:
            for task in (playing, *tasks):
                task.cancel()
            await asyncio.gather(playing, *tasks, return_exceptions=True)

    async def ask(self, request: CandidateRequest) -> None:
        await self._agent.publish(topic_of(request, recipient=messages.SIMULATOR), encode(request))

    async def thank(self, result: CandidateResult) -> None:
        receipt = messages.receipt(result.attempt_id)
        await self._agent.publish(topic_of(receipt), encode(receipt))

    async def _hear(self) -> None:
        while True:
            item = await self._agent.receive()
            if isinstance(item, Delivery):
                self._agent.acknowledge(item)
                with contextlib.suppress(Exception):
                    message = decode(item.topic, item.payload)
                    if isinstance(message, CandidateResult):
                        self.heard.append(message)
            elif isinstance(item, LinkUp):
                pass


def recorded(*candidates: str) -> Rows:
    rows = Rows()
    for candidate in candidates:
        rows.asked(0.0, candidate)
        rows.answered(0.1, candidate)
    return rows


async def finished(playing: asyncio.Task[PlaybackStatus]) -> PlaybackStatus:
    async with asyncio.timeout(PATIENCE_S):
        return await playing


def health(bus: MemoryBus) -> Health:
    topic = f"{PREFIX}/{CAMPAIGN}/{Channel.STATUS.value}/{messages.SIMULATOR}"
    message = decode(topic, bus.retained[topic])
    assert isinstance(message, Status)
    return message.health


def is_online(bench: Bench) -> Callable[[], bool]:
    return lambda: bool(bench.bus.retained) and health(bench.bus) is Health.ONLINE


async def test_it_ends_after_a_silence_even_if_nobody_ever_asks_and_else_waits_for_the_first_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("scenarios.play.players.AGENT_LEFT_S", 0.1)
    bench = Bench(recorded("x"), until_idle_s=0.1)
    async with bench.running() as playing:
        assert (await finished(playing)).played.asked == 0
        assert health(bench.bus) is Health.OFFLINE
    bench = Bench(recorded("x"), until_idle_s=None)
    async with bench.running() as playing:
        await until(is_online(bench))
        await asyncio.sleep(1.0)
        assert not playing.done()


async def test_it_answers_and_ends_when_nobody_asks_any_more() -> None:
    bench = Bench(recorded("x", "y"))
    async with bench.running() as playing:
        await until(is_online(bench))
        for candidate in ("y", "x"):
            await bench.ask(asking(candidate))
        await until(lambda: len(bench.heard) == 2)
        for result in tuple(bench.heard):
            await bench.thank(result)
        played = (await finished(playing)).played
        assert [result.candidate_id for result in bench.heard] == ["y", "x"]
        assert (played.asked, played.answered, played.unknown) == (2, 2, 0)
        assert health(bench.bus) is Health.OFFLINE


async def test_while_the_agent_says_that_it_is_there_silence_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenarios.play.players.AGENT_LEFT_S", 0.3)
    bench = Bench(recorded("x"), until_idle_s=None)
    agent = Status(**_of_agent(Health.ONLINE))
    async with bench.running() as playing:
        await bench._agent.publish(topic_of(agent), encode(agent), retain=True)
        await bench.ask(asking("x"))
        await until(lambda: bool(bench.heard))
        await bench.thank(bench.heard[0])
        await asyncio.sleep(1.0)
        assert not playing.done()
        gone = Status(**_of_agent(Health.OFFLINE))
        await bench._agent.publish(topic_of(gone), encode(gone), retain=True)
        await finished(playing)


async def test_a_link_that_is_cut_costs_no_answer_and_a_broker_without_memory_hears_again_who_is_online() -> None:
    bench = Bench(recorded("x", "y"))
    async with bench.running() as playing:
        await bench.ask(asking("x"))
        await until(lambda: len(bench.heard) == 1)
        bench.bus.stop(forget=True)
        bench.bus.start()
        await until(lambda: all(bench.bus.sessions.get(name) for name in (LAB, "agent")))
        await until(is_online(bench))
        await bench.ask(asking("y"))
        await until(lambda: {each.candidate_id for each in bench.heard} == {"x", "y"})
        for result in tuple(bench.heard):
            await bench.thank(result)
        await finished(playing)


async def test_a_broker_that_refuses_answers_is_an_error_and_other_words_that_it_refuses_are_counted() -> None:
    rows = recorded("x")
    rows.say(0.2, f"{PREFIX}/{CAMPAIGN}/control", b"garbage")
    may_not_control = MemoryBus(may_publish=lambda client, topic: client != LAB or not topic.endswith("control"))
    bench = Bench(rows, may_not_control)
    async with bench.running() as playing:
        await bench.ask(asking("x"))
        await until(lambda: len(bench.heard) == 1)
        await bench.thank(bench.heard[0])
        assert (await finished(playing)).refused == 1
    may_not_answer = MemoryBus(may_publish=lambda client, topic: client != LAB or "/result/" not in topic)
    bench = Bench(rows, may_not_answer)
    async with bench.running() as playing:
        await bench.ask(asking("x"))
        with pytest.raises(BrokerError, match="refuses an answer"):
            await finished(playing)


async def test_of_a_whole_recording_what_has_no_topic_that_mqtt_takes_is_counted_as_refused(tmp_path: Path) -> None:
    path, bus = tmp_path / "recording.jsonl", MemoryBus()
    writer = RecordingWriter(path, {})
    for topic in ("first", "a/#", "", "a/\ud800", "last"):
        writer.write(HEARD, topic, b"{}", retain=False, qos=0)
    writer.close()
    async with asyncio.timeout(PATIENCE_S):
        played = await WholePlayer(path, math.inf, LiveLink(bus.transport(LAB))).run(lambda _playing: None)
    assert [message.topic for _, message in bus.log] == ["first", "last"]
    assert (played.said + played.unheard, played.refused) == (2, 3)


def _of_agent(health: Health) -> dict[str, Any]:
    return messages.status("agent", health).model_dump() | {"role": "agent"}
