"""The command that makes keys for signatures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli.options import Debug, Json
from scenarios.display.console import print_json, reported_errors, show

app = typer.Typer()


@app.command()
def keys(
    folder: Annotated[Path, typer.Argument(help="Where the files of keys are; each part has one.")],
    instrument: Annotated[
        list[str] | None, typer.Option("--instrument", metavar="ID", help="An instrument that signs. Repeatable.")
    ] = None,
    operator: Annotated[
        list[str] | None, typer.Option("--operator", metavar="ID", help="A person who operates. Repeatable.")
    ] = None,
    renew: Annotated[
        list[str] | None,
        typer.Option("--renew", metavar="ID", help="Replace this one's key; agent for the agent's. Repeatable."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make keys to sign messages with: a file for the agent, and one for each instrument and operator."""
    with reported_errors(debug=debug):
        from scenarios.keys.keys import make_keys
        from scenarios.keys.report import keys_json, keys_table

        files = make_keys(folder, instruments=instrument or (), operators=operator or (), renew=renew or ())
        if json:
            print_json(keys_json(files))
        else:
            show(keys_table(files))
