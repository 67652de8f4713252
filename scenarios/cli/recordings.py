"""The commands about recordings: replay them, ask what would have happened, tell two apart, and pack them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scenarios.broker.url import DEFAULT_URL
from scenarios.cli.options import AllowCode, Debug, Json, Quiet, Runs, allowing_code, show
from scenarios.display.console import print_json, progress_on_stderr, reported_errors, tell

if TYPE_CHECKING:
    from scenarios.sources.scenario import Overrides

app = typer.Typer()

RecordingName = Annotated[
    str,
    typer.Argument(metavar="RECORDING", help="A recording's file, a pack, a run folder, or the name of a campaign."),
]


@app.command()
def record(
    out: Annotated[Path, typer.Option("--out", "-o", help="The recording to write: .jsonl, or .jsonl.gz.")],
    broker: Annotated[str, typer.Option(help="Where to listen, such as mqtt://user:password@host:1883.")] = DEFAULT_URL,
    topic: Annotated[
        list[str] | None, typer.Option(help="Topic filter; by default everything of ours. Repeatable.")
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="Record only this campaign; not with --topic.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario of the campaign, so that the recording can be replayed by itself.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.1, metavar="SECONDS", help="How long; by default until Ctrl-C.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Record any campaign on any broker, beside its agent and its lab: every message, publishing nothing."""
    with reported_errors(debug=debug):
        from scenarios.broker.url import broker_at
        from scenarios.record.record import RecordRequest, filters_for, require_new
        from scenarios.record.record import record as listen_and_write
        from scenarios.record.report import listening, record_json, record_table
        from scenarios.sources.run_folder import require_campaign_name
        from scenarios.sources.scenario import Overrides, load_scenario
        from scenarios.world.world import make_world

        if campaign is not None:
            require_campaign_name(campaign)
        require_new(out)
        meant = None if scenario is None else load_scenario(scenario, Overrides()).settings
        with progress_on_stderr(quiet=quiet or json) as progress:
            world = None if meant is None else make_world(meant, progress)
        request = RecordRequest(
            broker_at(broker), filters_for(tuple(topic or ()), campaign), out, campaign or "", duration,
            meant, world,
        )  # fmt: skip
        with listening(request, quiet=quiet or json) as told:
            heard = listen_and_write(request, told)
        if json:
            print_json(record_json(heard, out))
        elif not quiet:
            show(record_table(heard, out))


@app.command()
def replay(
    recording: RecordingName,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario of the recording, where its first line does not say it.")
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="Which campaign, where a recorder heard several.")] = None,
    policy: Annotated[str | None, typer.Option(help="What if: another policy from the same start.")] = None,
    budget: Annotated[int | None, typer.Option(min=1, help="What if: another budget.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="What if: another seed of the policy.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What if: any setting, e.g. campaign.parallel=8. Repeatable."),
    ] = None,
    fill: Annotated[
        str | None,
        typer.Option(metavar="TABLE|simulator", help="What if: who answers where the recording does not."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="What if: folder for picture, CSV and JSON; by default a new one below --runs.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Play the lab's side onto a broker: it answers a live agent as it did then.")
    ] = False,
    broker: Annotated[
        str | None, typer.Option(help=f"Live: the broker's URL, with user and password; by default {DEFAULT_URL}.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="1x|10x|NUMBERx|max", help="Live: how fast; by default as recorded.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Live: both sides, as they were, for dashboards; needs no agent.")
    ] = False,
    until_idle: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            help="Live: end after such a silence, even if nobody ever asks; by default when the agent has left.",
        ),
    ] = None,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    allow_code: AllowCode = None,
    debug: Debug = False,
) -> None:
    """Replay a recording: the same messages into the same rules, every decision made again and compared.

    No broker, no simulator, no waiting. With another policy or other settings it tells what would have happened: the
    recorded results answer, and what was never measured is counted as unknown.

    With --live a real agent asks, over a real broker, and the recording answers by candidate and attempt, whatever the
    order: of its own campaign, or of the one that --campaign names.
    """
    with reported_errors(debug=debug), allowing_code(allow_code):
        from scenarios.sources.run_folder import require_campaign_name

        if campaign is not None:
            require_campaign_name(campaign)
        is_what_if = any(given is not None for given in (policy, budget, seed, settings, fill, out))
        if live or everything or any(given is not None for given in (broker, speed, until_idle)):
            from scenarios.cli.playback import LiveOptions, play_and_tell

            options = LiveOptions(broker, speed, campaign, everything, until_idle)
            of_others = is_what_if or scenario is not None
            play_and_tell(recording, runs, options, is_live=live, of_others=of_others, quiet=quiet, json=json)
            return
        if is_what_if:
            from scenarios.sources.scenario import Overrides

            overrides = Overrides({"policy": policy, "budget": budget, "seed": seed}, tuple(settings or ()))
            _what_if(recording, runs, scenario, campaign, overrides, fill, out, quiet=quiet, json=json)
            return
        from scenarios.replay.replay import replay as replay_recording
        from scenarios.replay.replay import require_identical
        from scenarios.replay.report import replay_json, replay_table
        from scenarios.sources.recording_source import named_source

        with progress_on_stderr(quiet=quiet or json) as progress:
            found = replay_recording(named_source(recording, runs, scenario, progress), progress, campaign=campaign)
        if json:
            print_json(replay_json(found))
        elif not quiet:
            show(replay_table(found))
        require_identical(found)


