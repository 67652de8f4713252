"""The agent's link: a session at the broker, signatures, and a translator where a lab speaks its own messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.campaign.state import Campaign
from agent.runtime.asked import AskedAttempts
from agent.runtime.messages import MessageBuilder
from agent.store.commit import OutboxItem
from protocols.link.broker_settings import BrokerSettings
from protocols.link.client_ids import agent_client_id
from protocols.link.mqtt import MqttSession
from protocols.link.sessions import SessionEnd
from protocols.link.transport import PropertyTransport, Transport, Will
from protocols.mapping.mapping import LabMapping
from protocols.mapping.sent_log import SentLog
from protocols.mapping.transport import MappedTransport
from protocols.signing.transport import SignedTransport, Signing
from protocols.tracing.session import TracedSession
from protocols.wire.messages import Health
from protocols.wire.topics import PREFIX, agent_subscriptions

MAX_FILTERS: Final = 64
"""Filters that the embedded broker takes of one client."""


def make_link(
    broker: BrokerSettings,
    campaign: Campaign,
    messages: MessageBuilder,
    signing: Signing,
    *,
    mapping: LabMapping | None,
    sent: Path | None,
    unconfirmed: Sequence[OutboxItem],
    ending: Callable[[], SessionEnd],
    on_event: Callable[..., Any],
    may_repeat: Callable[[], bool] = lambda: True,
    is_traced: bool = False,
) -> Transport:
    """Return the link of a campaign's agent.

    Args:
        broker: Where the broker is.
        campaign: As far as it has come.
        messages: Writes the agent's messages.
        signing: The keys.
        mapping: How a lab's own messages are translated; None where all speak ours.
        sent: File that says which requests may be with such a lab; None keeps nothing over a restart.
        unconfirmed: Requests that the broker did not confirm to an earlier process.
        ending: Tells, when we leave, what is to become of our session.
        on_event: Called with a short name and fields for the log.
        may_repeat: Tells whether a request to such a lab may be repeated just now.
        is_traced: Whether requests say to which trace they belong.
    """
    name = campaign.plan.campaign
    of_lab = () if mapping is None else mapping.subscriptions
    own = agent_subscriptions(name, campaign.plan.recipients) if mapping is None or mapping.settings.own_topics else ()
    if own and len(own) + len(of_lab) > MAX_FILTERS:
        own = agent_subscriptions(name)

    def will() -> Will:
        return signing.will(Will(*messages.status(Health.OFFLINE)))

    session: PropertyTransport = MqttSession(
        broker,
        client_id=agent_client_id(name, messages.instance),
        subscriptions=(*own, *of_lab),
        will=will if own else None,  # of its own for each connection
        ending=ending,
        clears=lambda topic: topic.startswith(f"{PREFIX}/"),  # a set point of a lab stays where it is
        on_event=on_event,
    )
    if is_traced:
        session = TracedSession(session)
    signed = SignedTransport(session, signing)
    if mapping is None:
        return signed
    asked = AskedAttempts(campaign, messages)
    return MappedTransport(
        signed,
        session,
        mapping,
        campaign=name,
        attempts=asked,
        features=asked.features_of,
        clock=lambda: datetime.now(UTC),
        sent=SentLog(sent, asked.sent(unconfirmed)),
        on_event=on_event,
        may_repeat=may_repeat,
    )
