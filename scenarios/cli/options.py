"""The options that several commands share, and how commands print."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.display.console import PlainConsole, print_json, progress_on_stderr, tell

if TYPE_CHECKING:
    from protocols.settings.resolve import Resolved
    from scenarios.settings.model import Scenario
    from scenarios.world.world import World


ScenarioName = Annotated[str, typer.Argument(help="Name of a scenario, or the path of a TOML file or of a pack.")]
Policy = Annotated[
    str | None,
    typer.Option(
        help="etal, etal_reference, random, uncertainty, round_robin, or your own: file.py:Class, or module:Class."
    ),
]
Budget = Annotated[int | None, typer.Option(min=1, help="Candidates that may be requested.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the campaign.")]
Broker = Annotated[
    str | None, typer.Option(help="embedded, mosquitto, or a URL such as mqtt://user:password@host:1883.")
]
RunningBroker = Annotated[
    str | None, typer.Option(help=f"URL such as mqtt://user:password@host:1883; by default {DEFAULT_URL}.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any setting, e.g. campaign.parallel=8. Repeatable."),
]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="A TOML file that is laid over the scenario.")
]
Campaign = Annotated[str | None, typer.Option(help="Name of the campaign and of its run folder.")]
Runs = Annotated[Path, typer.Option(help="Where run folders go.", envvar="ENTROPILOT_RUNS")]
Resume = Annotated[bool, typer.Option("--resume", help="Take a campaign up where it was left, however it ended.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No live view and no table.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
ShowSettings = Annotated[
    bool, typer.Option("--show-settings", help="Print what holds and where it comes from, and do nothing.")
]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Another database than the run folder's own, e.g. postgresql+psycopg://…"),
]
Shadow = Annotated[
    bool,
    typer.Option(
        "--shadow", help="Stand beside a campaign of somebody else's: decide and log, publish nothing, compare."
    ),
]
AllowCode = Annotated[
    Path | None,
    typer.Option(
        "--allow-code",
        metavar="FOLDER",
        help="Let a policy or an evaluator be run that a recording or a pack names: from this folder, or installed.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Print tracebacks.")]


@contextmanager
def allowing_code(folder: Path | None) -> Iterator[None]:
    """Let the code be run that recordings and packs name, where a person said so."""
    from scenarios.sources import code_sources

    with code_sources.allowing_code(folder):
        yield


def loaded(
    scenario: str,
    flags: dict[str, Any],
    assignments: list[str] | None,
    file: Path | None,
    runs: Path | None = None,
    *,
    quiet: bool = False,
) -> Resolved[Scenario]:
    """Return the settings of a scenario with what the command line says, and where each comes from."""
    from scenarios.sources.scenario import Overrides, load_scenario

    overrides = Overrides(flags, tuple(assignments or ()), file)
    with progress_on_stderr(quiet=quiet) as progress:
        return load_scenario(scenario, overrides, runs=runs, progress=progress)


def made_world(scenario: Scenario, *, quiet: bool) -> World:
    """Make pool, values and start set; what a person should know of the table goes to standard error."""
    from scenarios.world.world import make_world

    with progress_on_stderr(quiet=quiet) as progress:
        world = make_world(scenario, progress)
    for warning in world.warnings:
        tell(f"note: {warning}", "yellow")
    return world


def print_settings(resolved: Resolved[Scenario], *, json: bool) -> None:
    """Print every setting with its source."""
    from protocols.settings.listing import settings_json, settings_table

    if json:
        print_json(settings_json(resolved))
    else:
        show(settings_table(resolved))


def show(content: Any) -> None:
    """Print to standard output, for a person."""
    PlainConsole(file=sys.stdout).print(content)
