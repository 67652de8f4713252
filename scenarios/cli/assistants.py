"""Commands for language models, and for the person who decides on what they propose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from scenarios.cli import completion
from scenarios.cli.options import Database, Debug, Json, Runs
from scenarios.display.console import print_json, reported_errors, show

APPROVE: Final = "approve"
REJECT: Final = "reject"

app = typer.Typer()


@app.command()
def mcp(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="The one run that may be read; by default all below --runs.",
            autocompletion=completion.runs,
        ),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(metavar="URL", help="In place of runs: the campaigns of this broker.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Nothing can be proposed either.")] = False,
    runs: Runs = Path("runs"),
    database: Database = None,
    debug: Debug = False,
) -> None:
    """Let a language model read campaigns, and propose orders that a person gives or not (Model Context Protocol).

    A client starts this command and speaks with it over standard input and output; it ends with its client. The server
    changes nothing: see `entropilot proposals`.
    """
    with reported_errors(debug=debug):
        from protocols.errors import SettingsError
        from scenarios.mcp_server.serve import serve

        if broker is not None and (run is not None or database is not None):
            raise SettingsError(
                "--broker names campaigns of a broker, and RUN or --database a run folder",
                expected="one of the two",
                action="leave one out",
            )
        serve(run, runs, database, broker, read_only=read_only)


@app.command()
def proposals(
    action: Annotated[
        str | None,
        typer.Argument(
            help="approve or reject; without one, show what is proposed.", autocompletion=completion.verdicts
        ),
    ] = None,
    proposal: Annotated[
        str | None, typer.Argument(metavar="PROPOSAL", help="Its id, or the first digits of it.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is rejected.")] = "",
    operator: Annotated[
        str | None, typer.Option(metavar="ID", help="Who gives the order; by default the user's name.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of keys of the operator, to sign with.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="How long to wait for the agent's answer.")
    ] = 10.0,
    runs: Runs = Path("runs"),
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show the orders that language models propose; give one (approve) or not (reject).

    To approve takes a terminal: what would be done stands there, with a code that has to be typed.
    """
    with reported_errors(debug=debug):
        from protocols.errors import SettingsError
        from scenarios.control.place import operator_named
        from scenarios.control.report import outcome_table, require_carried_out
        from scenarios.mcp_server.approval import Approver, approve, reject, terminal
        from scenarios.mcp_server.proposals import ProposalFolder
        from scenarios.mcp_server.report import proposals_json, proposals_table

        folder = ProposalFolder(runs)
        if action is None:
            found = folder.all()
            if json:
                print_json(proposals_json(found))
            else:
                show(proposals_table(found))
            return
        if action not in {APPROVE, REJECT} or proposal is None:
            raise SettingsError(
                f"`entropilot proposals {action[:40]}` is not enough" if action in {APPROVE, REJECT} else
                f"There is no `entropilot proposals {action[:40]}`",
                expected=f"{APPROVE} PROPOSAL or {REJECT} PROPOSAL",
            )  # fmt: skip
        if action == REJECT:
            decided = reject(folder, proposal, reason, operator_named(operator, ()))
            show(proposals_table([decided]))
            return
        with terminal() as screen:
            decided, outcome = approve(folder, proposal, Approver(operator, keys, timeout), screen)
        if json:
            print_json(proposals_json([decided]))
        else:
            show(outcome_table(outcome))
        require_carried_out(outcome)
