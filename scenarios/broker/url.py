"""Where a command finds a broker of which no scenario speaks; light to import, for the help names its default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from protocols.errors import SettingsError

if TYPE_CHECKING:
    from protocols.link.broker_settings import BrokerSettings
    from protocols.settings.layers import Layer

ACCESS: Final = "access"
"""What `entropilot broker` is told instead of a broker, to write what a lab's own broker needs."""

DEFAULT_URL: Final = "mqtt://127.0.0.1:1883"
"""Where `entropilot broker` listens, and the other commands look, unless told otherwise."""


def broker_at(url: str, environ: Mapping[str, str] | None = None) -> BrokerSettings:
    """Return the broker at a URL, for who may do everything there; its user name and password may come from elsewhere.

    The environment has them as for the other commands, or the file of a broker that was started on this machine.

    Raises:
        SettingsError: When the URL is no broker's, holds a password, or is the name of one that only a run starts.
    """
    from pydantic import BaseModel

    from protocols.link.broker_settings import BrokerSettings, RunningBroker
    from protocols.link.credentials import ANYBODY
    from protocols.settings.layers import Layer, environment_layer
    from protocols.settings.resolve import resolve

    class Named(BaseModel):
        broker: RunningBroker

    require_no_password("--broker", url)
    if url in BrokerSettings.started_for_you:
        raise SettingsError(
            f"--broker {url} is a broker that `entropilot run` starts for itself, and this command starts none",
            expected="a broker that runs already: mqtt://host:port",
            action=f"start one with `entropilot broker {url}`, then say --broker {DEFAULT_URL}",
        )
    given = {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if name.startswith("ENTROPILOT_BROKER__")
    }
    layers = [environment_layer(Named, given), Layer("--broker", {"broker": {"url": url}})]
    return resolve(Named, layers).settings.broker.as_part(ANYBODY)


def operators_of(broker: BrokerSettings) -> tuple[str, ...]:
    """Return the operators whose accounts are at hand for a broker; none where somebody has named a user.

    Raises:
        SettingsError: When the file of credentials is not what it must be.
    """
    from urllib.parse import urlsplit

    from protocols.link.broker_settings import DEFAULT_PORTS
    from protocols.link.credentials import operators_in

    address = urlsplit(broker.url)
    if broker.username is not None or address.username is not None:
        return ()
    return operators_in(broker.credentials_file, address.hostname or "", address.port or DEFAULT_PORTS[address.scheme])


def require_no_password(said_by: str, value: object) -> None:
    """Check that what a command line says of a broker holds no password: everybody on the machine can read it.

    Args:
        said_by: The flag, for the error.
        value: A URL.

    Raises:
        SettingsError: When it holds one, or what may be one.
    """
    from protocols.settings.url_secrets import holds_password

    if isinstance(value, str) and holds_password(value):
        raise password_for_all(said_by)


def require_no_password_set(assigned: Layer) -> None:
    """Check that what `--set` says of a broker holds no secret.

    Raises:
        SettingsError: When it holds one, or what may be one.
    """
    from protocols.link.passwords import GIVEN_BY

    broker = assigned.values.get("broker")
    if isinstance(broker, Mapping):
        require_no_password("--set broker.url", broker.get("url"))
        for setting in GIVEN_BY:
            if broker.get(setting) is not None:
                raise password_for_all(f"--set broker.{setting}", setting)


def password_for_all(said_by: str, setting: str = "password") -> SettingsError:
    """Return the error of a password on a command line.

    Args:
        said_by: The flag.
        setting: Of the broker, that is the password.
    """
    from protocols.link.passwords import GIVEN_BY

    return SettingsError(
        f"{said_by} holds a password, and everybody on this machine can read a command line",
        expected="none there; the URL of a broker may name the user: mqtt://user@host:1883",
        action=GIVEN_BY[setting],
    )
