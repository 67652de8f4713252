"""An instrument with faults answers as its settings say, and the service in between keeps all its promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocols.errors import MessageError
from protocols.wire.codec import decode
from protocols.wire.messages import CandidateFailure, CandidateResult, FailureReason
from protocols.wire.topics import Channel, parse
from simulators.executors.in_place import InPlaceExecutor
from simulators.faults import FaultSettings
from simulators.faulty import faulty
from simulators.outbox import AttemptProgress, Outbox
from tests.support import sample_messages as says
from tests.support.evaluators import Constant
from tests.support.lab import Lab, until
from tests.support.memory_bus import MemoryBus


def lab_with(folder: Path, *, resend_s: float = 60.0, **faults: Any) -> Lab:
    """A lab whose answers are not repeated while a test looks, unless it says so."""
    return Lab(folder, resend_min_s=resend_s, resend_max_s=resend_s, faults=FaultSettings(**faults))


def on_the_result_topic(lab: Lab) -> list[bytes]:
    return [message.payload for _, message in lab.bus.log if parse(message.topic).channel is Channel.RESULT]


async def results(lab: Lab, number: int) -> list[bytes]:
    """Ask once, and return the first so many payloads on the result topic."""
    executor = InPlaceExecutor(Constant(2.0))
    async with lab.agent(), lab.simulator(executor):
        await lab.ask(says.request("a-1"))
        await until(lambda: len(on_the_result_topic(lab)) >= number)
    return on_the_result_topic(lab)


def values(payloads: list[bytes]) -> list[float]:
    topic = f"entropilot/v1/{says.CAMPAIGN}/result/{says.SIMULATOR}"
    messages = [decode(topic, payload) for payload in payloads]
    return [message.quantities[0].value for message in messages if isinstance(message, CandidateResult)]


def test_without_faults_executor_and_link_are_left_as_they_are() -> None:
    executor, link = InPlaceExecutor(Constant()), MemoryBus().transport("sim", ())
    assert faulty(executor, link, FaultSettings(late_by_s=3.0), lambda *_: None) == (executor, link)


async def test_a_failing_attempt_is_answered_by_a_failure_that_another_attempt_may_mend(tmp_path: Path) -> None:
    evaluator = Constant()
    lab = lab_with(tmp_path, failure_rate=1.0)
    async with lab.agent(), lab.simulator(InPlaceExecutor(evaluator)):
        await lab.ask(says.request("a-1"))
        answer = await lab.answer()
    assert isinstance(answer, CandidateFailure)
    assert answer.reason is FailureReason.CALCULATION_FAILED
    assert evaluator.asked == []


async def test_a_silent_attempt_is_done_and_never_answered(tmp_path: Path) -> None:
    lab = lab_with(tmp_path, silent_rate=1.0)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())) as service:
        await lab.ask(says.request("a-1"))
        await until(lambda: service.counts["silent"] == 1)
    assert lab.answers_sent() == []
    outbox = Outbox.open(lab.url)
    assert (outbox.find("a-1") or [None])[0] is AttemptProgress.DELIVERED
    outbox.close()


async def test_a_late_answer_is_held_back_and_its_repetitions_with_it(tmp_path: Path) -> None:
    lab = lab_with(tmp_path, resend_s=0.01, late_rate=1.0, late_by_s=1.0)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(2.0))) as service:
        await lab.ask(says.request("a-1"))
        await until(lambda: service.counts["repeated answers"] >= 3)
        assert on_the_result_topic(lab) == [], "the repetitions were held back too"
        answer = await lab.answer("a-1")
        assert isinstance(answer, CandidateResult)
        await lab.settled(service, "a-1")
    assert set(values(on_the_result_topic(lab))) == {2.0}


async def test_a_duplicate_is_the_same_message_twice(tmp_path: Path) -> None:
    first, second = await results(lab_with(tmp_path, duplicate_rate=1.0), 2)
    assert first == second


async def test_a_contradiction_follows_what_counts(tmp_path: Path) -> None:
    payloads = await results(lab_with(tmp_path, contradiction_rate=1.0), 2)
    assert values(payloads) == [2.0, 5.0]


async def test_garbage_follows_what_counts(tmp_path: Path) -> None:
    answer, garbage = await results(lab_with(tmp_path, garbage_rate=1.0), 2)
    assert values([answer]) == [2.0]
    with pytest.raises(MessageError) as refused:
        values([garbage])
    assert refused.value.reason == "not_json"


async def test_a_value_out_of_range_is_the_answer_itself(tmp_path: Path) -> None:
    (value,) = values(await results(lab_with(tmp_path, out_of_range_rate=1.0), 1))
    assert abs(value) > 1e9
