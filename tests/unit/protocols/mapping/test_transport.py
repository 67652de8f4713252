"""Above the translator are messages of ours alone, below it the lab's; nothing is lost, and nothing asked twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from protocols.errors import BrokerError
from protocols.link.transport import (
    Delivery,
    LinkDown,
    LinkLost,
    LinkUp,
    PublishRefused,
)
from protocols.mapping.correlation import message_id_of
from protocols.mapping.sent_log import SentLog
from protocols.mapping.transport import MAX_REFUSALS_UNTOLD, MappedTransport
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    FailureReason,
    Health,
    ReceiptStatus,
    Status,
)
from tests.support.mapping.links import Link, ask, mapped, next_delivery, receipt
from tests.support.mapping.samples import NOW, Asked, asked, compiled, heard
from tests.support.sample_messages import control_receipt

DONE = "lab/F1/done"


ANSWER = '{"job": "u-d1-a1", "value": 300}'


TOLD = {"topic": "lab/{instrument}/answer", "fields": {"s": "status", "why": "detail"}}


async def test_a_request_goes_out_as_the_labs_and_its_answer_comes_as_ours() -> None:
    async with mapped() as (link, transport):
        await ask(transport)
        assert [(topic, json.loads(payload)) for topic, payload, _ in link.sent] == [("lab/F1/run", {"job": "u-d1-a1"})]
        said = heard(DONE, ANSWER)
        await link.comes.put(said)
        came = await next_delivery(transport)
        result = decode(came.topic, came.payload)
        assert isinstance(result, CandidateResult)
        assert (result.attempt_id, result.simulator) == ("u-d1-a1", "furnace")
        assert came.topic == "entropilot/v1/demo/result/furnace"
        transport.acknowledge(came)
        assert [each.ack_token for each in link.acknowledged] == [said.ack_token]


async def test_a_request_that_cannot_be_mapped_fails_at_once_with_the_rule() -> None:
    async with mapped(request__fields={"how": "fidelity"}) as (link, transport):
        await ask(transport)
        came = await next_delivery(transport)
        failure = decode(came.topic, came.payload)
        assert isinstance(failure, CandidateFailure)
        assert (failure.reason, failure.simulator) == (FailureReason.INVALID_REQUEST, "furnace")
        assert "[lab.request.fields.how]" in failure.detail
        transport.acknowledge(came)
        assert (link.acknowledged, link.sent) == ([], [])


async def test_instruments_of_a_lab_that_tells_no_presence_count_as_there_while_the_link_is_up() -> None:
    async with mapped() as (link, transport):
        await link.comes.put(LinkUp(session_present=True))
        assert await transport.receive() == LinkUp(session_present=True)
        came = await next_delivery(transport)
        status = decode(came.topic, came.payload)
        assert isinstance(status, Status)
        assert (status.client, status.health, came.retain) == ("furnace", Health.ONLINE, True)
        transport.acknowledge(came)
        assert link.acknowledged == []
        await link.comes.put(LinkDown("gone"))
        assert await transport.receive() == LinkDown("gone")


async def test_a_lab_that_tells_presence_is_believed() -> None:
    async with mapped(status={"topic": "lab/{instrument}/here"}) as (link, transport):
        await link.comes.put(LinkUp(session_present=False))
        await link.comes.put(heard("lab/F1/here", "offline", retain=True))
        assert isinstance(await transport.receive(), LinkUp)
        came = await next_delivery(transport)
        status = decode(came.topic, came.payload)
        assert isinstance(status, Status)
        assert status.health is Health.OFFLINE


async def test_what_does_not_fit_is_brought_as_it_is_with_its_rule_and_its_sender_hears_so() -> None:
    async with mapped(receipt=TOLD) as (link, transport):
        await link.comes.put(heard(DONE, '{"job": "u-d1-a1"}'))
        came = await next_delivery(transport)
        assert (came.topic, came.payload) == (DONE, b'{"job": "u-d1-a1"}')
        assert came.mapping_fault.startswith("[lab.result.quantities.strength]")
        await asyncio.sleep(0)
        ((topic, payload, _),) = link.sent
        assert (topic, json.loads(payload)["s"]) == ("lab/F1/answer", "refused")
        assert json.loads(payload)["why"] == came.mapping_fault


async def test_a_sender_whose_own_words_are_too_long_to_be_told_is_not_told_and_nobody_ends() -> None:
    told = TOLD | {"fields": {"s": "status", "why": "detail", "again": "detail"}}
    async with mapped(receipt=told, result__correlate_by="candidate_id", result__id="id") as (link, transport):
        await link.comes.put(heard(DONE, json.dumps({"id": "x" * 65_000, "value": 1})))
        came = await next_delivery(transport)
        assert came.mapping_fault
        await ask(transport)
        assert [topic for topic, _, _ in link.sent][-1] == "lab/F1/run"


async def test_a_receipt_of_an_operator_who_is_called_like_an_instrument_passes_as_it_is() -> None:
    async with mapped(receipt=TOLD) as (link, transport):
        message = control_receipt(operator="furnace")
        await transport.publish(topic_of(message), encode(message))
        ((topic, payload, _),) = link.sent
        assert (topic, payload) == (topic_of(message), encode(message))


@pytest.mark.parametrize("error", [LinkLost(), PublishRefused("lab/F1/answer", "not authorised")])
async def test_a_sender_that_cannot_be_told_ends_nothing(error: Exception) -> None:
    async with mapped(receipt=TOLD) as (link, transport):
        link.refuses = error
        for _ in range(MAX_REFUSALS_UNTOLD + 2):
            await link.comes.put(heard(DONE, "garbage"))
        for _ in range(MAX_REFUSALS_UNTOLD + 2):
            assert (await next_delivery(transport)).mapping_fault
        await asyncio.sleep(0)


async def test_whatever_a_library_does_with_a_message_ends_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_args: Any) -> Any:
        raise RecursionError

    async with mapped() as (link, transport):
        monkeypatch.setattr("protocols.mapping.mapping.LabMapping.understand", breaks)
        await link.comes.put(heard(DONE, ANSWER))
        assert "cannot be translated: RecursionError" in (await next_delivery(transport)).mapping_fault


async def test_a_message_that_concerns_nobody_is_acknowledged_and_not_brought() -> None:
    async with mapped(result__when="kind == 'final'") as (link, transport):
        progress = heard(DONE, '{"kind": "progress"}')
        await link.comes.put(progress)
        await link.comes.put(heard(DONE, '{"kind": "final", "job": "u-d1-a1", "value": 1}'))
        came = await next_delivery(transport)
        assert came.topic.endswith("/result/furnace")
        assert link.acknowledged == [progress]


async def test_messages_of_ours_and_of_others_pass_as_they_are() -> None:
    async with mapped() as (link, transport):
        for each in (heard("entropilot/v1/demo/control/ada", "{}"), heard("elsewhere", "x")):
            await link.comes.put(each)
            assert await transport.receive() is each
        await transport.publish("entropilot/v1/demo/metrics", b"{}", retain=True)
        await transport.publish("entropilot/v1/demo/request/other", b"{}")
        assert [topic for topic, _, _ in link.sent] == [
            "entropilot/v1/demo/metrics", "entropilot/v1/demo/request/other"
        ]  # fmt: skip
        assert link.sent[0][2]["retain"] is True


async def test_on_a_broker_without_topics_of_ours_nothing_of_ours_is_said() -> None:
    async with mapped(own_topics=False) as (link, transport):
        await transport.publish("entropilot/v1/demo/metrics", b"{}", retain=True)
        await transport.publish("entropilot/v1/demo/status/furnace", b"{}", retain=True)
        assert link.sent == []


async def test_receipts_go_out_as_the_lab_wants_them_or_not_at_all() -> None:
    message = receipt(ReceiptStatus.REFUSED, "out of range")
    async with mapped(receipt=TOLD) as (link, transport):
        await transport.publish(topic_of(message), encode(message))
        ((topic, payload, _),) = link.sent
        assert (topic, json.loads(payload)) == ("lab/F1/answer", {"s": "refused", "why": "out of range"})
    async with mapped() as (link, transport):
        await transport.publish(topic_of(message), encode(message))
        assert link.sent == []
    async with mapped(Asked(), receipt=TOLD | {"topic": "lab/{candidate_id}/answer"}) as (link, transport):
        await transport.publish(topic_of(message), encode(message))
        assert link.sent == []


SCALARS: dict[str, Any] = {"scalars": {"t": {"topic": "pv/{instrument}/t", "unit": "K"}}}


def pv(value: str = "900", **options: Any) -> Delivery:
    return heard("pv/F1/t", value, **options)


@pytest.mark.parametrize("first", ["the result", "the property"])
async def test_a_result_waits_for_what_comes_on_topics_of_its_own_and_all_is_acknowledged_with_it(first: str) -> None:
    async with mapped(**SCALARS) as (link, transport):
        await ask(transport)
        said = [heard(DONE, ANSWER), pv()]
        for each in said if first == "the result" else reversed(said):
            await link.comes.put(each)
        came = await next_delivery(transport)
        result = decode(came.topic, came.payload)
        assert isinstance(result, CandidateResult)
        assert [(each.name, each.value, each.unit) for each in result.quantities] == [
            ("strength", 300.0, "MPa"), ("t", 900.0, "K")
        ]  # fmt: skip
        assert link.acknowledged == []
        transport.acknowledge(came)
        assert link.acknowledged == [said[1], said[0]]


async def test_what_was_told_before_the_request_does_not_count_and_a_newer_value_does() -> None:
    async with mapped(**SCALARS) as (link, transport):
        before, old, new = pv("1"), pv("2"), pv("3")
        await link.comes.put(before)
        await asyncio.sleep(0.01)
        await ask(transport)
        for each in (old, new, heard(DONE, ANSWER)):
            await link.comes.put(each)
        came = await next_delivery(transport)
        result = decode(came.topic, came.payload)
        assert isinstance(result, CandidateResult)
        assert result.quantities[1].value == 3.0
        assert link.acknowledged == [before, old]


async def test_a_result_that_never_becomes_whole_is_brought_with_the_reason() -> None:
    attempts = asked(("u-d1-a1", "c1"), ("u-d2-a1", "c2"))
    async with mapped(attempts, **SCALARS) as (link, transport):
        await ask(transport)
        first, second = heard(DONE, ANSWER), heard(DONE, ANSWER.replace("300", "301"))
        await link.comes.put(first)
        await link.comes.put(first)
        await link.comes.put(second)
        came = await next_delivery(transport)
        assert (came.payload, came.mapping_fault) == (first.payload, "[lab.scalars.t] t did not come with it.")
        await ask(transport, "u-d2-a1")
        came = await next_delivery(transport)
        assert came.payload == second.payload
        assert came.mapping_fault.startswith("[lab.scalars] not all")


async def test_a_result_whose_request_is_over_before_it_is_whole_is_brought_with_the_reason() -> None:
    attempts = asked(("u-d1-a1", "c1"))
    by_none = SCALARS | {"result__correlate_by": "only", "result__id": None}
    async with mapped(attempts, **by_none) as (link, transport):
        await ask(transport)
        said = heard(DONE, ANSWER)
        await link.comes.put(said)
        await asyncio.sleep(0.01)
        attempts.close("u-d1-a1")
        await link.comes.put(pv())
        came = await next_delivery(transport)
        assert (came.payload, came.ack_token) == (said.payload, said.ack_token)
        assert "no open request" in came.mapping_fault


async def test_a_result_that_was_counted_and_comes_again_without_its_properties_waits_for_none() -> None:
    attempts = asked(("u-d1-a1", "c1"))
    said = heard(DONE, ANSWER, redelivered=True)
    attempts.close("u-d1-a1", message_id_of(said, "u-d1-a1"))
    async with mapped(attempts, **SCALARS) as (link, transport):
        await link.comes.put(said)
        await link.comes.put(LinkDown("gone"))
        assert await transport.receive() == LinkDown("gone")
        assert link.acknowledged == [said]


async def test_a_property_that_does_not_fit_is_brought_with_its_rule() -> None:
    async with mapped(**SCALARS) as (link, transport):
        await link.comes.put(pv("hot"))
        assert (await next_delivery(transport)).mapping_fault.startswith("[lab.scalars.t.payload]")


async def test_how_long_a_result_took_is_the_time_since_its_request() -> None:
    async with mapped() as (link, transport):
        await ask(transport)
        await link.comes.put(heard(DONE, ANSWER))
        came = await next_delivery(transport)
        result = decode(came.topic, came.payload)
        assert isinstance(result, CandidateResult)
        assert 0 <= result.duration_s < 60


async def test_the_end_of_the_link_is_the_end_and_its_error_comes_through() -> None:
    async with mapped() as (link, transport):
        await transport.close()
        assert link.closed
    link = Link()
    transport = MappedTransport(
        link,
        link,
        compiled(),
        campaign="demo",
        attempts=Asked(),
        features=lambda _name: {},
        clock=lambda: NOW,
        sent=SentLog(None),
    )
    link.ended.set_exception(BrokerError("the password is wrong"))
    with pytest.raises(BrokerError, match="password"):
        await transport.run()
