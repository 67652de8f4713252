"""The commands about recordings: replay them, ask what would have happened, and tell two of them apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli_options import Debug, Json, Quiet, Runs, show
from scenarios.console import print_json, progress_on_stderr, reported_errors

app = typer.Typer()

RecordingName = Annotated[
    str, typer.Argument(metavar="RECORDING", help="A recording's file, a run folder, or the name of a campaign.")
]


@app.command()
def replay(
    recording: RecordingName,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario of the recording, where its first line does not say it.")
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="Which campaign, where a recorder heard several.")] = None,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Replay a recording: the same messages into the same rules, every decision made again and compared.

    No broker, no simulator, no waiting.
    """
    with reported_errors(debug=debug):
        from scenarios.replay import named_source, require_identical
        from scenarios.replay import replay as replay_recording
        from scenarios.replay_report import replay_json, replay_table

        with progress_on_stderr(quiet=quiet or json) as progress:
            found = replay_recording(named_source(recording, runs, scenario, progress), progress, campaign=campaign)
        if json:
            print_json(replay_json(found))
        elif not quiet:
            show(replay_table(found))
        require_identical(found)
