"""How commands get the settings of a scenario and what they make of them, with what a person is told meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scenarios.broker.url import DEFAULT_URL, broker_at
from scenarios.display.console import print_json, progress_on_stderr, show, show_notes

READING_LINES: Final = 8
"""Most lines about what of a table was not taken as it stands: a third of a screen; `report` has them all."""

if TYPE_CHECKING:
    from protocols.settings.resolve import ResolvedSettings
    from protocols.tables.account import Account
    from scenarios.settings.model import Scenario
    from scenarios.world.world import World


def load_settings(
    scenario: str,
    flags: dict[str, Any],
    assignments: list[str] | None,
    file: Path | None,
    runs: Path | None = None,
    *,
    quiet: bool = False,
) -> ResolvedSettings[Scenario]:
    """Return the settings of a scenario with what the command line says, and where each comes from."""
    from scenarios.sources.scenario import Overrides, load_scenario

    overrides = Overrides(flags, tuple(assignments or ()), file)
    with progress_on_stderr(quiet=quiet) as progress:
        return load_scenario(scenario, overrides, runs=runs, progress=progress)


def load_settings_alone(
    scenario: str,
    flags: dict[str, Any],
    assignments: list[str] | None,
    file: Path | None,
    runs: Path | None = None,
    *,
    quiet: bool = False,
) -> ResolvedSettings[Scenario]:
    """Return the settings of a part that starts no broker; it looks for one where `entropilot broker` listens.

    Raises:
        SettingsError: When the flag `broker` names none that runs already; a scenario may well name one that a run
            starts.
    """
    if flags["broker"] is not None:
        broker_at(flags["broker"])
    return _on_a_server(load_settings(scenario, flags, assignments, file, runs, quiet=quiet))


def build_world_for(scenario: Scenario, *, quiet: bool) -> World:
    """Make pool, values and start set; what a person should know of the table goes to standard error."""
    from scenarios.world.world import build_world

    with progress_on_stderr(quiet=quiet) as progress:
        world = build_world(scenario, progress)
    show_notes((*world.warnings, *told_in_short(world.account)))
    return world


def told_in_short(account: Account) -> Iterator[str]:
    """Yield a line for each thing that was not taken as it stands; one for all those beyond `READING_LINES`."""
    yield from map(str, account[:READING_LINES])
    if (more := len(account) - READING_LINES) > 0:
        yield f"… and {more} more; `entropilot report` tells all that a run's table was read with."


def print_settings(resolved: ResolvedSettings[Scenario], *, json: bool) -> None:
    """Print every setting with its source."""
    from protocols.settings.listing import settings_json, settings_table

    if json:
        print_json(settings_json(resolved))
    else:
        show(settings_table(resolved))


def _on_a_server(resolved: ResolvedSettings[Scenario]) -> ResolvedSettings[Scenario]:
    from protocols.link.broker_settings import EMBEDDED, MOSQUITTO
    from protocols.settings.resolve import ResolvedSettings

    broker_settings = resolved.settings.broker
    if broker_settings.url not in {EMBEDDED, MOSQUITTO}:
        return resolved
    elsewhere = broker_settings.model_copy(update={"url": DEFAULT_URL})
    scenario = resolved.settings.model_copy(update={"broker": elsewhere})
    return ResolvedSettings(scenario, resolved.source_of | {"broker.url": "default of a part that runs alone"})
