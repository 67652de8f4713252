"""Device clients in the manner of each mapping of the library, in plain paho: none knows a word of ours."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

ABSOLUTE_ZERO_C: Final = -273.15


class Device:
    """A client that does something with every message.

    Args:
        host: Of the broker.
        port: Of the broker.
        topics: What it subscribes to.
        version: Of MQTT.
        will: Topic and payload of a retained last will; none for none.
        hello: What it says, retained, when it is connected.
    """

    def __init__(
        self,
        host: str,
        port: int,
        topics: tuple[str, ...],
        *,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
        will: tuple[str, str] | None = None,
        hello: str = "",
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._topics = topics
        self._will = will
        self._hello = hello
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=version)
        self.client.on_connect = self._connected
        self.client.on_message = self._message
        if will is not None:
            self.client.will_set(*will, qos=1, retain=True)
        self.client.connect(host, port)
        self.client.loop_start()

    def end(self) -> None:
        """Leave without a word, so that the last will is said."""
        self.client._sock_close()
        self.client.loop_stop()

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Do what is asked."""

    def say(self, topic: str, payload: str, **options: Any) -> None:
        """Publish."""
        self.client.publish(topic, payload, qos=1, **options)

    def _connected(
        self, client: Client, _data: object, _flags: ConnectFlags, _code: ReasonCode, _properties: Properties | None
    ) -> None:
        for topic in self._topics:
            client.subscribe(topic, qos=1)
        if self._will is not None:
            client.publish(self._will[0], self._hello, qos=1, retain=True)

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.heard.append((message.topic, payload))
        self.act(message.topic, payload, message)


def strength_mpa(temperature_k: float, minutes: float) -> float:
    """What the furnace makes of a recipe [MPa]."""
    return round(300.0 + 0.2 * (temperature_k - 900.0) + 5.0 * math.log1p(minutes), 6)


class PlainJsonFurnace(Device):
    """Takes jobs in °C, tells strengths in kPa, and fails where its door is open."""

    def __init__(self, host: str, port: int, *, doors_open: int = 0) -> None:
        self._doors_open = doors_open
        topics = ("lab/furnace-1/run", "lab/furnace-1/answer")
        super().__init__(host, port, topics, will=("lab/furnace-1/presence", "offline"), hello="online")

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Carry out a job."""
        if not topic.endswith("/run"):
            return
        job = json.loads(payload)
        if self._doors_open:
            self._doors_open -= 1
            self.say("lab/furnace-1/failed", json.dumps({"job": job["job"], "error": "door_open", "text": "shut it"}))
            return
        recipe = job["recipe"]
        strength = strength_mpa(recipe["temperature"] - ABSOLUTE_ZERO_C, recipe["minutes"])
        answer = {
            "job": job["job"],
            "data": {"strength": strength * 1000.0, "error": 1500.0},
            "seconds": 60.0 * recipe["minutes"],
            "by": "Ada",
        }
        self.say("lab/furnace-1/done", json.dumps(answer))


class Light(Device):
    """Shines in a colour and tells what its sensor saw; repeats both ids, and says nothing else."""

    BOARD = "e66130100f8b9c33"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port, (f"sdl-demo/picow/{self.BOARD}/GPIO/28",))

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Shine, and look."""
        asked = json.loads(payload)
        colour = asked["command"]
        seen = 10.0 * colour["R"] + 3.0 * colour["G"] + colour["B"]
        ids = {"experiment_id": asked["experiment_id"], "session_id": asked["session_id"]}
        self.say(
            f"sdl-demo/picow/{self.BOARD}/as7341",
            json.dumps({"sensor_data": {"ch583": seen}, "onboard_temperature_K": 301.2, **ids}),
        )


class Press(Device):
    """A PLC: remembers set points, and measures when it is started.

    Args:
        host: Of the broker.
        port: Of the broker.
        slow_s: How long a run takes [s].
    """

    def __init__(self, host: str, port: int, *, slow_s: float = 0.0) -> None:
        self._points: dict[str, float] = {}
        self._slow_s = slow_s
        topics = ("plc/Press_01/SP/+", "plc/Press_01/CMD/start")
        super().__init__(host, port, topics, will=("plc/Press_01/online", "0"), hello="1")

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Take a set point, or run."""
        name = topic.rsplit("/", 1)[-1]
        if name != "start":
            self._points[name] = float(payload)
            return
        time.sleep(self._slow_s)
        kelvin, mpa = self._points["temperature"] - ABSOLUTE_ZERO_C, self._points["pressure"] / 10.0
        told = [("density", f"{density(kelvin, mpa):.6f}"), ("temperature", f"{self._points['temperature']:.3f}")]
        for each, value in told if len(self.heard) % 2 else reversed(told):
            self.say(f"plc/Press_01/PV/{each}", value)


def density(temperature_k: float, pressure_mpa: float) -> float:
    """What the press makes [g/cm³]."""
    return round(7.0 + 1e-4 * temperature_k + 0.01 * pressure_mpa, 6)


class Oven(Device):
    """Announces itself as Home Assistant's devices do, and answers where it is told, over MQTT 5."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            host, port, ("home/oven_1/set",), version=MQTTProtocolVersion.MQTTv5,
            will=("home/oven_1/availability", "offline"), hello="online",
        )  # fmt: skip

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Bake, and tell how hard it became."""
        recipe = json.loads(payload)
        asked: Any = message.properties
        answer: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        answer.CorrelationData = asked.CorrelationData
        hardness = 100.0 + 0.1 * (recipe["temperature"] - ABSOLUTE_ZERO_C) + recipe["minutes"]
        self.say(
            asked.ResponseTopic,
            json.dumps({"hardness": round(hardness, 6), "unit": "HV", "battery": 87}),
            properties=answer,
        )


class Phone(Device):
    """A person's app: shows what is to be done, and sends one number, with a comma.

    Args:
        first: What the person types instead the first time.
    """

    def __init__(self, host: str, port: int, measure: Callable[[str], float], *, first: str = "") -> None:
        self._measure = measure
        self._first = first
        self._last = ""
        self.answers: list[str] = []
        super().__init__(host, port, ("bench/anna/todo", "bench/anna/answer"))

    def act(self, topic: str, payload: bytes, message: MQTTMessage) -> None:
        """Measure; type again what was not understood."""
        text = payload.decode()
        if topic.endswith("/answer"):
            self.answers.append(text)
            if text.startswith("refused"):
                self._type(self._last)
            return
        self._last = f"{self._measure(text.split(',')[0].removeprefix('measure ')):.3f}".replace(".", ",")
        typed, self._first = self._first or self._last, ""
        self._type(typed)

    def _type(self, number: str) -> None:
        self.say("bench/anna/value", number)
