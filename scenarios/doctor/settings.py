"""Which broker the doctor looks at, as whom, and who is its witness."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from protocols.link.broker_settings import EMBEDDED, MOSQUITTO, BrokerSettings, RunningBroker
from protocols.settings.layers import Layer, environment_layer, set_layer, toml_layer
from protocols.settings.resolve import resolve
from protocols.settings.url_secrets import without_password
from scenarios.broker.url import DEFAULT_URL, broker_at, require_no_password_set
from scenarios.doctor.lab_topics import NO_LAB, LabTopics, lab_topics_of
from scenarios.settings.lab_section import compiled_lab
from scenarios.sources.scenario import Overrides, load_scenario


@dataclass(frozen=True, slots=True)
class Meant:
    """What is to be looked at.

    Attributes:
        broker: The broker.
        campaign: Name of the scenario's campaign; empty where no scenario is meant.
        lab: The topics of its lab, where that has messages of its own.
    """

    broker: BrokerSettings
    campaign: str = ""
    lab: LabTopics = NO_LAB


SHARED: Final = ("ca_file", "crl_file", "version", "keepalive_s", "publish_timeout_s")
"""What a witness has of the broker's settings unless it says otherwise: all but who it is."""


class _Named(BaseModel):
    """What is said of a broker where no scenario is meant."""

    model_config = ConfigDict(extra="forbid")

    broker: RunningBroker


def broker_of(
    scenario: str | None, url: str | None, assignments: list[str] | None, file: Path | None, runs: Path
) -> Meant:
    """Return which broker is meant, and what of the scenario's campaign goes over it.

    Args:
        scenario: Its name, if one is meant.
        url: Of the broker; None for the scenario's, or for that of `entropilot broker`.
        assignments: Of `--set`.
        file: Settings that are laid over.
        runs: Where run folders are.

    Raises:
        SettingsError: When the scenario, or what is said of the broker, cannot be used.
    """
    if url is not None:
        broker_at(url)  # refuses what is no broker that runs, and a password
    if scenario is not None:
        found = load_scenario(scenario, Overrides({"broker": url}, tuple(assignments or ()), file), runs=runs).settings
        return Meant(found.broker, found.name, lab_topics_of(compiled_lab(found)))
    assigned = set_layer(tuple(assignments or ()))
    require_no_password_set(assigned)
    told = {name: value for name, value in os.environ.items() if name.startswith("ENTROPILOT_BROKER__")}
    layers = [
        _layer("the default", url=DEFAULT_URL),
        *([] if file is None else [toml_layer(file)]),
        environment_layer(_Named, told),
        assigned,
        *([] if url is None else [_layer("--broker", url=url)]),
    ]
    return Meant(resolve(_Named, layers).settings.broker)


def witness_of(file: Path, broker: BrokerSettings) -> BrokerSettings:
    """Return the settings of a second account on the same broker.

    Args:
        file: Which says who it is, in TOML.
        broker: Where it is.

    Raises:
        SettingsError: When the file cannot be used.
    """
    shared = {name: value for name, value in broker.model_dump(mode="json").items() if name in SHARED}
    is_there = broker.url not in {EMBEDDED, MOSQUITTO}
    base = _layer("--broker", url=_without_user(broker) if is_there else DEFAULT_URL, **shared)
    return resolve(_Named, [base, toml_layer(file)]).settings.broker


def _without_user(broker: BrokerSettings) -> str:
    scheme, _, rest = without_password(broker.url).partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _layer(source: str, **values: Any) -> Layer:
    return Layer(source, {"broker": {name: value for name, value in values.items() if value is not None}})