@app.command()
def diff(
    one: Annotated[str, typer.Argument(metavar="ONE", help="A run folder, a campaign's name, or a recording's file.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Another of these.")],
    runs: Runs = Path("runs"),
    out: Annotated[
        Path | None, typer.Option(help="The picture, a .png file; by default runs/diff-ONE-OTHER.png.")
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Tell two runs or recordings apart: settings, the first event and the first decision that differ, in words.

    What differs between any two runs (ids, times) does not count. Exit code 1 when they are not the same.
    """
    with reported_errors(debug=debug):
        from scenarios.diff.diff import diff as compare_journals
        from scenarios.diff.diff import told_by
        from scenarios.diff.report import diff_json, diff_table, draw_diff, require_picture

        named = "-".join(Path(name).name.partition(".")[0] for name in (one, other))
        path = out or runs / f"diff-{named}.png"
        require_picture(path)
        with progress_on_stderr(quiet=quiet or json) as progress:
            found = compare_journals(told_by(one, runs, progress), told_by(other, runs, progress))
            picture = draw_diff(found, path)
        _show_notes(*(f"{told.name}: {told.note}" for told in (found.one, found.other) if told.note))
        if json:
            print_json(diff_json(found))
        elif not quiet:
            show(diff_table(found))
            show(f"  {picture}")
        raise SystemExit(0 if found.is_same else 1)


@app.command()
def pack(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_SCENARIO",
            help="A run folder, the name of a campaign, a recording's file, or a scenario (its name or TOML file).",
        ),
    ],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The pack; by default NAME.pack.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario of the recording, where its first line does not say it.")
    ] = None,
    no_recording: Annotated[
        bool, typer.Option("--no-recording", help="Of a run only its scenario and tables.")
    ] = False,
    runs: Runs = Path("runs"),
    quiet: Quiet = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Pack scenario, tables and recording into one file that run, replay and verify take on any machine."""
    with reported_errors(debug=debug):
        from scenarios.pack.report import packed_json, packed_table
        from scenarios.pack.writer import default_path, write_pack
        from scenarios.sources.pack_content import content_of

        with progress_on_stderr(quiet=quiet or json) as progress:
            content = content_of(what, runs, progress, scenario=scenario, with_recording=not no_recording)
            packed = write_pack(content, out or default_path(content), progress)
        if json:
            print_json(packed_json(packed))
            return
        _show_notes(*packed.notes)
        if not quiet:
            show(packed_table(packed))


def _show_notes(*notes: str) -> None:
    for note in filter(None, notes):
        tell(f"note: {note}", "yellow")


def _what_if(
    recording: str,
    runs: Path,
    scenario: str | None,
    campaign: str | None,
    overrides: Overrides,
    fill: str | None,
    out: Path | None,
    *,
    quiet: bool,
    json: bool,
) -> None:
    from scenarios.sources.recording_source import named_source
    from scenarios.sources.scenario import layered_over
    from scenarios.what_if.report import free_folder, require_free, what_if_json, what_if_table, write_what_if
    from scenarios.what_if.what_if import what_if

    if out is not None:
        require_free(out)
    with progress_on_stderr(quiet=quiet or json) as progress:
        source = named_source(recording, runs, scenario, progress)
        other = layered_over(source.scenario, f"recording {source.path.name}", overrides)
        found = what_if(source, other, fill, progress, campaign=campaign)
        written = write_what_if(found, out or free_folder(runs, found.campaign, found.policy))
    _show_notes(found.note)
    if json:
        print_json(what_if_json(found))
    elif not quiet:
        show(what_if_table(found))
        for path in written:
            show(f"  {path}")
