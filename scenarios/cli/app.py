"""The command `entropilot`. Commands are thin: they read the settings, call what does the work, and print.

Heavy packages are imported inside the commands, so that `--help` comes at once.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.cli.options import (
    AllowCode,
    Broker,
    Budget,
    Campaign,
    Database,
    Debug,
    Json,
    Policy,
    Quiet,
    Resume,
    RunningBroker,
    Runs,
    ScenarioName,
    Seed,
    Set,
    SettingsFile,
    Shadow,
    ShowSettings,
    allowing_code,
    loaded,
    made_world,
    print_settings,
    show,
)
from scenarios.cli.recordings import app as recordings
from scenarios.cli.studies import app as studies
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, tell

if TYPE_CHECKING:
    from protocols.settings.resolve import Resolved
    from scenarios.run.request import RunRequest
    from scenarios.settings.model import Scenario

app = typer.Typer(
    name="entropilot",
    help="An autonomous-lab agent that keeps a materials dataset from becoming biased.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Start with [bold]entropilot run emt_alloys[/bold]; [bold]entropilot list[/bold] shows the scenarios.",
)


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if wanted:
        from importlib.metadata import version

        typer.echo(f"entropilot {version('entropilot')}")
        raise typer.Exit


@app.callback()
def entropilot(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version and exit."),
    ] = False,
) -> None:
    """Keep a materials dataset from becoming biased."""


@app.command()
def run(
    scenario: ScenarioName,
    policy: Policy = None,
    budget: Budget = None,
    seed: Seed = None,
    broker: Broker = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    campaign: Campaign = None,
    runs: Runs = Path("runs"),
    database: Database = None,
    resume: Resume = False,
    quiet: Quiet = False,
    json: Json = False,
    show_settings: ShowSettings = False,
    one_life: Annotated[bool, typer.Option("--one-life", hidden=True)] = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Run a scenario: broker, simulator and agent, all through MQTT on this machine."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
        resolved = loaded(scenario, flags, settings, settings_file, runs, quiet=quiet or json)
        if show_settings:
            print_settings(resolved, json=json)
            return
        if (kills := len(resolved.settings.crashes.at)) and not one_life:
            from scenarios.run.crashes import live_and_be_killed
            from scenarios.sources.run_folder import choose_campaign

            name = choose_campaign(runs, resolved.settings.name, campaign, resume=resume)
            raise SystemExit(live_and_be_killed(sys.argv[1:], campaign=name, kills=kills))
        request = _request(scenario, resolved.settings, campaign, runs, database, resume=resume, quiet=quiet or json)
        if one_life:
            from scenarios.run.crashes import end_with_parent

            end_with_parent()
        _run_and_tell(dataclasses.replace(request, may_crash=one_life), quiet=quiet or json, json=json)


@app.command()
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
    shadow: Shadow = False,
    quiet: Quiet = False,
    json: Json = False,
    show_settings: ShowSettings = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Run the agent alone, against a broker and a lab (or simulators) elsewhere."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        _require_running(broker)
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
        resolved = _on_a_server(loaded(scenario, flags, settings, settings_file, runs, quiet=quiet or json))
        if show_settings:
            print_settings(resolved, json=json)
            return
        if shadow:
            from scenarios.cli.shadow import follow_and_tell

            follow_and_tell(resolved.settings, campaign, runs, database, resume=resume, quiet=quiet, json=json)
            return
        request = _request(
            scenario, resolved.settings, campaign, runs, database,
            resume=resume, quiet=quiet or json, with_simulator=False,
        )  # fmt: skip
        _run_and_tell(request, quiet=quiet or json, json=json)


@app.command()
def simulator(
    scenario: ScenarioName,
    broker: RunningBroker = None,
    id: Annotated[str | None, typer.Option("--id", help="Name of this simulator.")] = None,  # noqa: A002 - the flag
    campaign: Annotated[
        str | None, typer.Option(help="The campaign that it serves; by default the scenario's name.")
    ] = None,
    every_campaign: Annotated[
        bool, typer.Option("--every-campaign", help="Serve every campaign on the broker (without a status of its own).")
    ] = False,
    settings: Set = None,
    settings_file: SettingsFile = None,
    memory: Annotated[Path, typer.Option(help="Folder where it remembers attempts and answers.")] = Path(
        "runs/.simulators"
    ),
    show_settings: ShowSettings = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Run a simulator alone: it evaluates what an agent asks for, until it is ended."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        _require_running(broker)
        resolved = _on_a_server(loaded(scenario, {"broker": broker, "id": id}, settings, settings_file))
        if show_settings:
            print_settings(resolved, json=False)
            return
        from scenarios.run.standalone import run_simulator
        from scenarios.sources.run_folder import require_campaign_name

        if campaign is not None:
            require_campaign_name(campaign)
        served = None if every_campaign else campaign or resolved.settings.name
        run_simulator(resolved.settings, campaign=served, memory=memory)


@app.command()
def broker(
    kind: Annotated[str, typer.Argument(help="embedded, or mosquitto.")] = "embedded",
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every machine of a trusted network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 1883,
    folder: Annotated[Path, typer.Option(help="Where Mosquitto keeps its files.")] = Path("runs/.mosquitto"),
    debug: Debug = False,
) -> None:
    """Run a broker alone, until it is ended."""
    with reported_errors(debug=debug):
        from scenarios.run.standalone import run_broker

        run_broker(kind, host=host, port=port, folder=folder)


@app.command("list")
def list_all(runs: Runs = Path("runs"), json: Json = False) -> None:
    """Show the scenarios and recordings that come with Entropilot and what they are for, and the runs here."""
    with reported_errors(debug=False):
        from scenarios.listing.listing import listing, listing_json

        if json:
            print_json(listing_json(runs))
        else:
            show(listing(runs))


@app.command()
def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or the name of a campaign.")],
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show a run again, from what it wrote: the summary, and where its files are."""
    with reported_errors(debug=debug):
        from scenarios.listing.listing import run_json, run_report
        from scenarios.sources.run_folder import find_run

        folder = find_run(run, runs)
        if json:
            print_json(run_json(folder))
        else:
            show(run_report(folder))


