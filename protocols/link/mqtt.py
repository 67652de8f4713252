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
import logging
import math
import random
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from protocols.errors import BrokerError, invariant
from protocols.link.broker_settings import BrokerSettings, MqttVersion, no_broker_answers
from protocols.link.codes import (
    NO_SUBSCRIBERS,
    REFUSALS_FROM,
    REFUSED_FOR_GOOD,
    RETRY_PUBLISH,
    TAKEN_OVER,
    code_of,
    code_value,
    is_final,
    reason_text,
)
from protocols.link.properties import properties_of
from protocols.link.tcp import hang_up, open_socket, write_at_once
from protocols.link.transport import (
    Delivery,
    Incoming,
    LinkDown,
    LinkLost,
    LinkUp,
    NobodyListens,
    PublishRefused,
    Will,
)
from protocols.wire.limits import MAX_PAYLOAD_BYTES, MAX_PUBLISHES_IN_FLIGHT, MAX_QUEUED_INCOMING, RECEIVE_MAXIMUM

SESSION_EXPIRY_S: Final = 7 * 86_400
"""How long a broker keeps our queue while we are away: over a long weekend."""

LISTENER_EXPIRY_S: Final = 120
"""How long it keeps that of a listener: over a link that fixes itself, and not for one who has gone."""

MAX_PACKET_BYTES: Final = MAX_PAYLOAD_BYTES + 4096
"""Largest packet that we let a broker send us: a payload, its topic and headers. Larger ones never reach memory."""

PROBE_TIMEOUT_S: Final = 3.0
"""How long a broker may take to answer the first MQTT 5 greeting of `auto`: the embedded one says nothing at all to it,
and a person waits. Ten round trips over a satellite."""

LEAVE_TIMEOUT_S: Final = 1.0
"""How long our DISCONNECT may take to leave us: over a link that takes nothing any more it never does, and SIGTERM has
five seconds in all, of which the last words may take the most."""

