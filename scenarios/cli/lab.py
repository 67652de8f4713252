"""Commands for beside a lab: a simulator or a broker alone, a shadow that watches, a recorder that listens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from scenarios.broker.url import ACCESS, DEFAULT_URL
from scenarios.cli import completion
from scenarios.cli.options import (
    AllowCalculator,
    AllowCode,
    Budget,
    Debug,
    Executor,
    Json,
    Policy,
    Quiet,
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
from scenarios.cli.settings import build_world_for, load_settings_alone, print_settings
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show

if TYPE_CHECKING:
    from protocols.mapping.mapping import LabMapping

app = typer.Typer()

TIDY: Final = "tidy"
"""What `entropilot broker` is asked for that starts none."""

BrokersInstruments = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        metavar="ID",
        help="An instrument to let in, with rights of its own, as its agent and an observer are then. Repeatable; by "
        "default there is one account for all.",
    ),
]
BrokersOperators = Annotated[
    list[str] | None,
    typer.Option("--operator", metavar="ID", help="A person who operates, to let in the same way. Repeatable."),
]
LabsScenario = Annotated[
    str | None,
    typer.Option(
        metavar="SCENARIO",
        help="For access: a scenario with a [lab]; its instruments are let in, and may use their own topics.",
    ),
]
KeptCredentials = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Where names and passwords are kept for the next start; by default new ones are made."
    ),
]
TidiedBroker = Annotated[
    str | None, typer.Option("--broker", help=f"For tidy: the broker to tidy; by default {DEFAULT_URL}.")
]
TidiedCampaigns = Annotated[
    list[str] | None,
    typer.Option(help="For tidy: only this campaign, even if a part of it says that it is there. Repeatable."),
]
TidiedClients = Annotated[
    list[str] | None,
    typer.Option(help="For tidy: end this client's session, and throw out who is connected as it. Repeatable."),
]
MeantScenario = Annotated[
    str | None,
    typer.Option(
        help="Scenario of the campaign, so that the recording can be replayed by itself.",
        autocompletion=completion.scenarios,
    ),
]


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
    executor: Executor = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    memory: Annotated[Path, typer.Option(help="Folder where it remembers attempts and answers.")] = Path(
        "runs/.simulators"
    ),
    show_settings: ShowSettings = False,
    allow_code: AllowCode = None,
    allow_calculator: AllowCalculator = None,
    debug: Debug = False,
) -> None:
    """Run a simulator alone: it evaluates what an agent asks for, until it is ended."""
    with reported_errors(debug=debug), allowing_code(allow_code), allowing_calculators(allow_calculator):
        flags = {"broker": broker, "id": id, "executor": executor}
        resolved = load_settings_alone(scenario, flags, settings, settings_file)
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
    kind: Annotated[
        str,
        typer.Argument(
            help="embedded, or mosquitto; access writes the files of a lab's own; tidy takes off another broker what "
            "old campaigns left there.",
            autocompletion=completion.brokers,
        ),
    ] = "embedded",
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every machine of a trusted network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 1883,
    folder: Annotated[Path, typer.Option(help="Where Mosquitto keeps its files.")] = Path("runs/.mosquitto"),
    instrument: BrokersInstruments = None,
    operator: BrokersOperators = None,
    credentials: KeptCredentials = None,
    scenario: LabsScenario = None,
    at: TidiedBroker = None,
    campaign: TidiedCampaigns = None,
    client_id: TidiedClients = None,
    yes: Annotated[bool, typer.Option("--yes", help="For tidy: remove without asking.")] = False,
    debug: Debug = False,
) -> None:
    """Run a broker alone, until it is ended: with names and passwords that the other commands find by themselves.

    `access` starts none: it writes Mosquitto's configuration, access list and passwords for a lab's own broker. Nor
    does `tidy`: it takes off a shared one what old campaigns left there.
    """
    with reported_errors(debug=debug):
        if kind == TIDY:
            from scenarios.broker.tidy_report import tidy_at_a_terminal

            tidy_at_a_terminal(at or DEFAULT_URL, frozenset(campaign or ()), tuple(client_id or ()), yes=yes)
            return
        from scenarios.run.standalone import BrokerRequest, run_broker, write_access

        lab = None if scenario is None else _lab_of(scenario, kind)
        let_in = tuple(dict.fromkeys((*(instrument or ()), *(() if lab is None else lab.instruments))))
        request = BrokerRequest(kind, host, port, folder, let_in, tuple(operator or ()), credentials, lab)
        if kind == ACCESS:
            show("\n".join(write_access(request)))
        else:
            run_broker(request)


def _lab_of(scenario: str, kind: str) -> LabMapping:
    """Return the lab of a scenario whose topics an access list is to name.

    Raises:
        SettingsError: When it has none, or no access list is written.
    """
    from protocols.errors import SettingsError
    from scenarios.settings.lab_section import compiled_lab
    from scenarios.sources.scenario import Overrides, load_scenario

    if kind != ACCESS:
        raise SettingsError(
            f"--scenario says nothing of `broker {kind}`", expected="it with `broker access`", action="leave it out"
        )
    lab = compiled_lab(load_scenario(scenario, Overrides()).settings)
    if lab is None:
        raise SettingsError(
            f"{scenario} has no [lab] section: its instruments speak our messages, and need no topics of their own",
            expected="a scenario of a lab with messages of its own",
            action="name the instruments with --instrument",
        )
    return lab


@app.command()
def shadow(
    scenario: ScenarioName,
    policy: Policy = None,
    budget: Budget = None,
    seed: Seed = None,
    broker: RunningBroker = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    campaign: Annotated[str | None, typer.Option(help="The lab's campaign; by default the scenario's name.")] = None,
    runs: Runs = Path("runs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume a shadow where it was left, however it ended.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    show_settings: ShowSettings = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Stand beside a lab's campaign: decide and log what the policy would choose, publish nothing, compare."""
    with reported_errors(debug=debug), allowing_code(allow_code):
        flags = {"policy": policy, "budget": budget, "seed": seed, "broker": broker}
        resolved = load_settings_alone(scenario, flags, settings, settings_file, runs, quiet=quiet or json)
        if show_settings:
            print_settings(resolved, json=json)
            return
        from scenarios.shadow.listener import ShadowRequest, follow_lab
        from scenarios.shadow.outcome import shadow_json
        from scenarios.shadow.report import shadow_table, watched
        from scenarios.sources.run_folder import require_campaign_name

        name = resolved.settings.name if campaign is None else campaign
        require_campaign_name(name)
        world = build_world_for(resolved.settings, quiet=quiet or json)
        request = ShadowRequest(resolved.settings, world, name, runs, resume)
        with watched(request, quiet=quiet or json) as on_progress:
            summary = follow_lab(request, on_progress)
        if json:
            print_json(shadow_json(summary))
        elif not quiet:
            show(shadow_table(summary))
            for file in summary.files:
                show(f"  {request.folder / file}")


