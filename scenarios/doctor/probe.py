"""A client that tells what a session hides or mends by itself: the codes of every answer, and what came of a message.

It keeps no session, announces nothing, and is called what no part of a lab is called.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, Self

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from protocols.link.broker_limits import BrokerLimits, limits_of
from protocols.link.broker_settings import BrokerAddress, BrokerSettings, MqttVersion
from protocols.link.client import NOT_KEPT_S, leave, new_client
from protocols.link.codes import UNSPECIFIED, LinkState, code_of, code_value, reason_text
from protocols.link.failures import LOOK_AT_IT, UNANSWERED, Failure, of_opening, of_refusal, state_of
from protocols.link.tcp import give_up_answers, hang_up, open_socket, write_at_once
from protocols.wire.fresh_ids import fresh_id

ANSWER_TIMEOUT_S: Final = 5.0
"""How long a broker may take to answer [s]: a healthy one takes milliseconds, over a satellite one second."""

KEPT_S: Final = 5
"""How long a broker keeps what is tried for somebody who is away, where MQTT 5 lets us say so [s]."""

ENDED_CODE: Final = -1
"""Stands for the code of a broker that ended the connection instead of giving one."""

NO_ANSWER: Final = -2
"""Stands for the code of one that gave none."""


class NotLetIn(Exception):
    """The broker took no connection of ours, or no greeting.

    Args:
        failure: Why.
        code: What its CONNACK said; negative where there was none.
        reached: Whether a connection stood over which we greeted it.
    """

    def __init__(self, failure: Failure, code: int, *, reached: bool) -> None:
        self.failure = failure
        self.code = code
        self.reached = reached
        super().__init__(failure.reason)


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came.

    Attributes:
        topic: On which.
        payload: What it says.
        retained: Whether the broker had kept it.
        at_s: When [s, monotonic].
    """

    topic: str
    payload: bytes
    retained: bool
    at_s: float


