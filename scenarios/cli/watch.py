"""The command `watch`: runs and campaigns as a page, on the terminal, or as lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli import completion
from scenarios.cli.options import Database, Debug, Runs
from scenarios.display.console import reported_errors

app = typer.Typer()


@app.command()
def watch(
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
    runs: Runs = Path("runs"),
    database: Database = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is; 0 takes a free port.")] = 8321,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than this machine's own wants --token-file.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which browsers reach the page, as through a proxy. Repeatable."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="Below which a proxy shows the page, such as /entropilot.")
    ] = "",
    read_only: Annotated[bool, typer.Option("--read-only", help="Show everything, and send no order.")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keeps the token over several starts; made where it is missing, for its owner alone."
        ),
    ] = None,
    token_metrics: Annotated[
        bool, typer.Option("--token-metrics", help="Let /metrics want the token as well.")
    ] = False,
    operator: Annotated[
        str | None, typer.Option(metavar="ID", help="Who gives orders from the page; by default the user's name.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of keys of the operator, to sign orders with.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address of the page.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="No page: a line of JSON for each thing that happens, until the run ends.")
    ] = False,
    tui: Annotated[bool, typer.Option("--tui", help="No page: the same on this terminal.")] = False,
    debug: Debug = False,
) -> None:
    """Show runs as they go, in a browser: families, decisions, instruments, any moment of the past; and give orders.

    A process of its own, which changes nothing in a run: it may come and go. The page is for this machine alone unless
    told otherwise.
    """
    with reported_errors(debug=debug):
        from protocols.errors import SettingsError
        from scenarios.watch.attached import print_lines
        from scenarios.watch.watch import WatchRequest, serve_page

        request = WatchRequest(
            run=run,
            broker=broker,
            campaigns=tuple(campaign or ()),
            runs=runs,
            database=database,
            port=port,
            host=host,
            allow_host=tuple(allow_host or ()),
            root_path=root_path,
            read_only=read_only,
            token_file=token_file,
            token_metrics=token_metrics,
            opens_browser=not no_browser,
            operator=operator,
            keys=keys,
        )
        if json and tui:
            raise SettingsError("Both --json and --tui are given", expected="one of them", action="leave one out")
        if json:
            print_lines(request)
        elif tui:
            from scenarios.watch.tui.terminal import watch_in_terminal

            watch_in_terminal(request)
        else:
            serve_page(request)
