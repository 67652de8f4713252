"""The command `alerts`: tells others what runs call for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import Database, Debug, Runs
from scenarios.display.console import reported_errors

app = typer.Typer()


@app.command()
def alerts(
    settings: Annotated[Path, typer.Argument(metavar="FILE", help="TOML file with [alerts]: on what, and to whom.")],
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run folder, or the name of a campaign; by default all below --runs.",
            autocompletion=completion.runs,
        ),
    ] = None,
    broker: Annotated[
        str | None, typer.Option(help="In place of run folders: a broker, such as mqtt://user@host:1883.")
    ] = None,
    campaign: Annotated[list[str] | None, typer.Option(help="With --broker: only this campaign. Repeatable.")] = None,
    memory: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Remembers what was told, over restarts; by default RUNS/.alerts.json."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, tell what is new, and end: for a timer.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show alerts, and tell nobody.")] = False,
    runs: Runs = Path("runs"),
    database: Database = None,
    debug: Debug = False,
) -> None:
    """Watch runs and tell a program or a webhook when one needs a person: each occurrence once, until it is taken.

    A process of its own beside the agent. It says what happens as lines of JSON.
    """
    with reported_errors(debug=debug):
        from scenarios.watch.alerting.alerts import AlertRequest, run_alerts
        from scenarios.watch.watch import WatchRequest

        watched = WatchRequest(
            run=run, broker=broker, campaigns=tuple(campaign or ()), runs=runs, database=database, read_only=True
        )
        run_alerts(AlertRequest(settings, watched, memory, is_dry=dry_run, once=once))
