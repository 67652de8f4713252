"""A simulator answers every attempt once, repeats its answer until the receipt, and forgets nothing in between."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import BrokerError, SettingsError, StoreError
from protocols.storage.database import sqlite_url
from protocols.storage.disk_floor import DiskFloor
from protocols.wire.attempt_ids import attempt_identity
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.limits import MAX_PAYLOAD_BYTES
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    Capabilities,
    FailureReason,
    Health,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from protocols.wire.topics import Channel, parse, simulator_subscriptions
from simulators import service as service_module
from simulators.evaluator import EvaluationFailed
from simulators.executors.executor import Executor
from simulators.executors.in_place import InPlaceExecutor
from simulators.instrument.noise import NoiseSettings
from simulators.outbox import AttemptProgress, Outbox
from simulators.service import SimulatorService
from tests.support import sample_messages as messages
from tests.support.evaluators import Constant, Documented, Failing, HeldExecutor, Silent, UnmakableExecutor, energy
from tests.support.lab import PATIENCE_S, RESEND_S, Lab, clock, decoded, until
from tests.support.memory_bus import MemoryBus


def stored(lab: Lab, attempt_id: str) -> AttemptProgress | None:
    """Return how far an attempt is in the database of a simulator that does not run."""
    outbox = Outbox.open(lab.url)
    try:
        known = outbox.find(attempt_id)
        return None if known is None else known[0]
    finally:
        outbox.close()


# --- answers --------------------------------------------------------------------------------------------------------


async def test_a_request_is_answered_with_its_own_names_and_what_was_measured(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))):
        await lab.ask(messages.request("a-1", candidate_id="al-7"))
        answer = await lab.answer()
    assert isinstance(answer, CandidateResult)
    names = (answer.campaign, answer.attempt_id, answer.candidate_id, answer.simulator)
    assert names == (messages.CAMPAIGN, "a-1", "al-7", messages.SIMULATOR)
    assert answer.quantities == energy(-2.5)
    assert answer.duration_s >= 0
    assert answer.sent_at == clock()


async def test_how_it_was_measured_goes_with_the_answer_and_noise_does_not_take_it_away(tmp_path: Path) -> None:
    lab = Lab(tmp_path, noise=NoiseSettings(standard_deviation=0.5))
    async with lab.agent(), lab.simulator(InPlaceExecutor(Documented())):
        await lab.ask(messages.request("a-1"))
        answer = await lab.answer()
    assert isinstance(answer, CandidateResult)
    assert answer.provenance == {"method": "by eye", "steps": 3.0}
    assert answer.quantities[0].standard_deviation == 0.5


async def test_a_lab_of_one_calculator_refuses_to_be_asked_for_another_method(tmp_path: Path) -> None:
    evaluator = Constant()
    lab = Lab(tmp_path, evaluator="ase")
    async with lab.agent(), lab.simulator(InPlaceExecutor(evaluator)):
        await lab.ask(messages.request("a-1", fidelity="b3lyp"))
        answer = await lab.answer()
    assert isinstance(answer, CandidateFailure)
    assert answer.reason is FailureReason.UNSUPPORTED
    assert "'b3lyp'; this simulator has one only" in answer.detail
    assert evaluator.asked == []


async def test_a_request_to_this_simulator_by_name_is_answered_too(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())):
        await lab.ask(messages.request("a-1"), recipient=messages.SIMULATOR)
        assert (await lab.answer()).attempt_id == "a-1"


async def test_an_answer_is_repeated_until_its_receipt_and_then_no_more(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())) as service:
        await lab.ask(messages.request("a-1"))
        repeated = [await lab.answer_delivery("a-1") for _ in range(4)]
        assert len({each.payload for each in repeated}) == 1, "the same message, with the same id"
        await lab.settled(service, "a-1")
        await asyncio.sleep(0)  # one that was on its way
        sent = len(lab.answers_sent())
        await asyncio.sleep(5 * RESEND_S)
        assert len(lab.answers_sent()) == sent
        assert service.counts["delivered"] == 1
        assert service.counts["repeated answers"] >= 3
    assert stored(lab, "a-1") is AttemptProgress.DELIVERED


async def test_an_answer_that_is_refused_goes_out_once_more_and_is_then_left_with_a_word(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())) as service:
        await lab.ask(messages.request("a-1"))
        answer = await lab.answer("a-1")
        refused = messages.receipt(
            "a-1", status=ReceiptStatus.REFUSED, answers=answer.message_id, detail="invalid: mood"
        )
        await lab.tell(refused)
        assert (await lab.answer("a-1")).message_id == answer.message_id
        await lab.tell(refused)
        await until(lambda: not service.outbound.undelivered)
    assert stored(lab, "a-1") is AttemptProgress.DELIVERED
    assert lab.said[-1:] == [
        ("answer_not_taken", {"attempt_id": "a-1", "status": "refused", "detail": "invalid: mood"})
    ]


async def test_a_receipt_of_a_stranger_s_message_leaves_the_answer_waiting(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())) as service:
        await lab.ask(messages.request("a-1"))
        await lab.answer("a-1")
        for status in (ReceiptStatus.REFUSED, ReceiptStatus.DUPLICATE, ReceiptStatus.CONTRADICTS):
            await lab.tell(messages.receipt("a-1", status=status, answers="a-stranger-s"))
            await lab.answer("a-1")
        assert "a-1" in service.outbound.undelivered


async def test_a_receipt_for_what_is_not_waiting_changes_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())) as service:
        await lab.tell(messages.receipt("never-seen"))
        await lab.ask(messages.request("a-1"))
        await lab.answer("a-1")
        for _ in range(3):
            await lab.settled(service, "a-1")
        assert service.counts["delivered"] == 1


async def test_noise_is_added_the_same_for_the_same_attempt_and_its_deviation_is_told(tmp_path: Path) -> None:
    values = []
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        lab = Lab(tmp_path / folder, noise={"standard_deviation": 0.5})
        async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(1.0))):
            await lab.ask(messages.request("a-1"))
            answer = await lab.answer("a-1")
        assert isinstance(answer, CandidateResult)
        (quantity,) = answer.quantities
        assert quantity.standard_deviation == 0.5
        values.append(quantity.value)
    assert values[0] == values[1] != 1.0


async def test_the_lab_takes_the_time_that_its_settings_say(tmp_path: Path) -> None:
    lab = Lab(tmp_path, latency={"mean_s": 0.05})
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant())):
        began = time.monotonic()
        await lab.ask(messages.request("a-1"))
        answer = await lab.answer("a-1")
        assert time.monotonic() - began >= 0.045
    assert isinstance(answer, CandidateResult)
    assert answer.duration_s >= 0.045


async def test_a_simulator_of_every_campaign_answers_each_one_on_its_own_topic(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant()), campaign=None):
        for campaign in (messages.CAMPAIGN, "other"):
            await lab.ask(messages.request(f"a-{campaign}", campaign=campaign))
        await until(lambda: {each.campaign for each in lab.answers_sent()} == {messages.CAMPAIGN, "other"})
        for _, message in lab.bus.log:
            assert decode(message.topic, message.payload).campaign == parse(message.topic).campaign
    assert not [message for _, message in lab.bus.log if parse(message.topic).channel is Channel.STATUS]


# --- never twice ----------------------------------------------------------------------------------------------------


async def test_a_repeated_request_is_answered_from_the_store_and_never_evaluated_again(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path, resend_min_s=60.0, resend_max_s=60.0), Constant()
    async with lab.agent(), lab.simulator(InPlaceExecutor(evaluator)) as service:
        await lab.ask(messages.request("a-1"))
        first = await lab.answer_delivery("a-1")
        await lab.ask(messages.request("a-1"))
        assert (await lab.answer_delivery("a-1")).payload == first.payload
        await lab.settled(service, "a-1")
        await lab.ask(messages.request("a-1"))
        assert (await lab.answer_delivery("a-1")).payload == first.payload, "even after the receipt"
        assert service.counts["repeated requests"] == 2
    assert evaluator.asked == ["a-1"]


async def test_a_request_repeated_while_it_is_evaluated_waits_for_the_one_evaluation(tmp_path: Path) -> None:
    lab, executor = Lab(tmp_path), HeldExecutor()
    async with lab.agent(), lab.simulator(executor) as service:
        await lab.ask(messages.request("a-1"))
        await until(lambda: "a-1" in executor.running)
        await lab.ask(messages.request("a-1"))
        await until(lambda: service.counts["repeated requests"] == 1)
        executor.release("a-1")
        await lab.answer("a-1")
    assert executor.asked == ["a-1"]


async def test_a_request_that_came_twice_while_the_simulator_was_away_is_evaluated_once(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path), Constant()
    async with lab.agent():
        async with lab.simulator(InPlaceExecutor(evaluator)):
            await until(lambda: "simulator" in lab.bus.sessions)
        for _ in range(2):
            await lab.ask(messages.request("a-1"))
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.answer("a-1")
            await lab.settled(service, "a-1")
    assert evaluator.asked == ["a-1"]


async def test_a_request_repeated_after_a_restart_is_answered_from_the_store(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path, resend_min_s=60.0, resend_max_s=60.0), Constant()
    async with lab.agent():
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.ask(messages.request("a-1"))
            first = await lab.answer_delivery("a-1")
            await lab.settled(service, "a-1")
        async with lab.simulator(InPlaceExecutor(evaluator)):
            await lab.ask(messages.request("a-1"))
            assert (await lab.answer_delivery("a-1")).payload == first.payload
    assert evaluator.asked == ["a-1"]


async def test_an_answer_without_a_receipt_is_repeated_after_a_crash(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path), Constant()
    async with lab.agent():
        async with lab.simulator_that_crashes(InPlaceExecutor(evaluator)):
            await lab.ask(messages.request("a-1"))
            first = await lab.answer_delivery("a-1")
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            sent = len(lab.answers_sent())
            await until(lambda: len(lab.answers_sent()) > sent)
            assert {encode(each) for each in lab.answers_sent()} == {first.payload}
            await lab.settled(service, "a-1")
    assert evaluator.asked == ["a-1"]


async def test_what_a_crash_interrupted_is_answered_as_interrupted_and_what_waited_is_evaluated(tmp_path: Path) -> None:
    lab, held, evaluator = Lab(tmp_path, concurrency=1), HeldExecutor(), Constant()
    async with lab.agent():
        async with lab.simulator_that_crashes(held) as service:
            await lab.ask(messages.request("a-1"))
            await lab.ask(messages.request("a-2"))
            await until(lambda: service.counts["received"] == 2)
        assert held.asked == ["a-1"]
        assert (stored(lab, "a-1"), stored(lab, "a-2")) == (AttemptProgress.STARTED, AttemptProgress.RECEIVED)
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            interrupted, evaluated = await lab.answer("a-1"), await lab.answer("a-2")
            assert isinstance(interrupted, CandidateFailure)
            assert interrupted.reason is FailureReason.INTERRUPTED
            assert isinstance(evaluated, CandidateResult)
            await lab.ask(messages.request("a-1"))  # however often it is asked for
            await until(lambda: service.counts["repeated requests"] == 1)
            await lab.settled(service, "a-1")
            await lab.settled(service, "a-2")
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.ask(messages.request("a-3"))
            await lab.answer("a-3")
    assert evaluator.asked == ["a-2", "a-3"]
    reasons = {each.reason for each in lab.answers_sent() if isinstance(each, CandidateFailure)}
    assert reasons == {FailureReason.INTERRUPTED}


# --- what nobody waits for -----------------------------------------------------------------------------------------


def withdrawn(attempt_id: str) -> ResultReceipt:
    return messages.receipt(attempt_id, status=ReceiptStatus.WITHDRAWN)


async def test_an_attempt_that_is_withdrawn_while_it_waits_is_never_evaluated_not_after_a_restart_either(
    tmp_path: Path,
) -> None:
    lab, held, evaluator = Lab(tmp_path, concurrency=1), HeldExecutor(), Constant()
    async with lab.agent():
        async with lab.simulator(held) as service:
            for name in ("a-1", "a-2", "a-3"):
                await lab.ask(messages.request(name))
            await until(lambda: len(service.waiting) == 2)
            await lab.tell(withdrawn("a-2"))
            await until(lambda: service.counts["withdrawn"] == 1)
            assert [each.attempt_id for each in service.waiting] == ["a-3"]
            await lab.ask(messages.request("a-2"))  # a request that went the long way round
            await until(lambda: service.counts["repeated requests"] == 1)
            held.release("a-1")
            await lab.answer("a-1")
        assert stored(lab, "a-2") is AttemptProgress.WITHDRAWN
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.ask(messages.request("a-2"))
            await until(lambda: service.counts["repeated requests"] == 1)
    assert "a-2" not in (*held.asked, *evaluator.asked)
    assert "a-2" not in {each.attempt_id for each in lab.answers_sent()}


async def test_what_runs_goes_on_when_it_is_withdrawn_and_what_is_answered_is_still_repeated(tmp_path: Path) -> None:
    lab, held = Lab(tmp_path), HeldExecutor()
    async with lab.agent(), lab.simulator(held) as service:
        await lab.ask(messages.request("a-1"))
        await until(lambda: "a-1" in held.running)
        await lab.tell(withdrawn("a-1"))
        await lab.tell(withdrawn("never-seen"))
        held.release("a-1")
        await lab.answer("a-1")
        await lab.tell(withdrawn("a-1"))
        for _ in range(3):
            await lab.answer("a-1")  # only the receipt of its own answer ends that
        await lab.settled(service, "a-1")
        assert service.counts["withdrawn"] == 0


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_the_newest_attempt_of_a_candidate_takes_the_older_one_that_waits_out_of_the_queue(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    lab, held = Lab(tmp_path, concurrency=1), HeldExecutor()
    names = {number: attempt_identity("0a1b2c3d", 4, "al-7", number) for number in order}
    async with lab.agent(), lab.simulator(held) as service:
        await lab.ask(messages.request("a-1"))
        await until(lambda: "a-1" in held.running)
        for number in order:
            await lab.ask(messages.request(names[number], candidate_id="al-7", attempt=number))
        of_an_older_campaign = attempt_identity("ffffffff", 4, "al-7", 1)
        await lab.ask(messages.request(of_an_older_campaign, candidate_id="al-7", attempt=1))
        await lab.ask(messages.request(attempt_identity("0a1b2c3d", 5, "al-8", 1), candidate_id="al-8"))
        await until(lambda: service.counts["received"] == 5)
        waiting = [each.attempt_id for each in service.waiting]
        assert names[2] in waiting
        assert names[1] not in waiting
        assert of_an_older_campaign in waiting
        assert len(waiting) == 3
        for name in ("a-1", *waiting):
            await until(lambda name=name: name in held.running)  # type: ignore[misc]
            held.release(name)
            await lab.answer(name)


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", FailureReason)
async def test_a_failure_is_reported_with_its_reason_and_repeated_until_its_receipt(
    tmp_path: Path, reason: FailureReason
) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Failing(reason, "what was found"))) as service:
        await lab.ask(messages.request("a-1"))
        deliveries = [await lab.answer_delivery("a-1") for _ in range(2)]
        answer = decoded(deliveries[0])
        assert isinstance(answer, CandidateFailure)
        assert (answer.reason, answer.detail, answer.candidate_id) == (reason, "what was found", "al-1")
        assert deliveries[0].payload == deliveries[1].payload
        assert parse(deliveries[0].topic).channel is Channel.FAILURE
        await lab.settled(service, "a-1")
        assert service.counts[f"failed: {reason.value}"] == 1


async def test_a_very_long_detail_is_cut_and_travels(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    executor = InPlaceExecutor(Failing(FailureReason.CALCULATION_FAILED, "é" * 10_000))
    async with lab.agent(), lab.simulator(executor):
        await lab.ask(messages.request("a-1"))
        answer = await lab.answer("a-1")
    assert isinstance(answer, CandidateFailure)
    assert answer.detail.endswith("…")


async def test_a_silent_lab_answers_nothing_ever_and_evaluates_once(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path), Silent()
    async with lab.agent():
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.ask(messages.request("a-1"))
            await until(lambda: service.counts["silent"] == 1 and not service.running)
            await lab.ask(messages.request("a-1"))
            await until(lambda: service.counts["repeated requests"] == 1)
        async with lab.simulator(InPlaceExecutor(evaluator)) as service:
            await lab.ask(messages.request("a-1"))
            await until(lambda: service.counts["repeated requests"] == 1)
    assert evaluator.asked == ["a-1"]
    assert lab.answers_sent() == []


# --- what is not for us ---------------------------------------------------------------------------------------------


async def test_what_is_no_request_is_counted_acknowledged_and_ignored(tmp_path: Path) -> None:
    lab, evaluator = Lab(tmp_path), Constant()
    request = messages.request("a-1")
    topic, payload = topic_of(request), encode(request)
    async with lab.agent(), lab.simulator(InPlaceExecutor(evaluator)) as service:
        await until(lambda: service.outbound.connected)
        for bad in (b"", b"\xff", b"{}", b"[" * 50_000, b" " * (MAX_PAYLOAD_BYTES + 1)):
            await lab.publish(topic, bad)
        for good, wrong in (
            (b'"protocol":1', b'"protocol":2'),
            (b"candidate_request", b"candidate_forecast"),
            (b'"attempt":1', b'"attempt":0'),
            (b'"campaign":"alloys"', b'"campaign":"other"'),
        ):
            await lab.publish(topic, payload.replace(good, wrong))
        for stray in (messages.result(), messages.receipt()):
            await lab.publish(topic, encode(stray))
        await lab.publish(topic_of(messages.receipt()), payload)
        await lab.publish(topic_of(messages.receipt()), encode(messages.receipt(simulator="sim-2")))
        await lab.ask(messages.request("a-good"))
        await lab.answer("a-good")
        refused = {name.removeprefix("refused: "): count for name, count in service.counts.items() if "refused" in name}
        assert refused == {
            "not_json": 3, "oversize": 1, "unknown_version": 2, "unknown_type": 1, "invalid": 1,
            "foreign_campaign": 1, "wrong_topic": 4,
        }  # fmt: skip
        await until(lambda: not lab.bus.sessions["simulator"].unacknowledged)
    assert evaluator.asked == ["a-good"]


async def test_a_request_without_what_the_evaluator_needs_is_its_own_failure_and_the_next_one_is_answered(
    tmp_path: Path,
) -> None:
    class Picky:
        def evaluate(self, request: Any) -> Any:
            if request.structure is None:
                raise EvaluationFailed(FailureReason.INVALID_REQUEST, "no structure")
            return energy(1.0)

    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Picky())):
        await lab.ask(messages.request("a-1", structure=None))
        await lab.ask(messages.request("a-2"))
        first, second = await lab.answer("a-1"), await lab.answer("a-2")
    assert isinstance(first, CandidateFailure)
    assert isinstance(second, CandidateResult)


# --- bounds ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_evaluations_run_at_once_than_there_are_slots(tmp_path: Path, concurrency: int) -> None:
    lab, executor, count = Lab(tmp_path, concurrency=concurrency), HeldExecutor(), 10
    async with lab.agent(), lab.simulator(executor) as service:
        for number in range(count):
            await lab.ask(messages.request(f"a-{number}"))
        await until(lambda: service.counts["received"] == count and len(executor.running) == concurrency)
        for _ in range(count):
            await until(lambda: bool(executor.running))
            executor.release(next(iter(executor.running)))
            await asyncio.sleep(0)
        await until(lambda: service.counts["evaluated"] == count)
    assert executor.most_at_once == concurrency
    assert sorted(executor.asked) == sorted(f"a-{number}" for number in range(count))


async def test_a_flood_of_requests_waits_at_the_broker_and_is_all_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, count = 4, 60
    for name in ("MAX_WAITING", "INBOX_SIZE"):
        monkeypatch.setattr(service_module, name, bound)  # the bounds themselves, made small enough to flood
    lab, executor = Lab(tmp_path, bus=MemoryBus(receive_maximum=5), concurrency=1), HeldExecutor()
    most = 0
    async with lab.agent(), lab.simulator(executor) as service:
        for number in range(count):
            await lab.ask(messages.request(f"a-{number:02}"))
        for _ in range(count):
            await until(lambda: bool(executor.running))
            most = max(most, len(service.waiting))
            executor.release(next(iter(executor.running)))
            await asyncio.sleep(0)
        await until(lambda: service.counts["evaluated"] == count)
    assert len(executor.asked) == count
    # One that was read already may come on top, and what the inbox holds.
    assert bound <= most <= 2 * bound + 2


async def test_a_flood_of_requests_whose_answers_get_no_receipt_fills_the_memory_to_its_bound_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound, count = 5, 20
    monkeypatch.setattr(service_module, "MAX_UNDELIVERED", bound)
    monkeypatch.setattr(service_module, "MAX_REFUSAL_LINES", 3)
    lab, executor = Lab(tmp_path, concurrency=1), HeldExecutor()
    async with lab.agent(), lab.simulator(executor) as service:
        for number in range(bound):
            await lab.ask(messages.request(f"a-{number}"))
            await until(lambda: bool(executor.running))
            executor.release(f"a-{number}")
            await lab.answer(f"a-{number}")
        for number in range(count):
            await lab.ask(messages.request(f"b-{number}"))
        await until(lambda: service.counts["refused: memory_full"] == count)
        await lab.ask(messages.request("a-0"))
        await until(lambda: service.counts["repeated requests"] == 1)
        assert len(service.outbound.undelivered) == bound
        await lab.settled(service, "a-0")
        await lab.ask(messages.request("c-0"))
        await until(lambda: "c-0" in executor.running)
        executor.release("c-0")
        await lab.answer("c-0")
    assert sorted(executor.asked) == [*(f"a-{number}" for number in range(bound)), "c-0"]
    assert stored(lab, "b-0") is None


async def test_what_was_asked_fills_the_memory_to_its_size_and_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(encode(messages.request("a-0")))
    monkeypatch.setattr(service_module, "MAX_OPEN_BYTES", 3 * size)
    lab, executor = Lab(tmp_path, concurrency=1), HeldExecutor()
    async with lab.agent(), lab.simulator(executor) as service:
        for number in range(3):
            await lab.ask(messages.request(f"a-{number}"))
            await until(lambda number=number: service.counts["received"] == number + 1)  # type: ignore[misc]
        await lab.ask(messages.request("b-0"))
        await until(lambda: service.counts["refused: memory_full"] == 1)
        executor.release("a-0")
        await lab.answer("a-0")
        await lab.settled(service, "a-0")
        await lab.ask(messages.request("b-0"))
        await until(lambda: service.counts["received"] == 4)
    assert stored(lab, "b-0") is AttemptProgress.RECEIVED


async def test_a_flood_of_attempts_that_overtake_each_other_leaves_one_request_in_the_memory(tmp_path: Path) -> None:
    count = 200
    lab, executor = Lab(tmp_path, concurrency=1), HeldExecutor()
    async with lab.agent(), lab.simulator(executor) as service:
        await lab.ask(messages.request("a-1"))
        await until(lambda: "a-1" in executor.running)
        for number in range(1, count + 1):
            name = attempt_identity("0a1b2c3d", 4, "al-7", number)
            request = messages.request(name, candidate_id="al-7", attempt=number)
            await lab.publish(topic_of(request), encode(request).ljust(60_000))
        await until(lambda: service.counts["withdrawn"] == count - 1)
        assert len(service.waiting) == 1
    assert (tmp_path / "sim-1.db").stat().st_size < 1_000_000


async def test_nothing_is_taken_while_the_disk_is_nearly_full_and_all_of_it_afterwards(tmp_path: Path) -> None:
    free, told = [10**11], list[str]()
    lab, executor = Lab(tmp_path), HeldExecutor()
    lab.disk = DiskFloor(
        tmp_path, on_change=told.append, usage=lambda _folder: (free[0], 10**12), clock=itertools.count().__next__
    )
    async with lab.agent(), lab.simulator(executor) as service:
        free[0] = 1_000_000
        await lab.ask(messages.request("a-1"))
        await until(lambda: bool(told))
        assert (service.counts["received"], stored(lab, "a-1")) == (0, None)
        free[0] = 10**11
        await until(lambda: bool(executor.running))
        executor.release("a-1")
        await lab.answer("a-1")
    assert [bool(reason) for reason in told] == [True, False]


# --- the link -------------------------------------------------------------------------------------------------------


def statuses(lab: Lab) -> list[Health]:
    messages = [decode(message.topic, message.payload) for _, message in lab.bus.log]
    return [each.health for each in messages if isinstance(each, Status)]


async def test_a_simulator_says_that_it_is_there_and_that_it_leaves(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent():
        async with lab.simulator(HeldExecutor()):
            assert await lab.health() is Health.ONLINE
        assert await lab.health() is Health.OFFLINE
    assert statuses(lab) == [Health.ONLINE, Health.OFFLINE]
    said, message = sorted((decode(*kept) for kept in lab.bus.retained.items()), key=lambda each: each.type)
    assert isinstance(said, Capabilities)
    assert isinstance(message, Status)
    assert (message.client, message.role, message.health) == (messages.SIMULATOR, "simulator", Health.OFFLINE)


async def test_a_simulator_that_vanishes_is_offline_and_back_online_when_its_link_is(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(HeldExecutor()):
        assert await lab.health() is Health.ONLINE
        lab.bus.cut("simulator")
        assert await lab.health() is Health.OFFLINE
        assert await lab.health() is Health.ONLINE


async def test_answers_made_while_the_link_was_down_are_sent_when_it_is_up_again(tmp_path: Path) -> None:
    lab, executor = Lab(tmp_path, resend_min_s=60.0, resend_max_s=60.0), HeldExecutor()
    async with lab.agent() as agent, lab.simulator(executor) as service:
        await lab.ask(messages.request("a-1"))
        await until(lambda: "a-1" in executor.running)
        lab.bus.stop(forget=False)
        await until(lambda: not service.outbound.connected)
        executor.release("a-1")
        await until(lambda: "a-1" in service.outbound.undelivered)
        assert lab.answers_sent() == []
        lab.bus.start()
        assert (await agent.answer("a-1")).attempt_id == "a-1"
    assert executor.asked == ["a-1"]


async def test_requests_that_were_not_committed_come_again_from_the_broker(tmp_path: Path) -> None:
    """The acknowledgement follows the commit: a crash before it loses nothing."""
    lab, evaluator = Lab(tmp_path), Constant()
    async with lab.agent():
        async with lab.simulator(InPlaceExecutor(evaluator)):
            await until(lambda: "simulator" in lab.bus.sessions)
        outbox = Outbox.open(lab.url)
        service = lab._service(outbox, InPlaceExecutor(evaluator), messages.CAMPAIGN)
        outbox.close()  # every commit fails from now on
        await lab.ask(messages.request("a-1"))
        with pytest.raises(Exception, match="closed"):
            await asyncio.wait_for(service.run(), PATIENCE_S)
        assert len(lab.bus.sessions["simulator"].unacknowledged) + len(lab.bus.sessions["simulator"].queue) == 1
        async with lab.simulator(InPlaceExecutor(evaluator)):
            await lab.answer("a-1")
    assert evaluator.asked == ["a-1"]


# --- the end --------------------------------------------------------------------------------------------------------


async def test_a_simulator_ends_within_five_seconds_while_it_evaluates_and_says_so_afterwards(tmp_path: Path) -> None:
    lab, executor = Lab(tmp_path), HeldExecutor()
    async with lab.agent():
        async with lab.simulator(executor):
            await lab.ask(messages.request("a-1"))
            await until(lambda: "a-1" in executor.running)
            began = time.monotonic()
        assert time.monotonic() - began < 5.0
        assert executor.closed
        assert not executor.running
        assert stored(lab, "a-1") is AttemptProgress.STARTED
        assert await lab.health() is Health.ONLINE
        assert await lab.health() is Health.OFFLINE
        async with lab.simulator(InPlaceExecutor(Constant())):
            answer = await lab.answer("a-1")
    assert isinstance(answer, CandidateFailure)
    assert answer.reason is FailureReason.INTERRUPTED


async def ended_by(lab: Lab, executor: Executor) -> BaseException:
    """Return what ends a simulator that is asked for one evaluation."""
    outbox = Outbox.open(lab.url)
    service = lab._service(outbox, executor, messages.CAMPAIGN)
    running = asyncio.create_task(service.run())
    await until(lambda: service.outbound.connected)
    await lab.ask(messages.request("a-1"))
    (ended,) = await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), PATIENCE_S)
    outbox.close()
    assert isinstance(ended, BaseException)
    return ended


async def test_a_broker_that_refuses_the_answers_ends_the_simulator_and_they_are_kept(tmp_path: Path) -> None:
    bus = MemoryBus(may_publish=lambda client, topic: client == "agent" or "/result/" not in topic)
    lab = Lab(tmp_path, bus=bus)
    async with lab.agent():
        error = await ended_by(lab, InPlaceExecutor(Constant()))
    assert isinstance(error, BrokerError)
    assert "/result/" in error.found
    assert "access list" in error.action
    assert stored(lab, "a-1") is AttemptProgress.ANSWERED


async def test_a_full_disk_ends_the_simulator_with_an_advice_and_acknowledges_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent():
        outbox = Outbox.open(lab.url)
        pages = outbox._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        outbox._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        outbox._connection.commit()
        service = lab._service(outbox, InPlaceExecutor(Constant()), messages.CAMPAIGN)
        running = asyncio.create_task(service.run())
        await until(lambda: service.outbound.connected)
        atoms = {"symbols": ("Al",) * 300, "scaled_positions": ((0.12345678, 0.5, 0.25),) * 300}
        big = messages.ALUMINIUM.model_validate(messages.ALUMINIUM.model_dump() | atoms)
        await lab.ask(messages.request("a-1", structure=big))
        with pytest.raises(StoreError, match="full"):
            await asyncio.wait_for(running, PATIENCE_S)
        outbox.close()
    assert stored(lab, "a-1") is None
    session = lab.bus.sessions["simulator"]
    assert len(session.unacknowledged) == 1


async def test_an_evaluator_that_cannot_be_made_ends_the_simulator_with_an_advice(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent():
        error = await ended_by(lab, UnmakableExecutor())
    assert isinstance(error, SettingsError)
    assert error.action == "check the name"


async def test_a_broker_that_refuses_us_ends_the_simulator(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    outbox = Outbox.open(sqlite_url(tmp_path / "other.db"))
    transport = MemoryBus(password="x").transport(
        "simulator", simulator_subscriptions(messages.SIMULATOR, campaign=messages.CAMPAIGN, shared=True)
    )
    executor = HeldExecutor()
    refused = SimulatorService(
        lab.settings,
        campaign=messages.CAMPAIGN,
        outbox=outbox,
        transport=transport,
        executor=executor,
        clock=clock,
    )
    with pytest.raises(BrokerError, match="password"):
        await asyncio.wait_for(refused.run(), PATIENCE_S)
    assert executor.closed
    outbox.close()
