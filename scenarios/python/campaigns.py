"""Runs and resumes campaigns, and opens runs: as `entropilot run` does, from Python."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.run_files import RECORDING
from protocols.errors import SettingsError
from scenarios.display.progress import no_progress
from scenarios.python.calling import call, call_beside
from scenarios.python.finished import Run
from scenarios.python.scenario import Scenario, folder_of_runs, settings_of
from scenarios.run.interrupts import Interrupts
from scenarios.run.live.view import LiveView
from scenarios.run.request import RunRequest
from scenarios.run.run import run as run_campaign
from scenarios.settings.model import Scenario as ScenarioSettings
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RunPath
from scenarios.sources.packed_pool import require_own_pool
from scenarios.sources.recording import recorded_scenario
from scenarios.sources.run_folder import choose_campaign
from scenarios.world.world import build_world

_CHOOSING: Final = threading.Lock()
"""Held while a name is found for a run: two threads must not take the same one."""


def run(
    scenario: str | Path | Scenario,
    *,
    policy: str | None = None,
    budget: int | None = None,
    seed: int | None = None,
    broker: str | None = None,
    settings: Mapping[str, object] | None = None,
    campaign: str | None = None,
    runs: str | Path | None = None,
    database: str | None = None,
    live: bool = False,
    progress: bool | None = None,
) -> Run:
    """Run a scenario to its end: broker, lab and agent, all through MQTT on this machine.

    It works in a script, in a notebook's cell and from several threads. Ctrl-C ends it in order; `resume` goes on.

    Args:
        scenario: Name of one that comes with Entropilot, path of a TOML file or a pack, or a `Scenario`.
        policy: In place of its own.
        budget: Candidates that may be requested.
        seed: Of the campaign.
        broker: `embedded` (the default: no server is needed), `mosquitto`, or a URL.
        settings: Any setting by its dotted name, such as `{"campaign.parallel": 8}`.
        campaign: Name of the campaign and its run folder; by default the scenario's, numbered where it is taken.
        runs: Where run folders go; by default as the environment says, else `runs`.
        database: Another database than the run folder's own file.
        live: Whether a real lab may be driven.
        progress: Whether to show how it goes; by default on a terminal.

    Returns:
        The run.

    Raises:
        EntropilotError: Whatever the command would tell: what was found, what was expected, what to do.
    """
    said: dict[str, Any] = {"policy": policy, "budget": budget, "seed": seed, "broker": broker, "settings": settings}
    given: dict[str, Any] = {
        "campaign": campaign,
        "runs": runs,
        "database": database,
        "live": live,
        "progress": progress,
    }
    return call(lambda interrupts: _run(interrupts, scenario, said, **given))


async def arun(
    scenario: str | Path | Scenario,
    *,
    policy: str | None = None,
    budget: int | None = None,
    seed: int | None = None,
    broker: str | None = None,
    settings: Mapping[str, object] | None = None,
    campaign: str | None = None,
    runs: str | Path | None = None,
    database: str | None = None,
    live: bool = False,
    progress: bool | None = None,
) -> Run:
    """Do what `run` does, while the event loop of here goes on; its cancellation ends the run in order."""
    said: dict[str, Any] = {"policy": policy, "budget": budget, "seed": seed, "broker": broker, "settings": settings}
    given: dict[str, Any] = {
        "campaign": campaign,
        "runs": runs,
        "database": database,
        "live": live,
        "progress": progress,
    }
    return await call_beside(lambda interrupts: _run(interrupts, scenario, said, **given))


def resume(
    run: str | Path | Run,
    *,
    budget: int | None = None,
    settings: Mapping[str, object] | None = None,
    runs: str | Path | None = None,
    database: str | None = None,
    live: bool = False,
    progress: bool | None = None,
) -> Run:
    """Resume a campaign where it was left, however it ended; with a larger budget a finished one goes on, too.

    Args:
        run: The run, its folder, or its name below the folder of the runs.
        budget: A larger one than before.
        settings: Other settings, where a resumed campaign may have any.
        runs: As of `run`, as all others.
        database: Where its database is.
        live: Whether a real lab may be driven.
        progress: Whether to show how it goes.

    Raises:
        EntropilotError: As of `run`.
    """
    given: dict[str, Any] = {
        "budget": budget,
        "settings": settings,
        "database": database,
        "live": live,
        "progress": progress,
    }
    return call(lambda interrupts: _resume(interrupts, open_run(run, runs=runs, database=database), **given))


async def aresume(
    run: str | Path | Run,
    *,
    budget: int | None = None,
    settings: Mapping[str, object] | None = None,
    runs: str | Path | None = None,
    database: str | None = None,
    live: bool = False,
    progress: bool | None = None,
) -> Run:
    """Do what `resume` does, while the event loop of here goes on; its cancellation ends the run in order."""
    given: dict[str, Any] = {
        "budget": budget,
        "settings": settings,
        "database": database,
        "live": live,
        "progress": progress,
    }
    opened = open_run(run, runs=runs, database=database)
    return await call_beside(lambda interrupts: _resume(interrupts, opened, **given))


def open_run(run: str | Path | Run, *, runs: str | Path | None = None, database: str | None = None) -> Run:
    """Open a run: finished, interrupted, or still going on. Nothing is written.

    Args:
        run: Its folder, or its name below the folder of the runs.
        runs: Where run folders are; by default as the environment says, else `runs`.
        database: Another database than the folder's own, or than it remembers.

    Raises:
        StoreError: When there is no such run.
    """
    if isinstance(run, Run):
        return run
    return Run(identify(str(run), folder_of_runs(runs), RunPath).path, database)


def _run(
    interrupts: Interrupts,
    scenario: str | Path | Scenario,
    said: Mapping[str, Any],
    *,
    campaign: str | None,
    runs: str | Path | None,
    database: str | None,
    live: bool,
    progress: bool | None,
) -> Run:
    folder = folder_of_runs(runs)
    meant = settings_of(scenario, runs=folder, **said)
    _require_no_kills(meant)
    with _CHOOSING:
        name = choose_campaign(folder, meant.name, campaign, resume=False, database=database)
        (folder / name).mkdir(parents=True, exist_ok=True)  # the next one sees that it is taken
    try:
        world = build_world(meant, no_progress)
        named = scenario if isinstance(scenario, str) else str(scenario)
        require_own_pool(named, folder, meant, world.pool.digest)
        request = RunRequest(meant, world, name, folder / name, database_url=database, is_live=live)
        run_campaign(request, _view(progress=progress), interrupts)
    finally:
        _remove_if_empty(folder / name)
    return Run(folder / name, database)


def _resume(
    interrupts: Interrupts,
    run: Run,
    *,
    budget: int | None,
    settings: Mapping[str, object] | None,
    database: str | None,
    live: bool,
    progress: bool | None,
) -> Run:
    recorded = recorded_scenario(run.folder / RECORDING)
    said: dict[str, Any] = {"budget": budget, "settings": settings}
    meant = settings_of(Scenario(recorded), **said)
    _require_no_kills(meant)
    world = build_world(meant, no_progress)
    request = RunRequest(
        meant, world, run.name, run.folder, resume=True, database_url=database or run.database, is_live=live
    )
    run_campaign(request, _view(progress=progress), interrupts)
    return run


def _require_no_kills(scenario: ScenarioSettings) -> None:
    """Refuse a scenario whose process is killed: that would be this one.

    Raises:
        SettingsError: When it is one.
    """
    if scenario.crashes.at:
        raise SettingsError(
            f"The scenario {scenario.name} kills its own process, which would be this one",
            expected="a scenario without [crashes]",
            action=f"run it with `entropilot run {scenario.name}`, and open its run here; or set crashes.at to []",
        )


def _view(*, progress: bool | None) -> LiveView | None:
    wanted = sys.stderr.isatty() if progress is None else progress
    return LiveView() if wanted else None


def _remove_if_empty(folder: Path) -> None:
    """Take back the folder of a run that never began."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