STEADY_S: Final = 10.0
"""A link that held this long starts its pauses afresh; one that drops sooner backs off (two clients of one id, say)."""


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
        will: The last will, retained.
        listens_only: For who is no part of a campaign: the broker forgets us soon after we are gone, and over MQTT 5
            what is received carries its properties, and says whether it was published to be retained.
        on_event: Called with a short name and fields for the log.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        subscriptions: tuple[str, ...],
        will: Will | None = None,
        listens_only: bool = False,
        on_event: Callable[..., None] = lambda *_args, **_fields: None,
    ) -> None:
        self._settings = settings
        self._listens_only = listens_only
        self._address = settings.address()
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._will = will
        self._on_event = on_event
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(maxsize=RECEIVE_MAXIMUM)
        self._client: aiomqtt.Client | None = None
        self._awaiting: dict[int, asyncio.Future[int]] = {}
        self._slots = asyncio.Semaphore(MAX_PUBLISHES_IN_FLIGHT)
        self._closing = asyncio.Event()
        self._ever_connected = False
        self._refused = False
        self._failures = 0
        self._up_since = math.inf
        self._version = MqttVersion.V5 if settings.version is MqttVersion.AUTO else settings.version
        self._jitter = random.Random()  # noqa: S311 - spreads reconnects; decides nothing

    async def run(self) -> None:
        """Keep connected until cancelled or closed; see `Transport.run`."""
        started = time.monotonic()
        while not self._is_asked_to_end():
            reason = "closed"
            try:
                await self._one_connection()
            except aiomqtt.MqttError as error:
                reason = self._judge(error)
            except OSError as error:
                reason = str(error)
            finally:
                self._disconnected()
            if self._is_asked_to_end():
                return
            self._failures = 1 if self._held_s() >= STEADY_S else self._failures + 1
            self._up_since = math.inf
            if not self._ever_connected and time.monotonic() - started > self._settings.first_connect_timeout_s:
                raise no_broker_answers(self._address, reason)
            await self._incoming.put(LinkDown(reason))
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
            ack_token.client._client.ack(ack_token.mid, ack_token.qos)  # noqa: SLF001 - aiomqtt has no public call for it

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Send with QoS 1 and wait for the PUBACK and its reason code."""
        code = await self._confirmation(topic, payload, retain=retain)
        if is_final(code):  # as one flipped bit may look; a broker that means it says so again
            code = await self._confirmation(topic, payload, retain=retain)
        if is_final(code):
            raise PublishRefused(topic, reason_text(code))
        if code == NO_SUBSCRIBERS and not retain:
            raise NobodyListens
        if code in RETRY_PUBLISH:
            raise LinkLost

    async def _confirmation(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Send, and return the reason code of the PUBACK."""
        async with self._slots:
            client = self._client
            if client is None:
                raise LinkLost
            answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            message = client._client.publish(topic, payload, qos=1, retain=retain)  # noqa: SLF001 - to learn the id
            if message.rc != 0:
                raise LinkLost
            self._awaiting[message.mid] = answer
            try:
                async with asyncio.timeout(self._settings.publish_timeout_s):  # wait_for may swallow a cancellation
                    return await answer
            except TimeoutError:
                raise LinkLost from None
            finally:
                self._awaiting.pop(message.mid, None)

    async def close(self) -> None:
        """Disconnect in order."""
        self._closing.set()
        client = self._client
        if client is not None and not client._disconnected.done():  # noqa: SLF001 - ends the message iterator
            client._client.disconnect()  # noqa: SLF001

    async def _one_connection(self) -> None:
        client = self._new_client()
        paho = client._client  # noqa: SLF001 - see the top of this file
        paho.manual_ack_set(on=True)
        session_present = False
        tell_aiomqtt_connected: Any = paho.on_connect
        tell_aiomqtt_disconnected: Any = paho.on_disconnect
        tell_aiomqtt_published: Any = paho.on_publish

        def connected(paho_client: Any, context: Any, flags: Any, code: Any, properties: Any = None) -> None:
            nonlocal session_present
            session_present = bool(flags.session_present)
            tell_aiomqtt_connected(paho_client, context, flags, code, properties)

        def published(paho_client: Any, context: Any, mid: int, code: Any, properties: Any) -> None:
            answer = self._awaiting.get(mid)
            if answer is not None and not answer.done():
                answer.set_result(int(code.value))
            tell_aiomqtt_published(paho_client, context, mid, code, properties)

        def disconnected(*told: Any) -> None:
            with contextlib.suppress(asyncio.CancelledError):  # aiomqtt asks a future that we cancelled how it ended
                tell_aiomqtt_disconnected(*told)

        paho.on_connect = connected
        paho.on_disconnect = disconnected
        paho.on_publish = published
        write_at_once(client)
        try:
            await open_socket(client)
            async with client:
                await self._subscribe(client)
                client.timeout = LEAVE_TIMEOUT_S  # from here on it is asked for one thing only: to leave
                if self._is_asked_to_end():
                    return
                self._client = client
                self._ever_connected, self._refused = True, False
                self._up_since = time.monotonic()
                self._on_event("link_up", broker=str(self._address), mqtt=self._version.value, session=session_present)
                await self._incoming.put(LinkUp(session_present))
                async for message in client.messages:
                    await self._incoming.put(_delivery(client, message, with_properties=self._listens_only))
        finally:
            hang_up(paho)

    def _is_asked_to_end(self) -> bool:
        """Tell whether we were, while aiomqtt awaited something: its `wait_for` may swallow a cancellation."""
        task = asyncio.current_task()
        return self._closing.is_set() or (task is not None and task.cancelling() > 0)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """Subscribe to everything in one packet.

        Some brokers send what is retained, and await its acknowledgement, before they look at the next packet; we
        acknowledge only after a commit, which comes after the subscriptions.
        """
        if not self._subscriptions:
            return  # an empty packet is none
        wanted: Any = (
            [(topic, SubscribeOptions(qos=1, retainAsPublished=self._listens_only)) for topic in self._subscriptions]
            if self._version is MqttVersion.V5
            else [(topic, 1) for topic in self._subscriptions]
        )
        codes: Any = await client.subscribe(wanted)
        if len(codes) != len(self._subscriptions):
            message = f"the broker answered {len(self._subscriptions)} subscriptions with {len(codes)} codes"
            raise aiomqtt.MqttError(message)  # bits that flipped on the way: nothing on this connection can be trusted
        for topic, code in zip(self._subscriptions, codes, strict=True):
            value = code_value(code)
            if value >= REFUSALS_FROM:
                self._require_repeated(f"subscription {topic!r} refused: {reason_text(value)}")
                raise BrokerError(
                    f"The broker refuses the subscription {topic!r} ({reason_text(value)})",
                    expected="the right to subscribe to it",
                    action="let the broker's access list grant it to this user",
                )

    def _new_client(self) -> aiomqtt.Client:
        address, settings = self._settings.address(), self._settings
        websocket = address.scheme in {"ws", "wss"}
        v5 = self._version is MqttVersion.V5
        options: dict[str, Any] = {}
        if v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = LISTENER_EXPIRY_S if self._listens_only else SESSION_EXPIRY_S
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            properties.MaximumPacketSize = MAX_PACKET_BYTES
            options |= {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": False, "properties": properties}
        else:
            # Here a session that is kept is kept for ever.
            options |= {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": self._listens_only}
        if address.scheme in {"mqtts", "wss"}:
            options["tls_context"] = ssl.create_default_context(cafile=settings.ca_file)
        if websocket:
            options |= {"transport": "websockets", "websocket_path": address.path}
        else:
            options["socket_options"] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        will = self._will
        return aiomqtt.Client(
            address.host,
            address.port,
            identifier=self._client_id,
            username=address.username,
            password=None if address.password is None else address.password.get_secret_value(),
            keepalive=settings.keepalive_s,
            timeout=min(settings.publish_timeout_s, settings.first_connect_timeout_s, self._probe_s()),
            max_queued_incoming_messages=MAX_QUEUED_INCOMING,
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=True),
            logger=_QUIET,
            **options,
        )

    def _judge(self, error: aiomqtt.MqttError) -> str:
        """Return why a connection ended, or raise when trying again cannot help."""
        code = code_of(error)
        if code in REFUSED_FOR_GOOD and not self._is_first_refusal():
            raise BrokerError(
                f"The broker at {self._address} refuses us: {reason_text(code)}",
                expected="a user name and password that it accepts",
                action="check --broker (mqtt://user:password@host) or ENTROPILOT_BROKER__PASSWORD; of a broker that "
                "`entropilot broker` started elsewhere, copy its credentials file and set broker.credentials_file",
            ) from None
        if code == TAKEN_OVER:
            raise BrokerError(
                f"Another client took the id {self._client_id!r} at {self._address}",
                expected="one client of this name",
                action="end the other one, or choose another --campaign or simulator id",
            ) from None
        reached = not isinstance(error.__context__, OSError) or isinstance(error.__context__, TimeoutError)
        if reached and not self._ever_connected and self._settings.version is MqttVersion.AUTO:
            # A broker without MQTT 5 answers with code 1 or 132, or just closes: so try the other one in turn. One
            # that is not there yet says nothing about what it speaks.
            tried = self._version
            self._version = MqttVersion.V311 if tried is MqttVersion.V5 else MqttVersion.V5
            return f"it does not take MQTT {tried.value} ({error}); next try {self._version.value}"
        return str(error) or type(error).__name__

    def _is_first_refusal(self) -> bool:
        """Tell whether a broker that took us before refuses us for the first time since: a flipped bit looks so too."""
        first = self._ever_connected and not self._refused
        self._refused = True
        return first

    def _require_repeated(self, refusal: str) -> None:
        if self._is_first_refusal():
            raise aiomqtt.MqttError(refusal)

    def _held_s(self) -> float:
        return time.monotonic() - self._up_since

    def _probe_s(self) -> float:
        probing = self._settings.version is MqttVersion.AUTO and not self._ever_connected
        return PROBE_TIMEOUT_S if probing and self._version is MqttVersion.V5 else math.inf

    def _disconnected(self) -> None:
        self._client = None
        for answer in self._awaiting.values():
            if not answer.done():
                answer.set_exception(LinkLost())

    def _pause_s(self, failures: int) -> float:
        """Return a pause: doubling, with full jitter so that many clients do not return at once."""
        settings = self._settings
        ceiling = min(settings.reconnect_max_s, settings.reconnect_min_s * 2.0 ** min(failures - 1, 16))
        if not self._ever_connected:
            return min(ceiling, settings.reconnect_min_s)  # a person waits at the first start
        return self._jitter.uniform(settings.reconnect_min_s / 2, ceiling)


def _delivery(client: aiomqtt.Client, message: aiomqtt.Message, *, with_properties: bool) -> Delivery:
    payload = message.payload
    content = payload if isinstance(payload, bytes) else str(payload if payload is not None else "").encode()
    ack_token = _AckToken(client, message.mid, message.qos)
    properties = properties_of(message.properties) if with_properties else {}
    return Delivery(str(message.topic), content, message.retain, message.qos, ack_token, properties)


_QUIET: Final = logging.getLogger("entropilot.mqtt")
_QUIET.setLevel(logging.CRITICAL)  # paho's errors of a lost socket; our own `link_down` says it
