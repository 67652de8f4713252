"""Tests of saying beside a request to which trace it belongs."""

from __future__ import annotations

from protocols.link.transport import LinkUp, PropertyTransport, Reply, UserProperties
from protocols.signing.transport import SignedTransport
from protocols.tracing.ids import TRACEPARENT, traceparent_of
from protocols.tracing.session import TracedSession
from protocols.tracing.span import SEND
from protocols.wire.codec import encode, topic_of
from tests.support.sample_messages import receipt, request
from tests.support.samples.keys import SIGNING
from tests.unit.protocols.signing.test_transport import Carrier

ASKED = request("a-1")
REQUEST = topic_of(ASKED, recipient="any"), encode(ASKED)


class Session(Carrier):
    """A session that also takes where an answer is wanted."""

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
        await super().publish(topic, payload, retain=retain, user_properties=user_properties)


async def test_a_request_carries_its_trace_and_what_it_carried_before() -> None:
    session = Session()
    await TracedSession(session).publish(*REQUEST, user_properties=(("mine", "1"),))
    assert session.sent == [(*REQUEST, False, (("mine", "1"), (TRACEPARENT, traceparent_of("a-1", SEND))))]


async def test_any_other_message_goes_as_it_is() -> None:
    session, message = Session(), receipt("a-1")
    await TracedSession(session).publish(topic_of(message), encode(message), retain=True)
    assert session.sent == [(topic_of(message), encode(message), True, ())]


async def test_a_link_without_properties_carries_none() -> None:
    session = Session(carries_properties=False)
    await TracedSession(session).publish(*REQUEST)
    assert session.sent == [(*REQUEST, False, ())]


async def test_a_signature_holds_beside_a_trace() -> None:
    session = Session()
    signed = SignedTransport(TracedSession(session), SIGNING)
    await signed.publish(*REQUEST)
    delivery = await signed.receive()
    assert getattr(delivery, "signed_by", "") == "agent"
    assert not getattr(delivery, "signature_fault", "?")


async def test_all_else_is_the_session_s_own() -> None:
    session = Session()
    traced = TracedSession(session)
    assert isinstance(traced, PropertyTransport)
    await traced.run()
    assert await traced.receive() == LinkUp(session_present=False)
    traced.acknowledge("delivery")  # type: ignore[arg-type]  # whatever it is, it is handed on
    await traced.close()
    assert (session.ran, session.acknowledged, session.closed) == (True, ["delivery"], True)
