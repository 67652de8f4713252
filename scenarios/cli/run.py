"""Commands that run a campaign: with everything on this machine, or against a lab elsewhere."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocols.errors import CampaignFellShort
from scenarios.cli.moved import AgentCommand
from scenarios.cli.options import (
    AllowCalculator,
    AllowCode,
    Broker,
    Budget,
    Campaign,
    Database,
    Debug,
    DryRunOnly,
    Executor,
    Json,
    Live,
    Policy,
    Quiet,
    Resume,
    RunningBroker,
    Runs,
    ScenarioName,
    Seed,
    Set,
    SettingsFile,
    ShowSettings,
    allowing_calculators,
    allowing_code,
)
from scenarios.cli.settings import build_world_for, load_settings, load_settings_alone, print_settings
from scenarios.display.console import print_json, reported_errors, show, tell
from scenarios.display.terminal import INTERRUPTED

if TYPE_CHECKING:
    from scenarios.run.request import RunRequest
    from scenarios.settings.model import Scenario

app = typer.Typer()


@app.command()
def run(
    scenario: ScenarioName,
    policy: Policy = None,
    budget: Budget = None,
    seed: Seed = None,
    broker: Broker = None,
    executor: Executor = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    campaign: Campaign = None,
    runs: Runs = Path("runs"),
    database: Database = None,
    resume: Resume = False,
    live: Live = False,
    dry_run: DryRunOnly = False,
    quiet: Quiet = False,
    json: Json = False,
    show_settings: ShowSettings = False,
    single_process: Annotated[bool, typer.Option("--single-process", hidden=True)] = False,
    allow_code: AllowCode = None,
    allow_calculator: AllowCalculator = None,
    debug: Debug = False,
) -> None:
    """Run a scenario: broker, simulator and agent, all through MQTT on this machine."""
    with reported_errors(debug=debug), allowing_code(allow_code), allowing_calculators(allow_calculator):
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker, "executor": executor}
        resolved = load_settings(scenario, flags, settings, settings_file, runs, quiet=quiet or json)
        if show_settings:
            print_settings(resolved, json=json)
            return
        if (kills := len(resolved.settings.crashes.at)) and not single_process and not dry_run:
            from scenarios.run.crashes import supervise_with_kills
            from scenarios.sources.run_folder import choose_campaign

            name = choose_campaign(runs, resolved.settings.name, campaign, resume=resume, database=database)
            raise SystemExit(supervise_with_kills(sys.argv[1:], campaign=name, kills=kills))
        request = _request(
            scenario, resolved.settings, campaign, runs, database, resume=resume, is_live=live, quiet=quiet or json
        )
        if dry_run:
            _show_dry_run(request, json=json)
            return
        if single_process:
            from scenarios.run.crashes import end_with_parent

            end_with_parent()
        _run_and_tell(dataclasses.replace(request, may_crash=single_process), quiet=quiet or json, json=json)


@app.command(cls=AgentCommand)
def agent(
    scenario: ScenarioName,
    policy: Policy = None,
    budget: Budget = None,
    seed: Seed = None,
    broker: RunningBroker = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    campaign: Campaign = None,
    runs: Runs = Path("runs"),
    database: Database = None,
    resume: Resume = False,
    live: Live = False,
    dry_run: DryRunOnly = False,
    quiet: Quiet = False,
    json: Json = False,
    show_settings: ShowSettings = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Run the agent alone, against a broker and a lab (or simulators) elsewhere."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
        resolved = load_settings_alone(scenario, flags, settings, settings_file, runs, quiet=quiet or json)
        if show_settings:
            print_settings(resolved, json=json)
            return
        from scenarios.settings.lab_section import require_sound_lab

        request = _request(
            scenario, resolved.settings, campaign, runs, database,
            resume=resume, is_live=live, quiet=quiet or json, with_simulator=False,
        )  # fmt: skip
        require_sound_lab(resolved, request.world.pool.feature_names)
        if dry_run:
            _show_dry_run(request, json=json)
            return
        _run_and_tell(request, quiet=quiet or json, json=json)


def _request(
    named: str,
    scenario: Scenario,
    campaign: str | None,
    runs: Path,
    database: str | None,
    *,
    resume: bool,
    is_live: bool,
    quiet: bool,
    with_simulator: bool = True,
) -> RunRequest:
    from scenarios.run.request import RunRequest
    from scenarios.sources.packed_pool import require_own_pool
    from scenarios.sources.run_folder import choose_campaign

    name = choose_campaign(runs, scenario.name, campaign, resume=resume, numbered=with_simulator, database=database)
    world = build_world_for(scenario, quiet=quiet)
    require_own_pool(named, runs, scenario, world.pool.digest)
    return RunRequest(
        scenario, world, name, runs / name,
        resume=resume, with_simulator=with_simulator, database_url=database, is_live=is_live,
    )  # fmt: skip


def _show_dry_run(request: RunRequest, *, json: bool) -> None:
    from scenarios.run.before.dry_run import first_requests
    from scenarios.run.before.report import dry_run_in_words, dry_run_json

    found = first_requests(request)
    if json:
        print_json(dry_run_json(found))
    else:
        show(dry_run_in_words(found))


def _run_and_tell(request: RunRequest, *, quiet: bool, json: bool) -> None:
    from scenarios.run.live.view import LiveView
    from scenarios.run.run import run as run_campaign
    from scenarios.run.summary.model import summary_json
    from scenarios.run.summary.table import summary_table

    outcome = run_campaign(request, None if quiet else LiveView())
    if outcome.already and (json or not quiet):
        why = outcome.summary.stopped_because
        tell(f"The campaign {request.campaign} was over already ({why}); nothing was changed.")
    if json:
        print_json(summary_json(outcome.summary))
    elif not quiet:
        show(summary_table(outcome.summary))
        for name in outcome.summary.files:
            show(f"  {request.folder / name}")
    if not outcome.finished:
        tell(f"The campaign is not finished; resume it with --resume --campaign {request.campaign}")
        raise SystemExit(INTERRUPTED)
    if outcome.summary.shortfall:
        raise CampaignFellShort(
            f"The campaign is over with {'. '.join(outcome.summary.shortfall)}",
            expected="results of most of the candidates that it asked for",
            action="correct the cause and start a new --campaign; `entropilot report` tells this again",
        )