class Probe:
    """One connection; use `let_in` to make it.

    Args:
        client: Connected.
        limits: What the broker said on connecting.
        version: What is spoken.
    """

    def __init__(self, client: aiomqtt.Client, limits: BrokerLimits, version: MqttVersion) -> None:
        self.limits = limits
        self.version = version
        self.came: list[Came] = []
        """What came so far, in order."""
        self.is_up = True
        self._client = client
        self._news = asyncio.Event()
        self._confirmed: dict[int, int] = {}
        self._listening = asyncio.create_task(self._listen())

    async def subscribe(self, topics: str) -> tuple[int, float]:
        """Subscribe; return the code of the answer, and how long it took [s]."""
        began = time.perf_counter()
        try:
            (code,) = await self._client.subscribe(topics, qos=1)
        except aiomqtt.MqttError as error:
            return self._no_code(error), time.perf_counter() - began
        return code_value(code), time.perf_counter() - began

    async def unsubscribe(self, topics: str) -> None:
        """Hear no more of a filter."""
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.unsubscribe(topics)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish what nobody is to find later; return the code of the confirmation.

        Over MQTT 3.1.1 a message cannot expire: with QoS 0 it is at least kept for nobody who is away. Then there is no
        code but 0. What is to be retained is confirmed over both.
        """
        is_confirmed = retain or self.version is MqttVersion.V5
        try:
            message = self._client._client.publish(  # noqa: SLF001 - to learn the id
                topic, payload, qos=int(is_confirmed), retain=retain, properties=self._expiring(retain=retain)
            )
            if not is_confirmed:
                return 0 if self.is_up else ENDED_CODE
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while message.mid not in self._confirmed and self.is_up:
                    await self._something_new()
        except TimeoutError:
            return NO_ANSWER
        return self._confirmed.get(message.mid, ENDED_CODE)

    async def heard(self, topic: str, payload: bytes, seconds: float) -> Came | None:
        """Return a message when it comes; None where it does not come within a time [s]."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    found = next((each for each in self.came if (each.topic, each.payload) == (topic, payload)), None)
                    if found is not None or not self.is_up:
                        return found
                    await self._something_new()
        return None

    async def quiet(self, seconds: float, at_most: float) -> None:
        """Wait until nothing has come for a time, or a longer one has passed [s]."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most):
                while self.is_up:
                    async with asyncio.timeout(seconds):
                        await self._something_new()

    async def _something_new(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _note_confirmed(self, mid: int, code: int) -> None:
        self._confirmed[mid] = code
        self._news.set()

    def _expiring(self, *, retain: bool) -> Properties | None:
        if self.version is not MqttVersion.V5 or retain:
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = KEPT_S
        return properties

    def _no_code(self, error: aiomqtt.MqttError) -> int:
        return NO_ANSWER if self.is_up and "timed out" in str(error) else ENDED_CODE

    async def _listen(self) -> None:
        try:
            async for message in self._client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                self.came.append(Came(str(message.topic), payload, bool(message.retain), time.monotonic()))
                self._news.set()
        except aiomqtt.MqttError:
            pass  # whoever waits is told
        finally:
            self.is_up = False
            self._news.set()

    async def close(self) -> None:
        """Leave in order."""
        if self.is_up:
            leave(self._client, self.version, for_good=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._listening), 1.0)
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    @classmethod
    @contextlib.asynccontextmanager
    async def let_in(cls, settings: BrokerSettings, version: MqttVersion) -> AsyncIterator[Self]:
        """Connect as long as the block lasts.

        Args:
            settings: Of the broker.
            version: 5 or 3.1.1.

        Raises:
            NotLetIn: When the broker does not let us in.
            SettingsError: When a password or a file of TLS cannot be had.
        """
        address, name = settings.address(), f"entropilot-doctor-{fresh_id()[:12]}"
        client = new_client(settings, address, name, version, expiry_s=NOT_KEPT_S, timeout_s=ANSWER_TIMEOUT_S)
        told: list[BrokerLimits] = []
        _follow_greeting(client, told)
        write_at_once(client)
        reached = False
        try:
            await open_socket(client)
            reached = True
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            hang_up(client._client)  # noqa: SLF001 - aiomqtt leaves open what was never confirmed
            raise NotLetIn(_of_greeting(error, address, name, version), code_of(error), reached=True) from None
        except OSError as error:
            hang_up(client._client)  # noqa: SLF001 - as above
            raise NotLetIn(of_opening(error, address, settings), ENDED_CODE, reached=reached) from None
        probe = cls(client, told[0] if told else BrokerLimits(), version)
        _follow_confirmations(client, probe)
        try:
            yield probe
        finally:
            await probe.close()
            hang_up(client._client)  # noqa: SLF001 - as above


def _of_greeting(error: aiomqtt.MqttError, address: BrokerAddress, name: str, version: MqttVersion) -> Failure:
    """Return why a broker that we greeted did not let us in."""
    code = code_of(error)
    if (known := of_refusal(code, address, name)) is not None:
        return Failure.known(known)
    greeting = f"our greeting of MQTT {version.value}"
    if "timed out" in str(error):
        return Failure(UNANSWERED.format(greeting=greeting), advice=LOOK_AT_IT, state=LinkState.SILENT)
    if code < 0 or code == UNSPECIFIED:
        return Failure(f"it ended the connection instead of answering {greeting}", advice=LOOK_AT_IT)
    return Failure(f"it answers {greeting} with: {reason_text(code)}", advice=LOOK_AT_IT, state=state_of(code))


def _follow_greeting(client: aiomqtt.Client, told: list[BrokerLimits]) -> None:
    """Note what a CONNACK says besides its code, and let nobody wait for one that will not come."""
    paho = client._client  # noqa: SLF001 - aiomqtt tells none of it
    tell: Any = paho.on_connect
    tell_disconnected: Any = paho.on_disconnect

    def connected(paho_client: Any, context: Any, flags: Any, code: Any, properties: Any = None) -> None:
        told.append(limits_of(properties))
        tell(paho_client, context, flags, code, properties)

    def disconnected(*said: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # aiomqtt asks a future that we cancelled how it ended
            tell_disconnected(*said)
        give_up_answers(client)

    paho.on_connect = connected
    paho.on_disconnect = disconnected


def _follow_confirmations(client: aiomqtt.Client, probe: Probe) -> None:
    """Note the code of every PUBACK."""
    paho = client._client  # noqa: SLF001 - aiomqtt drops them

    def published(_client: Any, _context: Any, mid: int, code: Any, _properties: Any) -> None:
        probe._note_confirmed(mid, max(code_value(code), 0))  # noqa: SLF001 - of this module

    paho.on_publish = published