@app.command()
def verify(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder, the name of a campaign, a recording, or a pack.")
    ],
    runs: Runs = Path("runs"),
    database: Database = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check a run: the journal's chain, everything that is folded from it, and the figures of its files."""
    with reported_errors(debug=debug):
        from scenarios.verify.run_check import require_sound
        from scenarios.verify.verify import verification_json, verification_table, verified

        with progress_on_stderr(quiet=json) as progress:
            parts = verified(run, runs, database, progress)
        if json:
            print_json(verification_json(parts))
        else:
            show(verification_table(parts))
        require_sound(parts, run)


@app.command()
def why(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or the name of a campaign.")],
    step: Annotated[
        str, typer.Argument(metavar="STEP", help="Number of a decision from 0, last, or the id of a candidate.")
    ],
    runs: Runs = Path("runs"),
    database: Database = None,
    no_figure: Annotated[bool, typer.Option("--no-figure", help="Only words; the run folder is not touched.")] = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Explain one decision of a run, in words and as a figure, and ask whether it would be made again."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.why.as_json import explanation_json
        from scenarios.why.why import drawn, explained
        from scenarios.why.words import explanation_in_words

        with progress_on_stderr(quiet=json) as progress:
            folder, explanation = explained(run, step, runs, database, progress)
            figure = None if no_figure else drawn(folder, explanation)
        if json:
            print_json(explanation_json(explanation, figure=None if figure is None else str(figure)))
            return
        show(explanation_in_words(explanation))
        if figure is not None:
            show(f"  {figure}")


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="Folder to write to; by default the package's own.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only tell whether the written files are up to date.")] = False,
    debug: Debug = False,
) -> None:
    """Write the protocol's JSON Schemas and its AsyncAPI document."""
    with reported_errors(debug=debug):
        from protocols.errors import SettingsError
        from protocols.schema.files import SCHEMA_FOLDER, drift, write_documents

        folder = out or SCHEMA_FOLDER
        if check:
            if stale := drift(folder):
                raise SettingsError(
                    "; ".join(stale), expected="documents generated from this code", action="run `entropilot schema`"
                )
            show(f"The documents in {folder} are up to date.")
        else:
            written = write_documents(folder)
            for path in written:
                show(f"  {path}")
            if not written:
                show(f"The documents in {folder} were up to date already.")


for further in (studies, recordings):
    app.registered_commands.extend(further.registered_commands)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    app(args=arguments, prog_name="entropilot")


def _require_running(broker: str | None) -> None:
    """Check what is said of the broker by who starts none; a scenario may well name one that a run starts.

    Raises:
        SettingsError: When it is no broker that runs already.
    """
    if broker is not None:
        from scenarios.broker.url import broker_at

        broker_at(broker)


def _on_a_server(resolved: Resolved[Scenario]) -> Resolved[Scenario]:
    """Let a part that runs alone look for a broker where `entropilot broker` listens."""
    from protocols.link.broker_settings import EMBEDDED, MOSQUITTO
    from protocols.settings.resolve import Resolved

    broker_settings = resolved.settings.broker
    if broker_settings.url not in {EMBEDDED, MOSQUITTO}:
        return resolved
    elsewhere = broker_settings.model_copy(update={"url": DEFAULT_URL})
    scenario = resolved.settings.model_copy(update={"broker": elsewhere})
    return Resolved(scenario, resolved.source_of | {"broker.url": "default of a part that runs alone"})


def _request(
    named: str,
    scenario: Scenario,
    campaign: str | None,
    runs: Path,
    database: str | None,
    *,
    resume: bool,
    quiet: bool,
    with_simulator: bool = True,
) -> RunRequest:
    from scenarios.run.request import RunRequest
    from scenarios.sources.packed_pool import require_own_pool
    from scenarios.sources.run_folder import choose_campaign

    name = choose_campaign(runs, scenario.name, campaign, resume=resume, numbered=with_simulator)
    world = made_world(scenario, quiet=quiet)
    require_own_pool(named, runs, scenario, world.pool.digest)
    return RunRequest(
        scenario, world, name, runs / name, resume=resume, with_simulator=with_simulator, database_url=database
    )


def _run_and_tell(request: RunRequest, *, quiet: bool, json: bool) -> None:
    from scenarios.display.console import INTERRUPTED
    from scenarios.run.live_view import LiveView
    from scenarios.run.run import run as run_campaign
    from scenarios.run.summary import summary_json, summary_table

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
        tell(f"The campaign is not finished; take it up with --resume --campaign {request.campaign}")
        raise SystemExit(INTERRUPTED)


if __name__ == "__main__":
    main()
