"""What a broker can do, asked by raw clients: each probe gives the words that stand in the table of the documents."""

from __future__ import annotations

import contextlib
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support.commands import until
from tests.support.lab_brokers.way import Way

YES: Final = "yes"
NO: Final = "no"

ANSWER_S: Final = 60.0
"""How long a broker may take to answer at all."""

QUIET_S: Final = 1.0
"""How long to listen for what may never come, after a message that came behind it."""

KEPT: Final = 100
"""Messages that wait for a client that is away."""

MANY: Final = 200
"""Messages for a client that acknowledges none: more than any broker has under way by default."""

SIZES_KB: Final = (64, 1_000, 10_000)
"""Sizes of messages that are tried [kB]; the first is our largest."""


class Client:
    """A client, and what it hears; it acknowledges unless it is told not to."""

    def __init__(self, way: Way, name: str, *, clean: bool = True, version: int = 4, **options: Any) -> None:
        parts, is_5 = urlsplit(way.url), version == MQTTProtocolVersion.MQTTv5
        own: dict[str, Any] = {} if is_5 else {"clean_session": clean}
        self.link = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion(version),
            manual_ack=not options.pop("acknowledges", True), **own,
        )  # fmt: skip
        if parts.username:
            self.link.username_pw_set(unquote(parts.username), unquote(parts.password or "") or way.password)
        if will := options.pop("will", None):
            self.link.will_set(will, b"gone", qos=1, retain=True)
        self.heard: list[paho.MQTTMessage] = []
        self.granted: list[Any] = []
        self.came, self.refused = threading.Event(), False
        self.link.on_connect = self._connected
        self.link.on_disconnect = self._ended
        self.link.on_message = lambda _client, _data, message: self.heard.append(message)
        self.link.on_subscribe = lambda _client, _data, _mid, codes, _more: self.granted.append(codes[0])
        more: dict[str, Any] = {"clean_start": clean} if is_5 else {}
        self.link.connect(parts.hostname or "", parts.port or 0, **more)
        self.link.loop_start()
        self.came.wait(ANSWER_S)

    def _connected(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        self.refused = code.is_failure
        self.came.set()

    def _ended(self, *_: Any) -> None:
        self.refused = self.refused or not self.came.is_set()  # hung up on before a word
        self.came.set()

    def hear(self, topics: str) -> str:
        """Subscribe; return whether it is granted."""
        before = len(self.granted)
        self.link.subscribe(topics, qos=1)
        until(lambda: len(self.granted) > before, "a subscription is not answered")
        return NO if self.granted[-1].is_failure else YES

    def say(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> None:
        """Publish with QoS 1, and wait for the confirmation."""
        self.link.publish(topic, payload, qos=1, retain=retain).wait_for_publish(ANSWER_S)

    def count(self, payload: bytes = b"x") -> int:
        """How many messages of a payload it has heard."""
        return sum(each.payload == payload for each in self.heard)

    def cut(self) -> None:
        """End the link as a power cut does."""
        self.link.loop_stop()
        link: Any = self.link.socket()
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        link.close()

    def leave(self) -> None:
        """End the link in order."""
        self.link.disconnect()
        self.link.loop_stop()


class Probes:
    """Asks one broker.

    Args:
        way: How it is reached, without TLS.
    """

    def __init__(self, way: Way) -> None:
        self._way = way
        self._topic = f"probe/{uuid.uuid4().hex[:8]}"
        self._clients = 0

    @contextlib.contextmanager
    def _client(self, **options: Any) -> Iterator[Client]:
        self._clients += 1
        client = Client(self._way, options.pop("name", f"{self._topic[6:]}-{self._clients}"), **options)
        try:
            yield client
        finally:
            client.leave()

    def _after(self, hearing: Client, saying: Client, topic: str) -> None:
        """Wait until what came before a last message is surely there."""
        saying.say(topic, b"end")
        until(lambda: hearing.count(b"end") > 0, "nothing comes any more")

    def mqtt_5(self) -> str:
        """Whether MQTT 5 is spoken."""
        client = Client(self._way, "probe-5", version=MQTTProtocolVersion.MQTTv5)
        client.leave()
        return NO if client.refused or not client.came.is_set() else YES

    def retained_exact(self) -> str:
        """Whether who subscribes to a topic gets what it retains."""
        return self._retained(f"{self._topic}/kept")

    def retained_wildcard(self) -> str:
        """The same for a filter with `+`."""
        return self._retained(f"{self._topic}/+")

    def _retained(self, wanted: str) -> str:
        with self._client() as saying, self._client() as hearing:
            saying.say(f"{self._topic}/kept", b"kept", retain=True)
            hearing.hear(wanted)
            self._after(hearing, saying, f"{self._topic}/kept")
            threading.Event().wait(QUIET_S)
            saying.say(f"{self._topic}/kept", b"", retain=True)
            return YES if any(each.retain and each.payload == b"kept" for each in hearing.heard) else NO

    def last_will(self) -> str:
        """Whether a last will is told when a link is cut."""
        with self._client() as hearing:
            hearing.hear(f"{self._topic}/will")
            Client(self._way, f"{self._topic[6:]}-mortal", will=f"{self._topic}/will").cut()
            until(lambda: hearing.count(b"gone") > 0, "no last will")
            hearing.say(f"{self._topic}/will", b"", retain=True)
            return YES

    def kept_while_away(self) -> str:
        """How many of the messages are there when a client comes back."""
        name = f"{self._topic[6:]}-away"
        with self._client(name=name, clean=False) as away:
            away.hear(f"{self._topic}/away")
        with self._client() as saying:
            for _ in range(KEPT):
                saying.say(f"{self._topic}/away")
            with self._client(name=name, clean=False) as back:
                self._after(back, saying, f"{self._topic}/away")
                found = back.count()
        self._client(name=name).__enter__().leave()  # a clean session ends the other
        return f"{found} of {KEPT}"

    def given_again(self) -> str:
        """How many unacknowledged messages come again after a cut."""
        name = f"{self._topic[6:]}-lazy"
        with self._client() as saying:
            lazy = Client(self._way, name, clean=False, acknowledges=False)
            lazy.hear(f"{self._topic}/lazy")
            for _ in range(10):
                saying.say(f"{self._topic}/lazy")
            until(lambda: lazy.count() == 10, "they do not come")
            lazy.cut()
            with self._client(name=name, clean=False) as back:
                self._after(back, saying, f"{self._topic}/lazy")
                found = back.count()
        self._client(name=name).__enter__().leave()
        return f"{found} of 10"

    def under_way(self) -> str:
        """How many messages a client gets that acknowledges none, over MQTT 3.1.1."""
        with self._client(acknowledges=False) as lazy, self._client() as saying:
            lazy.hear(f"{self._topic}/many")
            for _ in range(MANY):
                saying.link.publish(f"{self._topic}/many", b"x", qos=1)
            saying.say(f"{self._topic}/other")
            before = -1
            while before != lazy.count():
                before = lazy.count()
                threading.Event().wait(QUIET_S)
            return str(before) if before < MANY else "no limit"

    def shared(self) -> str:
        """What two members of a shared subscription get of 20 messages."""
        with self._client() as one, self._client() as other, self._client() as saying:
            topics = f"$share/lab/{self._topic}/shared"
            if NO in {one.hear(topics), other.hear(topics)}:
                return "refused"
            for _ in range(20):
                saying.say(f"{self._topic}/shared")
            one.hear(f"{self._topic}/end")
            self._after(one, saying, f"{self._topic}/end")
            threading.Event().wait(QUIET_S)
            got = one.count() + other.count()
            return "dealt" if got == 20 else f"granted, and {got or 'none'} of 20 come"

    def largest(self) -> str:
        """The largest of the sizes that is taken and given to who listens."""
        taken = 0
        for size in SIZES_KB:
            payload = b"y" * (size * 1_000)
            with self._client() as hearing, self._client() as saying:
                hearing.hear(f"{self._topic}/large")
                saying.link.publish(f"{self._topic}/large", payload, qos=1)
                waits = threading.Event()
                for _ in range(100):
                    if hearing.count(payload) or not saying.link.is_connected():
                        break
                    waits.wait(0.1)
                if not hearing.count(payload):
                    break
                taken = size
        return f"{taken} kB" + (" and more" if taken == SIZES_KB[-1] else "")


PROBES: Final[dict[str, Callable[[Probes], str]]] = {
    "MQTT 5": Probes.mqtt_5,
    "retained messages, for a topic": Probes.retained_exact,
    "retained messages, for a filter with `+`": Probes.retained_wildcard,
    "last will": Probes.last_will,
    "kept for a client that is away": Probes.kept_while_away,
    "given again when not acknowledged": Probes.given_again,
    "under way without acknowledgement": Probes.under_way,
    "shared subscriptions": Probes.shared,
    "largest message": Probes.largest,
}
"""Row of the table -> how it is measured."""
