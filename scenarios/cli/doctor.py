"""The command that looks whether all is there that a campaign needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.cli import completion
from scenarios.cli.options import Debug, Json, Runs, Set, SettingsFile
from scenarios.display.console import print_json, reported_errors, show

app = typer.Typer()


@app.command()
def doctor(
    scenario: Annotated[
        str | None,
        typer.Argument(
            help="Name of a scenario, or the path of a TOML file or of a pack, whose broker and campaign are meant.",
            autocompletion=completion.scenarios,
        ),
    ] = None,
    broker: Annotated[
        str | None,
        typer.Option(help=f"URL such as mqtts://user@host:8883; by default the scenario's, or {DEFAULT_URL}."),
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(metavar="ID", help="Look at the rights of this instrument, instead of the agent's.")
    ] = None,
    operator: Annotated[str | None, typer.Option(metavar="ID", help="The same of this operator.")] = None,
    observer: Annotated[bool, typer.Option("--observer", help="The same of who only listens.")] = False,
    campaign: Annotated[
        str | None, typer.Option(help="Whose topics; by default the scenario's, or those of one that nobody has.")
    ] = None,
    witness: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A TOML file whose [broker] names a second account, which may hear everything, say everything, or "
            "both: so rights are shown that the first one cannot show alone.",
        ),
    ] = None,
    settings: Set = None,
    settings_file: SettingsFile = None,
    runs: Runs = Path("runs"),
    strict: Annotated[
        bool, typer.Option("--strict", help="Let what only warns count as wrong for the exit code.")
    ] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Look whether a campaign would work here: this machine, the broker, its limits, and each right that is needed."""
    with reported_errors(debug=debug):
        from scenarios.doctor.checks import require_sound
        from scenarios.doctor.doctor import Examination, examine
        from scenarios.doctor.needs import STAND_IN, part_meant
        from scenarios.doctor.report import doctor_json, doctor_table, looking
        from scenarios.doctor.settings import broker_of, witness_of
        from scenarios.sources.run_folder import require_campaign_name

        meant = broker_of(scenario, broker, settings, settings_file, runs)
        if campaign is not None:
            require_campaign_name(campaign)
        seen_by = None if witness is None else witness_of(witness, meant.broker)
        part = part_meant(instrument, operator, observer=observer)
        wanted = Examination(
            meant.broker, part, campaign or meant.campaign or STAND_IN, runs, seen_by, scenario or "", meant.lab
        )
        with looking(quiet=json) as on_check:
            checks = examine(wanted, on_check)
        if json:
            print_json(doctor_json(checks, meant.broker.redacted_url))
        else:
            show(doctor_table(checks))
        require_sound(checks, strict=strict)
