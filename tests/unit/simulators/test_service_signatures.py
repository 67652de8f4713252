"""A simulator with a key takes nothing that its agent has not signed, and what it says is signed with its own."""

from __future__ import annotations

from pathlib import Path

from protocols.link.transport import Will
from protocols.signing.envelope import unwrap, wrap
from protocols.signing.signature import judge, signature
from protocols.wire.codec import encode, topic_of
from protocols.wire.messages import CandidateResult
from simulators.executors.in_place import InPlaceExecutor
from tests.support import sample_messages as messages
from tests.support.evaluators import Constant
from tests.support.lab import Lab, until
from tests.support.samples.keys import RING, SIGNING, key_of

REFUSED = "refused: "


async def test_a_signed_request_is_answered_and_the_answer_is_signed(tmp_path: Path) -> None:
    lab = Lab(tmp_path, signing=SIGNING)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))) as service:
        for attempt, recipient in (("a-1", messages.SIMULATOR), ("a-2", "any")):
            await lab.ask(messages.request(attempt), recipient=recipient)
            answer = await lab.answer_delivery(attempt)
            assert answer.signed_by == messages.SIMULATOR
            await lab.settled(service, attempt)
    assert not [name for name in service.counts if name.startswith(REFUSED)]


async def test_an_unsigned_request_and_one_of_another_key_are_refused_and_never_evaluated(tmp_path: Path) -> None:
    lab = Lab(tmp_path, signing=SIGNING)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))) as service:
        request = messages.request("a-1")
        topic, payload = topic_of(request, recipient=messages.SIMULATOR), encode(request)
        forged = {messages.SIMULATOR: signature(key_of("furnace"), topic, payload)}
        await lab.stranger.publish(topic, payload)
        await lab.stranger.publish(topic, wrap(payload, forged))
        await lab.stranger.publish(topic, wrap(payload, {"furnace": forged[messages.SIMULATOR]}))
        await until(lambda: service.counts["refused: wrong_signature"] == 2)
        assert service.counts["refused: unsigned"] == 1
        await lab.ask(messages.request("a-2"), recipient=messages.SIMULATOR)
        assert (await lab.answer()).attempt_id == "a-2"
    assert service.counts["received"] == 1


async def test_a_forged_receipt_does_not_stop_the_repetition_of_an_answer(tmp_path: Path) -> None:
    lab = Lab(tmp_path, signing=SIGNING)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))) as service:
        await lab.ask(messages.request("a-1"), recipient=messages.SIMULATOR)
        await lab.answer("a-1")
        receipt = messages.receipt("a-1")
        topic, payload = topic_of(receipt), encode(receipt)
        of_another = signature(key_of("furnace"), topic, payload)
        moved = signature(key_of(messages.SIMULATOR), topic.replace(messages.CAMPAIGN, "another"), payload)
        for forged in (payload, *(wrap(payload, {messages.SIMULATOR: each}) for each in (of_another, moved))):
            await lab.stranger.publish(topic, forged)
        await until(lambda: service.counts["refused: wrong_signature"] == 2)
        assert list(service.outbound.undelivered) == ["a-1"]
        await lab.answer("a-1")
        await lab.settled(service, "a-1")


async def test_the_last_will_of_a_simulator_is_signed(tmp_path: Path) -> None:
    lab = Lab(tmp_path, signing=SIGNING)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))):
        will = lab.bus.sessions["simulator"].connection.will  # type: ignore[union-attr]
    assert isinstance(will, Will)
    opened = unwrap(will.without_properties)
    assert opened is not None
    assert judge(RING, will.topic, *opened).signed_by == messages.SIMULATOR


async def test_without_a_key_an_unsigned_request_is_taken_as_ever(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    async with lab.agent(), lab.simulator(InPlaceExecutor(Constant(-2.5))):
        await lab.ask(messages.request("a-1"))
        assert isinstance(await lab.answer("a-1"), CandidateResult)
