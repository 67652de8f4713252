"""The one MQTT session, on aiomqtt: it connects, subscribes, and fixes itself.

What is done here because the usual way loses messages:

- Acknowledgement is manual and follows the caller's COMMIT. aiomqtt has no call for it, so its paho client is told
  directly; the contract suite guards the two private names.
- A new client for every connection: a client entered twice keeps the queue of its earlier connection.
- QoS 1 only. A QoS 2 session wedges when its client is killed: paho keeps the handshake in memory.
- Subscriptions are repeated from our own table at every connect: a broker that lost its memory does not tell.
- The reason code of every PUBACK is read: aiomqtt drops it, so a message that an access list denies would seem sent.
- TCP_NODELAY: without it a client that publishes and subscribes waits 44 ms for a delayed acknowledgement.
- We open the socket ourselves, in a thread that can be left behind: aiomqtt opens it in one that the end of the process
  waits for, however long a name or an address does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.errors import BrokerError, SettingsError, invariant
from protocols.link.broker_limits import BrokerLimits, limits_of, packet_bytes, too_large
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.link.client import (
    LISTENER_EXPIRY_S,
    SESSION_EXPIRY_S,
    leave,
    new_client,
    packed_bytes,
    wanted_of,
    with_user_properties,
)
from protocols.link.codes import (
    NO_SUBSCRIBERS,
    REFUSALS_FROM,
    RETRY_PUBLISH,
    code_value,
    is_final,
    reason_text,
)
from protocols.link.failures import Failure
from protocols.link.judge import Judge
from protocols.link.properties import properties_of
from protocols.link.sessions import SessionEnd, end_session
from protocols.link.tcp import give_up_answers, hang_up, open_socket, write_at_once
from protocols.link.tls import ENCRYPTED, tls_context
from protocols.link.transport import (
    Delivery,
    Incoming,
    LastWill,
    LinkDown,
    LinkLost,
    LinkUp,
    NobodyListens,
    PublishRefused,
    UserProperties,
    will_of,
)
from protocols.link.unconfirmed import Unconfirmed
from protocols.wire.limits import RECEIVE_MAXIMUM
from protocols.wire.topics import is_kept_after_the_end

LEAVE_TIMEOUT_S: Final = 1.0
"""How long our DISCONNECT may take to leave us: over a link that takes nothing any more it never does, and SIGTERM has
five seconds in all, of which the last words may take the most."""

STEADY_S: Final = 10.0
"""A link that held this long starts its pauses afresh, and so does one over which work was done; one that drops sooner
backs off (two clients of one id, say)."""

END_TIMEOUT_S: Final = 2.0
"""How long a session may take to remove what it retained and to end, both together: SIGTERM has five seconds in all, of
which the last words may take two."""

MAX_RETAINED_TOPICS: Final = 1_024
"""Topics that a session remembers to have retained something on: a part has one or two."""


@dataclass(frozen=True, slots=True)
class _AckToken:
    client: aiomqtt.Client
    mid: int
    qos: int


class MqttSession:
    """A persistent session with a fixed client id; implements `protocols.link.transport.Transport`.

    Args:
        settings: Where the broker is.
        client_id: Fixed, so that the broker knows us again.
        subscriptions: Topic filters, subscribed to at every connect.
        will: The last will, retained; or what makes it for each connection.
        listens_only: For who is no part of a campaign: the broker forgets us soon after we are gone, and over MQTT 5
            what is received says whether it was published to be retained.
        ending: Tells, when we leave, what is to become of our session.
        on_event: Called with a short name and fields for the log.

    Raises:
        SettingsError: When a password or a file of TLS cannot be had.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        subscriptions: tuple[str, ...],
        will: LastWill | None = None,
        listens_only: bool = False,
        ending: Callable[[], SessionEnd] = lambda: SessionEnd.KEPT,
        on_event: Callable[..., None] = lambda *_args, **_fields: None,
    ) -> None:
        self._settings = settings
        self._listens_only = listens_only
        self._address = settings.address()
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._will = will
        self._ending = ending
        self._on_event = on_event
        if self._address.scheme not in ENCRYPTED:
            tls_context(settings)  # made for every connection, for files are renewed; now only to see that it can be
        self._limits = BrokerLimits()
        self._retained: dict[str, None] = {}
        self._removed: set[str] = set()
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(maxsize=RECEIVE_MAXIMUM)
        self._client: aiomqtt.Client | None = None
        self._unconfirmed = Unconfirmed(settings.publish_timeout_s, on_event)
        self._closing = asyncio.Event()
        self._judge = Judge(settings, self._address, client_id)
        self._failures = 0
        self._up_since = math.inf
        self._has_worked = False
        self._jitter = random.Random()  # noqa: S311 - spreads reconnects; decides nothing

    @property
    def version(self) -> MqttVersion:
        """The MQTT that is spoken, or tried next."""
        return self._judge.version

    async def run(self) -> None:
        """Keep connected until cancelled or closed; see `Transport.run`."""
        started = time.monotonic()
        while not self._is_asked_to_end():
            failure = Failure("closed")
            try:
                await self._one_connection()
            except aiomqtt.MqttError as error:
                failure = await self._judge.of_connection(error)
            except OSError as error:
                failure = await self._judge.of_opening(error)
            except SettingsError as error:
                if not self._judge.ever_connected:
                    raise
                failure = Failure(error.found)
            finally:
                self._client = None
                suspicion = self._unconfirmed.link_ended()
            if self._is_asked_to_end():
                return
            self._judge.require_hope(failure, time.monotonic() - started)
            self._failures = 1 if self._held_s() >= STEADY_S or self._has_worked else self._failures + 1
            self._up_since = math.inf
            reason = failure.reason if suspicion is None else str(suspicion)
            await self._incoming.put(LinkDown(reason, failure.advice))
            pause = self._pause_s(self._failures)
            self._on_event("link_down", reason=reason, retry_in_s=round(pause, 2))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause)

    async def receive(self) -> Incoming:
        """Return the next message or change of the link."""
        return await self._incoming.get()

    def acknowledge(self, delivery: Delivery) -> None:
        """Acknowledge over the connection that delivered; over a later one it would mean another message."""
        ack_token = delivery.ack_token
        invariant(isinstance(ack_token, _AckToken), "a delivery of another transport")
        assert isinstance(ack_token, _AckToken)  # noqa: S101 - for the type checker
        if ack_token.qos > 0 and ack_token.client is self._client:
            self._has_worked = True
            ack_token.client._client.ack(ack_token.mid, ack_token.qos)  # noqa: SLF001 - aiomqtt has no public call for it

    @property
    def carries_properties(self) -> bool:
        """Whether user properties travel beside a message: with MQTT 5."""
        return self.version is MqttVersion.V5

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, user_properties: UserProperties = ()
    ) -> None:
        """Send with QoS 1 and wait for the PUBACK and its reason code."""
        code = await self._confirmation(topic, payload, user_properties, retain=retain)
        if is_final(code):  # as one flipped bit may look; a broker that means it says so again
            code = await self._confirmation(topic, payload, user_properties, retain=retain)
        if is_final(code):
            raise PublishRefused(topic, reason_text(code))
        if code == NO_SUBSCRIBERS and not retain:
            raise NobodyListens
        if code in RETRY_PUBLISH:
            raise LinkLost
        if not retain:
            self._has_worked = True
        elif len(self._retained) < MAX_RETAINED_TOPICS and not is_kept_after_the_end(topic):
            self._retained[topic] = None

    async def _confirmation(self, topic: str, payload: bytes, user_properties: UserProperties, *, retain: bool) -> int:
        """Send, and return the reason code of the PUBACK."""
        properties = with_user_properties(PacketTypes.PUBLISH, user_properties)
        async with self._unconfirmed.slots:
            client = self._client
            if client is None:
                raise LinkLost
            size = self._required_size(topic, payload, properties)
            message = client._client.publish(  # noqa: SLF001 - to learn the id
                topic, payload, qos=1, retain=retain, properties=properties
            )
            if message.rc != 0:
                raise LinkLost
            return await self._unconfirmed.answer(client, message.mid, size)

    def _required_size(self, topic: str, payload: bytes, properties: Properties | None) -> int:
        """Return the size of a packet [byte]; one that the broker said it would not take is not sent.

        Raises:
            PublishRefused: When it is larger.
        """
        size = packet_bytes(topic, payload, packed_bytes(properties) if self.carries_properties else 0)
        largest = self._limits.max_packet_bytes
        if largest is not None and size > largest:
            raise too_large(topic, size, largest)
        return size

    async def close(self) -> None:
        """Disconnect in order, and let the broker forget what is not to be kept."""
        ending = self._ending()
        deadline = asyncio.get_running_loop().time() + END_TIMEOUT_S
        if ending is SessionEnd.CLEARED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._clear_retained()
        self._closing.set()
        client = self._client
        for_good = ending is not SessionEnd.KEPT
        if client is not None and not client._disconnected.done():  # noqa: SLF001 - ends the message iterator
            leave(client, self.version, for_good=for_good)
            if for_good and self.version is MqttVersion.V311 and not self._listens_only:
                await self._end_kept_session(client, deadline)

    async def _clear_retained(self) -> None:
        """Remove what we retained; what is not confirmed is left to `entropilot broker tidy`."""
        for topic in list(self._retained):
            self._removed.add(topic)
            with contextlib.suppress(LinkLost, PublishRefused):
                await self.publish(topic, b"", retain=True)

    async def _end_kept_session(self, client: aiomqtt.Client, deadline: float) -> None:
        """Let a broker of MQTT 3.1.1 forget us: it does when the same client connects for a clean session."""
        with contextlib.suppress(TimeoutError, BrokerError, SettingsError):
            async with asyncio.timeout_at(deadline):
                await asyncio.wait([client._disconnected])  # noqa: SLF001 - else it would say our last will
                await end_session(self._settings, self._client_id, self.version)

    async def _one_connection(self) -> None:
        client = self._new_client()
        self._limits, self._has_worked = BrokerLimits(), False
        self._judge.awaited = f"our greeting of MQTT {self.version.value}"
        session_present = self._follow(client)
        write_at_once(client)
        try:
            await open_socket(client)
            async with client:
                await self._subscribe(client)
                client.timeout = LEAVE_TIMEOUT_S  # from here on it is asked for one thing only: to leave
                if self._is_asked_to_end():
                    return
                self._client = client
                self._judge.connected()
                self._unconfirmed.link_began()
                self._up_since = time.monotonic()
                told = {"limits": "; ".join(words)} if (words := self._limits.in_words()) else {}
                version = self.version.value
                self._on_event("link_up", broker=str(self._address), mqtt=version, session=session_present(), **told)
                await self._incoming.put(LinkUp(session_present()))
                async for message in client.messages:
                    self._unconfirmed.note_word()
                    if not message.payload and str(message.topic) in self._removed:
                        continue  # our own word comes back; nobody here has to hear it
                    await self._incoming.put(_delivery(client, message))
        finally:
            hang_up(client._client)  # noqa: SLF001 - see the top of this file

    def _follow(self, client: aiomqtt.Client) -> Callable[[], bool]:
        """Hear what aiomqtt does not tell, beside it; return what tells whether the broker kept our queue."""
        paho = client._client  # noqa: SLF001 - see the top of this file
        paho.manual_ack_set(on=True)
        session_present = False
        tell_aiomqtt_connected: Any = paho.on_connect
        tell_aiomqtt_disconnected: Any = paho.on_disconnect
        tell_aiomqtt_published: Any = paho.on_publish

        def connected(paho_client: Any, context: Any, flags: Any, code: Any, properties: Any = None) -> None:
            nonlocal session_present
            session_present = bool(flags.session_present)
            self._limits = limits_of(properties)
            if self._limits.receive_maximum is not None:  # paho reads nothing of it, and sends 20 at once
                most = min(self._limits.receive_maximum, paho_client.max_inflight_messages)
                paho_client._max_inflight_messages = most  # noqa: SLF001 - its setter wants to be asked before
            self._judge.awaited = "our subscriptions"
            tell_aiomqtt_connected(paho_client, context, flags, code, properties)

        def published(paho_client: Any, context: Any, mid: int, code: Any, properties: Any) -> None:
            self._unconfirmed.take(mid, int(code.value))
            tell_aiomqtt_published(paho_client, context, mid, code, properties)

        def disconnected(*told: Any) -> None:
            with contextlib.suppress(asyncio.CancelledError):  # aiomqtt asks a future that we cancelled how it ended
                tell_aiomqtt_disconnected(*told)
            give_up_answers(client)

        paho.on_connect = connected
        paho.on_disconnect = disconnected
        paho.on_publish = published
        return lambda: session_present

    def _is_asked_to_end(self) -> bool:
        """Tell whether we were, while aiomqtt awaited something: its `wait_for` may swallow a cancellation."""
        task = asyncio.current_task()
        return self._closing.is_set() or (task is not None and task.cancelling() > 0)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """Subscribe to everything in one packet.

        Some brokers send what is retained, and await its acknowledgement, before they look at the next packet; we
        acknowledge only after a commit, which comes after the subscriptions.
        """
        self._judge.require_enough(self._limits, self._subscriptions, retains=self._will is not None)
        filters = self._limits.granted(self._subscriptions)
        if not filters:
            return  # an empty packet is none
        if filters != self._subscriptions:
            self._on_event("nothing_shared", meaning="requests to `any` reach every instrument: let one serve them")
        wanted = wanted_of(filters, self.version, retain_as_published=self._listens_only)
        codes: Any = await client.subscribe(wanted)
        if len(codes) != len(filters):
            message = f"the broker answered {len(filters)} subscriptions with {len(codes)} codes"
            raise aiomqtt.MqttError(message)  # bits that flipped on the way: nothing on this connection can be trusted
        for topic, code in zip(filters, codes, strict=True):
            value = code_value(code)
            if value >= REFUSALS_FROM:
                self._judge.require_repeated(f"subscription {topic!r} refused: {reason_text(value)}")
                raise BrokerError(
                    f"The broker refuses the subscription {topic!r} ({reason_text(value)})",
                    expected="the right to subscribe to it",
                    action="let the broker's access list grant it to this user",
                )

    def _new_client(self) -> aiomqtt.Client:
        will = will_of(self._will)
        if will is not None:
            self._retained[will.topic] = None
        return new_client(
            self._settings,
            self._settings.address(),
            self._client_id,
            self.version,
            expiry_s=LISTENER_EXPIRY_S if self._listens_only else SESSION_EXPIRY_S,
            timeout_s=self._judge.patience_s(),
            will=will,
        )

    def _held_s(self) -> float:
        return time.monotonic() - self._up_since

    def _pause_s(self, failures: int) -> float:
        """Return a pause: doubling, with full jitter so that many clients do not return at once."""
        settings = self._settings
        ceiling = min(settings.reconnect_max_s, settings.reconnect_min_s * 2.0 ** min(failures - 1, 16))
        if not self._judge.ever_connected:
            return min(ceiling, settings.reconnect_min_s)  # a person waits at the first start
        return self._jitter.uniform(settings.reconnect_min_s / 2, ceiling)


def _delivery(client: aiomqtt.Client, message: aiomqtt.Message) -> Delivery:
    payload = message.payload
    content = payload if isinstance(payload, bytes) else str(payload if payload is not None else "").encode()
    ack_token = _AckToken(client, message.mid, message.qos)
    return Delivery(
        str(message.topic), content, message.retain, message.qos, ack_token, properties_of(message.properties)
    )
