"""What a run is asked to do, and whether its lab can answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocols.errors import SettingsError
from protocols.link.broker_settings import BrokerSettings, MqttVersion
from protocols.wire.topics import ANY_SIMULATOR
from scenarios.settings.model import Scenario
from scenarios.world.world import World
from simulators.settings import TABLE


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is asked for.

    Attributes:
        scenario: The settings.
        world: Pool, known values, start set.
        campaign: Name of the campaign.
        folder: The run folder.
        resume: Whether to resume a campaign.
        with_simulator: Whether this process plays the lab and its operator too.
        database_url: Another database than the folder's own, or than it remembers.
        may_crash: Whether the process kills itself where the scenario says so.
        is_live: Whether a person said that a real lab may be driven.
    """

    scenario: Scenario
    world: World
    campaign: str
    folder: Path
    resume: bool = False
    with_simulator: bool = True
    database_url: str | None = None
    may_crash: bool = False
    is_live: bool = False


def require_answers(request: RunRequest) -> None:
    """Check that somebody can answer, and only one: a table must know the values of its candidates, for example.

    Raises:
        SettingsError: When nobody can, or several would.
    """
    scenario = request.scenario
    if not request.with_simulator:
        return
    if scenario.lab is not None:
        raise SettingsError(
            "The scenario has a [lab] section, so its lab is elsewhere; a run plays the lab itself",
            expected="the agent alone, at the broker of the lab",
            action="use `entropilot agent`, with --broker; `entropilot lab try` shows what would be sent",
        )
    if len(scenario.instruments) > 1 and ANY_SIMULATOR in scenario.recipients and not _may_share(scenario.broker):
        raise SettingsError(
            f"All {len(scenario.instruments)} instruments would take every request to {ANY_SIMULATOR!r}",
            expected="each request for one of them, by a shared subscription, which MQTT 3.1.1 does not promise",
            action="leave broker.version out, or leave campaign.recipients out: then work goes to whoever is free",
        )
    own = [each for each in scenario.instruments if each.table is not None and each.table.path == scenario.pool.path]
    if any(each.evaluator == TABLE for each in own) and not request.world.all_known:
        raise SettingsError(
            "The table does not know the values of its candidates, so it cannot play the lab",
            expected="a table with a value in every row, or a lab that measures",
            action="use `entropilot agent` with your lab's broker, or name another [simulator] evaluator",
        )


def _may_share(broker: BrokerSettings) -> bool:
    """Tell whether requests are shared out: our own brokers do that, and others say with MQTT 5 when they do not."""
    return broker.is_ours or broker.version is not MqttVersion.V311
