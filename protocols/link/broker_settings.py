"""How to reach a broker. Validated once; used by the agent, the simulators and the recorder alike."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, field_validator

from protocols.link.credentials import login_from_file
from protocols.link.passwords import WAYS, password_of_file, password_of_keyring
from protocols.settings.url_secrets import holds_password, without_password

EMBEDDED = "embedded"
MOSQUITTO = "mosquitto"

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""URL scheme -> port, as registered for MQTT and as usual for WebSockets."""

MAX_PORT = 65_535
"""Largest number of a port."""

MEANT_BY: Final = {
    "": "mqtt", "tcp": "mqtt", "mqtt+tcp": "mqtt", "http": "ws", "mqtt+ws": "ws",
    "ssl": "mqtts", "tls": "mqtts", "mqtt+ssl": "mqtts", "mqtt+tls": "mqtts", "https": "wss", "mqtt+wss": "wss",
}  # fmt: skip
"""Schemes that other programs write -> ours."""


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
    mqtt://user@host:1883, mqtts://host:8883, ws://host:9001/mqtt. A password in it is refused on a command line."""
    username: str | None = None
    """User name, if not in the URL."""
    password: SecretStr | None = None
    """Password; by ENTROPILOT_BROKER__PASSWORD, and never on a command line. It goes before a file and a keyring."""
    password_file: str | None = None
    """File that holds the password in its only line; nobody else may read it."""
    keyring: str | None = None
    """Service under which the system's keyring holds the password of the user: `keyring set SERVICE USER` puts it there
    (the extra `keyring`)."""
    credentials_file: str | None = None
    """File of names and passwords that `entropilot broker` wrote; without one, that of a broker on this machine."""
    ca_file: str | None = None
    """Certificate authority to trust instead of the system's, a PEM file, for mqtts and wss."""
    cert_file: str | None = None
    """Certificate of our own for a broker that asks for one, a PEM file, for mqtts and wss."""
    key_file: str | None = None
    """Its private key without a passphrase, a PEM file, if it is not in `cert_file`."""
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
        if (unclear := _unclear(url)) is not None:
            raise ValueError(unclear)
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not _can_be_looked_up(parts.hostname):
            words = f"{', '.join(cls.started_for_you)}, or " if cls.started_for_you else ""
            message = (
                f"{without_password(url)!r} is no broker; expected {words}mqtt://host:port "
                f"(mqtts:// with TLS, ws:// and wss:// over WebSockets){_likely(url)}"
            )
            raise ValueError(message)
        if not _has_usable_port(url):
            message = (
                f"the port of {without_password(url)!r} is none; expected a number from 1 to {MAX_PORT}"
                f"{_NO_PARTS if holds_password(url) else ''}"
            )
            raise ValueError(message)
        return url

    @property
    def is_ours(self) -> bool:
        """Whether it is one that a run brings along."""
        return self.url in self.started_for_you

    @property
    def redacted_url(self) -> str:
        """The URL without its password, for logs."""
        return without_password(self.url)

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
            SettingsError: When the password cannot be had from the file or the keyring that is named, or a credentials
                file is not what it must be.
        """
        parts = urlsplit(self.url)
        host, port = parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORTS[parts.scheme]
        username = unquote(parts.username) if parts.username else self.username
        password = SecretStr(unquote(parts.password)) if parts.password else self._kept_password(username)
        if password is None:
            username, password = self._login_from_file(host, port, username)
        return BrokerAddress(
            scheme=parts.scheme, host=host, port=port, path=parts.path or "/mqtt", username=username, password=password
        )

    def _kept_password(self, username: str | None) -> SecretStr | None:
        if self.password is not None:
            return self.password
        if self.password_file is not None:
            return password_of_file(self.password_file)
        return None if self.keyring is None else password_of_keyring(self.keyring, username)

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


_NO_PARTS: Final = (
    ". In a user name or password write %2F for /, %23 for #, %3F for ?, %40 for @, %20 for a blank; or give the "
    f"password elsewhere: {WAYS}"
)


def _unclear(url: str) -> str | None:
    """Tell what keeps a URL from being read in one way only; nothing where it can."""
    authority = re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[0]
    is_unclear = bool(re.search(r"\s|[#?]", url)) or "@" in url.replace(authority, "", 1)
    return f"{without_password(url)!r} can be read in more than one way{_NO_PARTS}" if is_unclear else None


def _likely(url: str) -> str:
    """Tell how an address would be written that other programs take; nothing where a name or password is in it."""
    scheme, separator, rest = url.rpartition("://")
    meant = MEANT_BY.get(scheme.lower())
    if holds_password(url) and not separator:
        return _NO_PARTS
    if meant is None or "@" in rest or not _has_usable_port(likely := f"{meant}://{rest}") or ":" not in rest:
        return ""
    return f"; write {likely}"


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