@app.command()
def record(
    out: Annotated[Path, typer.Option("--out", "-o", help="The recording to write: .jsonl, or .jsonl.gz.")],
    broker: Annotated[str, typer.Option(help="Where to listen, such as mqtt://user@host:1883.")] = DEFAULT_URL,
    topic: Annotated[
        list[str] | None, typer.Option(help="Topic filter; by default everything of ours. Repeatable.")
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="Record only this campaign; not with --topic.")] = None,
    scenario: MeantScenario = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="How long; by default until Ctrl-C.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="File of keys of the agent, to note beside each message who signed it.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Record any campaign on any broker, beside its agent and its lab: every message, publishing nothing."""
    with reported_errors(debug=debug):
        from protocols.link.credentials import OBSERVER
        from protocols.signing.settings import SigningSettings
        from scenarios.broker.url import broker_at
        from scenarios.record.record import RecordRequest, filters_for, require_new
        from scenarios.record.record import record as listen_and_write
        from scenarios.record.report import listening, record_json, record_table
        from scenarios.sources.run_folder import require_campaign_name
        from scenarios.sources.scenario import Overrides, load_scenario
        from scenarios.world.world import build_world

        if campaign is not None:
            require_campaign_name(campaign)
        require_new(out)
        meant = None if scenario is None else load_scenario(scenario, Overrides()).settings
        with progress_on_stderr(quiet=quiet or json) as progress:
            world = None if meant is None else build_world(meant, progress)
        reached = broker_at(broker).as_part(OBSERVER)
        request = RecordRequest(
            reached, filters_for(tuple(topic or ()), campaign), out, campaign or "", duration,
            meant, world, SigningSettings(keys=None if keys is None else str(keys)).signing(),
        )  # fmt: skip
        with listening(request, quiet=quiet or json) as on_progress:
            heard = listen_and_write(request, on_progress)
        if json:
            print_json(record_json(heard, out))
        elif not quiet:
            show(record_table(heard, out))
