"""Above the translator are messages of ours alone, below it the lab's; nothing is lost, and nothing asked twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from protocols.errors import BrokerError
from protocols.link.transport import (
    Delivery,
    Incoming,
    LinkDown,
    LinkLost,
    LinkUp,
    NobodyListens,
    NotSent,
    PublishRefused,
    Reply,
    UserProperties,
)
from protocols.mapping.correlation import message_id_of
from protocols.mapping.sent_log import SentLog
from protocols.mapping.transport import MAX_REFUSALS_UNTOLD, REPEAT_CHECK_S, MappedTransport
from protocols.wire.codec import decode, encode, topic_of
from protocols.wire.messages import (
    CandidateFailure,
    CandidateResult,
    FailureReason,
    Health,
    ReceiptStatus,
    ResultReceipt,
    Status,
)
from tests.support.mapping.samples import FEATURES, NOW, Asked, asked, compiled, heard, request
from tests.support.virtual_loop import run_in_virtual_time

DONE = "lab/F1/done"
ANSWER = '{"job": "u-d1-a1", "value": 300}'
TOLD = {"topic": "lab/{instrument}/answer", "fields": {"s": "status", "why": "detail"}}


class Link:
    """A link that carries everything; what the lab says is put into it."""

    def __init__(self, *, carries_properties: bool = True) -> None:
        self.carries_properties = carries_properties
        self.sent: list[tuple[str, bytes, dict[str, Any]]] = []
        self.acknowledged: list[Delivery] = []
        self.comes: asyncio.Queue[Incoming] = asyncio.Queue()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.refuses: Exception | None = None
        self.closed = False

    async def run(self) -> None:
        await self.ended

    async def receive(self) -> Incoming:
        return await self.comes.get()

    def acknowledge(self, delivery: Delivery) -> None:
        self.acknowledged.append(delivery)

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        user_properties: UserProperties = (),
        reply: Reply | None = None,
        qos: int = 1,
    ) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.sent.append((topic, payload, {"retain": retain, "reply": reply, "qos": qos}))

    async def close(self) -> None:
        self.closed = True


class PlainLink:
    """The same, seen as a link that knows neither properties nor another quality than 1."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def run(self) -> None:
        await self.link.run()

    async def receive(self) -> Incoming:
        return await self.link.receive()

    def acknowledge(self, delivery: Delivery) -> None:
        self.link.acknowledge(delivery)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self.link.publish(topic, payload, retain=retain)

    async def close(self) -> None:
        await self.link.close()


@asynccontextmanager
async def mapped(
    attempts: Asked | None = None,
    *,
    link: Link | None = None,
    plain: bool = False,
    sent: tuple[str, ...] = (),
    features: Mapping[str, float] = FEATURES,
    **changes: Any,
) -> AsyncIterator[tuple[Link, MappedTransport]]:
    below = link or Link()
    whole = PlainLink(below) if plain else below
    transport = MappedTransport(
        whole, whole, compiled(**changes), campaign="demo", attempts=attempts or asked(("u-d1-a1", "c1")),
        features=lambda _candidate_id: features, clock=lambda: NOW, sent=SentLog(None, sent),
    )  # fmt: skip
    running = asyncio.create_task(transport.run())
    try:
        async with asyncio.timeout(600):
            yield below, transport
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def ask(transport: MappedTransport, attempt_id: str = "u-d1-a1", **told: Any) -> None:
    message = request(attempt_id, **told)
    await transport.publish(topic_of(message, recipient="furnace"), encode(message))


async def next_delivery(transport: MappedTransport) -> Delivery:
    item = await transport.receive()
    assert isinstance(item, Delivery)
    return item


def receipt(status: ReceiptStatus = ReceiptStatus.ACCEPTED, detail: str = "") -> ResultReceipt:
    return ResultReceipt(
        campaign="demo", message_id="r1", sent_at=NOW, attempt_id="u-d1-a1", simulator="furnace", status=status,
        detail=detail,
    )  # fmt: skip


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


async def test_attempts_that_are_over_are_forgotten_and_those_in_flight_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("protocols.mapping.transport.MAX_TIMES_KNOWN", 2)
    attempts = asked(("u-d1-a1", "c1"), ("u-d2-a1", "c2"), ("u-d3-a1", "c3"))
    async with mapped(attempts) as (link, transport):
        for attempt_id in ("u-d1-a1", "u-d2-a1"):
            await ask(transport, attempt_id)
        attempts.close("u-d2-a1")
        await ask(transport, "u-d3-a1")
        await ask(transport, "u-d1-a1")
        assert [json.loads(payload)["job"] for _, payload, _ in link.sent] == ["u-d1-a1", "u-d2-a1", "u-d3-a1"]


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
