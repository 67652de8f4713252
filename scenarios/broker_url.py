"""Where a command finds a broker of which no scenario speaks."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic import BaseModel

from protocols.broker_settings import BrokerSettings
from protocols.layering import Layer, environment_layer, resolve


class _Named(BaseModel):
    broker: BrokerSettings


def broker_at(url: str, environ: Mapping[str, str] | None = None) -> BrokerSettings:
    """Return the broker at a URL; user name and password may come from the environment, as for the other commands.

    Raises:
        SettingsError: When the URL is no broker's.
    """
    given = {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if name.startswith("ENTROPILOT_BROKER__")
    }
    layers = [environment_layer(_Named, given), Layer("--broker", {"broker": {"url": url}})]
    return resolve(_Named, layers).settings.broker
