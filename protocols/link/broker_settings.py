"""How to reach a broker. Validated once; used by the agent, the simulators and the recorder alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from protocols.errors import BrokerError
from protocols.link.credentials import login_from_file

EMBEDDED = "embedded"
MOSQUITTO = "mosquitto"

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""URL scheme -> port, as registered for MQTT and as usual for WebSockets."""

MAX_PORT = 65_535
"""Largest number of a port."""


class MqttVersion(StrEnum):
    """Which MQTT to speak."""

    AUTO = "auto"
    """5, and 3.1.1 where the broker speaks no more."""
    V5 = "5"
    V311 = "3.1.1"


class BrokerSettings(BaseModel):
    """Where the broker is, and how patient to be with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    started_for_you: ClassVar[tuple[str, ...]] = (EMBEDDED, MOSQUITTO)
    """Words instead of a URL, for a broker that a run brings along."""

    url: str = EMBEDDED
    """`embedded` (nothing to install), `mosquitto` (found on this machine and run for you), or a URL such as
    mqtt://host:1883, mqtts://user:password@host:8883, ws://host:9001/mqtt."""
    username: str | None = None
    """User name, if not in the URL."""
    password: SecretStr | None = None
    """Password, if not in the URL."""
    credentials_file: str | None = None
    """File of names and passwords that `entropilot broker` wrote; without one, that of a broker on this machine."""
    ca_file: str | None = None
    """Certificate authority to trust, a PEM file, for mqtts and wss."""
    version: MqttVersion = MqttVersion.AUTO
    """MQTT version: auto, 5 or 3.1.1."""
    keepalive_s: Annotated[int, Field(ge=2, le=3600)] = 15
    """A dead link is noticed within two of these [s]."""
    first_connect_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """How long to look for a broker that never answered before giving up [s]."""
    publish_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long to wait for the broker's word on a message before calling it unknown [s]."""
    reconnect_min_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    """First pause before reconnecting [s]."""
    reconnect_max_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Longest pause before reconnecting [s]; pauses double, with full jitter."""

    _part: tuple[str, ...] = PrivateAttr(())

    @field_validator("url")
    @classmethod
    def _usable(cls, url: str) -> str:
        if url in cls.started_for_you:
            return url
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not _can_be_looked_up(parts.hostname):
            words = f"{', '.join(cls.started_for_you)}, or " if cls.started_for_you else ""
            message = f"{_redacted(url)!r} is no broker; expected {words}mqtt://host:port"
            raise ValueError(message)
        if not _has_usable_port(url):
            message = f"the port of {_redacted(url)!r} is none; expected a number from 1 to {MAX_PORT}"
            raise ValueError(message)
        return url

    @property
    def redacted_url(self) -> str:
        """The URL without its password, for logs."""
        return _redacted(self.url)

    def as_part(self, *names: str) -> Self:
        """Return the same broker for one part of a lab.

        Args:
            names: Accounts of a credentials file that it may take, the first that is there; one for all comes last.
        """
        settings = self.model_copy()
        settings._part = names  # noqa: SLF001 - of our own copy
        return settings

    def address(self) -> BrokerAddress:
        """Return where to connect to, and as whom, now: a broker that was started again may have new passwords.

        Raises:
            SettingsError: When a credentials file is not what it must be.
        """
        parts = urlsplit(self.url)
        host, port = parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORTS[parts.scheme]
        username = unquote(parts.username) if parts.username else self.username
        password = SecretStr(unquote(parts.password)) if parts.password else self.password
        if password is None:
            username, password = self._login_from_file(host, port, username)
        return BrokerAddress(
            scheme=parts.scheme, host=host, port=port, path=parts.path or "/mqtt", username=username, password=password
        )

    def _login_from_file(self, host: str, port: int, username: str | None) -> tuple[str | None, SecretStr | None]:
        if self.credentials_file is None and not self._part:
            return username, None
        found = login_from_file(self.credentials_file, host, port, self._part, username=username)
        return (username, None) if found is None else (found[0], SecretStr(found[1]))


class RunningBroker(BrokerSettings):
    """A broker that somebody else has started, for who does not start one."""

    started_for_you: ClassVar[tuple[str, ...]] = ()


class BrokerAddress(BaseModel):
    """A broker's address, taken apart."""

    model_config = ConfigDict(frozen=True)

    scheme: str
    host: str
    port: int
    path: str
    username: str | None
    password: SecretStr | None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def no_broker_answers(address: BrokerAddress, reason: str) -> BrokerError:
    """Return the error of who was never connected.

    Args:
        address: Where it looked.
        reason: Why the last attempt failed; empty while the first one lasts.
    """
    return BrokerError(
        f"No MQTT broker answers at {address}" + (f" ({reason})" if reason else ""),
        expected="a broker that is running and reachable",
        action="start it (`entropilot broker` does), or correct --broker; `entropilot run` has its own",
    )


def _redacted(url: str) -> str:
    password = urlsplit(url).password
    return url if password is None else url.replace(f":{password}@", ":…@")


def _has_usable_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _can_be_looked_up(name: str | None) -> bool:
    """Tell whether a host's name can be asked for at all: it has labels of 1 to 63 characters."""
    try:
        return bool((name or "").encode("idna"))
    except UnicodeError:
        return False


BrokerSettings.model_rebuild()
