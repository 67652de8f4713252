"""Commands of those who operate: orders to a campaign, and where every campaign of a broker stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.cli import completion
from scenarios.cli.options import Debug, Decimal, Delimiter, Json, Missing, Runs, Sheet
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes, status_line

if TYPE_CHECKING:
    from scenarios.control.place import Place

app = typer.Typer()

NEGATIVE_NUMBERS: Final = {"ignore_unknown_options": True}
"""A value may begin with a minus; an option that there is not is then a word, and refused as one."""


@app.command(context_settings=NEGATIVE_NUMBERS)
def control(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN] ACTION ...",
            help="The run folder or campaign of an agent at work (not with --broker); then what is asked for: pause, "
            "resume, stop, exclude CANDIDATE, requeue CANDIDATE, add-candidate FILE (or COLUMN=VALUE ...), add-result "
            "CANDIDATE VALUE (or FILE), retract CANDIDATE, amend CANDIDATE VALUE, approve DECISION, veto DECISION, "
            "set-budget CANDIDATES.",
            autocompletion=completion.orders,
        ),
    ] = None,
    broker: Annotated[str | None, typer.Option(help="Where the campaign is reached, in place of RUN.")] = None,
    campaign: Annotated[str | None, typer.Option(help="With --broker: the campaign.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            help="With --broker: its scenario, for new candidates and tables.", autocompletion=completion.scenarios
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    operator: Annotated[str | None, typer.Option(metavar="ID", help="Who asks; by default the user's name.")] = None,
    property_name: Annotated[
        str | None, typer.Option("--property", metavar="NAME", help="Which property a value is of.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of a value; by default the property's own.")] = None,
    standard_deviation: Annotated[
        float | None, typer.Option(min=0, help="Standard uncertainty of a value [its unit].")
    ] = None,
    message_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Of an earlier command: to give it again changes nothing twice.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="How long to wait for each answer.")
    ] = 10.0,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of keys of the operator, to sign with.")
    ] = None,
    delimiter: Delimiter = None,
    decimal: Decimal = ".",
    sheet: Sheet = None,
    missing: Missing = None,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Ask something of a campaign that is at work, wait for what its agent says to it, and print that."""
    with reported_errors(debug=debug):
        from scenarios.control.control import ControlRequest
        from scenarios.control.control import control as give_orders
        from scenarios.control.orders import Wanted, wanted_by
        from scenarios.control.report import outcome_json, outcome_table, require_carried_out
        from scenarios.sources.named_table import table_format

        said = words or []
        run, rest = (None, said) if broker is not None else ("".join(said[:1]), said[1:])
        verb, what = wanted_by(rest)
        wanted = Wanted(verb, what, property_name, unit, standard_deviation)
        how = table_format(delimiter, decimal, sheet, missing or ())
        request = ControlRequest(wanted, reason, message_id or "", timeout, how)
        request.require_possible()
        place = _place(run, runs, broker, campaign, scenario, operator, keys)
        with progress_on_stderr(quiet=json) as progress:
            outcome = give_orders(request, place, progress)
        show_notes(outcome.notes)
        if json:
            print_json(outcome_json(outcome))
        else:
            show(outcome_table(outcome))
        require_carried_out(outcome)


@app.command()
def status(
    broker: Annotated[str, typer.Option(help="The broker, such as mqtt://user@host:1883.")] = DEFAULT_URL,
    campaign: Annotated[list[str] | None, typer.Option(help="Only this campaign. Repeatable.")] = None,
    wait: Annotated[float, typer.Option(min=0, max=3600, metavar="SECONDS", help="How long to listen at least.")] = 0.0,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show where every campaign of a broker stands, and who of its agent and instruments is there."""
    with reported_errors(debug=debug):
        from scenarios.status.look import look
        from scenarios.status.report import standing_json, standing_table

        with status_line(f"listening at {broker}", quiet=json):
            found = look(broker, tuple(campaign or ()), runs, wait)
        show_notes(found.notes)
        if json:
            print_json(standing_json(found))
        else:
            show(standing_table(found))


def _place(
    run: str | None,
    runs: Path,
    broker: str | None,
    campaign: str | None,
    scenario: str | None,
    operator: str | None,
    keys: Path | None,
) -> Place:
    """Return where orders go: what a run folder says, or a broker and a campaign.

    Raises:
        SettingsError: When both are named.
    """
    from protocols.errors import SettingsError
    from scenarios.control.place import place_of_run, place_on_broker

    if broker is not None:
        return place_on_broker(broker, campaign, scenario=scenario, operator=operator, keys=keys)
    if campaign is not None or scenario is not None:
        raise SettingsError(
            f"--{'campaign' if campaign is not None else 'scenario'} goes with --broker",
            expected="RUN, which says all that, or --broker",
            action="leave it out, or add --broker",
        )
    return place_of_run(str(run), runs, operator, keys)
