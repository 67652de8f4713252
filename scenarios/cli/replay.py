"""Commands that replay a recording: judge its decisions again, ask what if, or play its lab to a live agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenarios.cli.moved import ReplayCommand
from scenarios.cli.options import (
    AllowCode,
    Debug,
    Json,
    Policy,
    Quiet,
    RecordedCampaign,
    RecordingName,
    RunningBroker,
    Runs,
    ScenarioOfRecording,
    allowing_code,
)
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, show, show_notes

app = typer.Typer()


@app.command(cls=ReplayCommand)
def replay(
    recording: RecordingName,
    scenario: ScenarioOfRecording = None,
    campaign: RecordedCampaign = None,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Judge a recording again: the same messages into the same rules, every decision made again and compared.

    No broker, no simulator, no waiting.
    """
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.replay.replay import replay as replay_recording
        from scenarios.replay.replay import require_identical
        from scenarios.replay.report import replay_json, replay_table
        from scenarios.sources.recording_source import named_source

        _require_name(campaign)
        with progress_on_stderr(quiet=quiet or json) as progress:
            found = replay_recording(named_source(recording, runs, scenario, progress), progress, campaign=campaign)
        if json:
            print_json(replay_json(found))
        elif not quiet:
            show(replay_table(found))
        require_identical(found)


@app.command("what-if")
def what_if(
    recording: RecordingName,
    policy: Policy = None,
    budget: Annotated[int | None, typer.Option(min=1, help="Another budget.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed of the policy.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting, e.g. campaign.parallel=8. Repeatable."),
    ] = None,
    fill: Annotated[
        str | None, typer.Option(metavar="TABLE|simulator", help="Who answers where the recording does not.")
    ] = None,
    scenario: ScenarioOfRecording = None,
    campaign: RecordedCampaign = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for picture, CSV and JSON; by default a new one below --runs.")
    ] = None,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Tell what would have happened with another policy or other settings, from the same start.

    The recorded results answer; what was never measured is counted as unknown, unless --fill says who answers.

    entropilot what-if oracle_table --policy random
    """
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.sources.recording_source import named_source
        from scenarios.sources.result_folder import new_folder, require_free
        from scenarios.sources.scenario import Overrides, layered_over
        from scenarios.what_if.report import WRITTEN, folder_name, what_if_json, what_if_table, write_what_if
        from scenarios.what_if.what_if import what_if as play_other

        _require_name(campaign)
        overrides = Overrides({"policy": policy, "budget": budget, "seed": seed}, tuple(settings or ()))
        require_free(out, WRITTEN)
        with progress_on_stderr(quiet=quiet or json) as progress:
            source = named_source(recording, runs, scenario, progress)
            other = layered_over(source.scenario, f"recording {source.path.name}", overrides)
            found = play_other(source, other, fill, progress, campaign=campaign)
            written = write_what_if(found, out or new_folder(runs / folder_name(found.campaign, found.policy)))
        show_notes([found.note])
        if json:
            print_json(what_if_json(found))
        elif not quiet:
            show(what_if_table(found))
            for path in written:
                show(f"  {path}")


@app.command()
def play(
    recording: RecordingName,
    broker: RunningBroker = None,
    speed: Annotated[str, typer.Option(metavar="1x|10x|NUMBERx|max", help="How fast; by default as recorded.")] = "1x",
    campaign: Annotated[
        str | None, typer.Option(help="Whose requests are answered; by default those of the recorded campaign.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Both sides, as they were, for dashboards; needs no agent.")
    ] = False,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="End after such a silence, even if nobody ever asks; by default when the agent has left.",
        ),
    ] = None,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Play the recorded lab on a real broker: a live agent asks, and the recording answers as the lab did.

    It answers by candidate and attempt, whatever the order: its own campaign, or the one that --campaign names.
    """
    with reported_errors(debug=debug):
        from scenarios.broker.url import DEFAULT_URL, broker_at
        from scenarios.play.playback import LiveRequest, play_live, require_possible, speed_of
        from scenarios.play.report import playing, playing_json, playing_table
        from scenarios.sources.recording import find_recording

        _require_name(campaign)
        faster, reached = speed_of(speed), broker_at(DEFAULT_URL if broker is None else broker)
        request = LiveRequest(find_recording(recording, runs), reached, faster, campaign, everything, until_idle)
        require_possible(request)
        with playing(request, quiet=quiet or json) as on_progress:
            played = play_live(request, on_progress)
        if json:
            print_json(playing_json(request, played))
        elif not quiet:
            show(playing_table(request, played))


def _require_name(campaign: str | None) -> None:
    from scenarios.sources.run_folder import require_campaign_name

    if campaign is not None:
        require_campaign_name(campaign)
