"""The agent's link speaks our messages; with a `[lab]` section it hears the lab's topics, and ours if wanted."""

from __future__ import annotations

from typing import Any

from agent.campaign.events import CampaignStarted
from agent.campaign.state import Campaign
from agent.runtime.link import make_link
from agent.runtime.messages import MessageBuilder
from protocols.link.broker_settings import BrokerSettings
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import Transport
from protocols.mapping.mapping import LabMapping
from protocols.mapping.transport import MappedTransport
from protocols.signing.transport import UNSIGNED, SignedTransport
from tests.support.campaigns import NOW, refold, small_plan, small_pool
from tests.support.mapping.samples import compiled

POOL = small_pool()
PLAN = small_plan(POOL)
OURS = "entropilot/v1/demo/result/simulator-1"


def link(mapping: LabMapping | None) -> Transport:
    campaign: Campaign = refold(POOL, [CampaignStarted(PLAN, {"entropilot": "test"})])
    return make_link(
        BrokerSettings(url="mqtt://lab:1883"),
        campaign,
        MessageBuilder(PLAN, evaluation_deadline_s=5.0, clock=lambda: NOW),
        UNSIGNED,
        mapping=mapping,
        sent=None,
        unconfirmed=(),
        ending=lambda: SessionEnd.KEPT,
        on_event=lambda *_args, **_fields: None,
    )


def session_of(transport: Any) -> MqttSession:
    signed = transport._inner if isinstance(transport, MappedTransport) else transport
    assert isinstance(signed, SignedTransport)
    session = signed._inner
    assert isinstance(session, MqttSession)
    return session


def test_without_a_section_only_ours_is_spoken() -> None:
    transport = link(None)
    assert isinstance(transport, SignedTransport)
    assert OURS in session_of(transport)._subscriptions


def test_with_a_section_the_labs_topics_are_heard_as_well() -> None:
    transport = link(compiled())
    assert isinstance(transport, MappedTransport)
    session = session_of(transport)
    assert {OURS, "lab/+/done"} <= set(session._subscriptions)
    assert session._will is not None
    assert [session._clears(each) for each in ("entropilot/v1/demo/metrics", "lab/F1/setpoint")] == [True, False]


def test_on_a_broker_that_is_the_labs_alone_nothing_of_ours_is_heard_or_left() -> None:
    session = session_of(link(compiled(own_topics=False)))
    assert session._subscriptions == ("lab/+/done",)
    assert session._will is None
