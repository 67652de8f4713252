"""The command `entropilot replay --live`: a recording onto a real broker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocols.errors import SettingsError
from scenarios.broker.url import DEFAULT_URL, broker_at
from scenarios.cli.options import show
from scenarios.display.console import print_json
from scenarios.play.playback import LiveRequest, play_live, speed_of
from scenarios.play.report import playing, playing_json, playing_table
from scenarios.sources.recording import find_recording


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What was said on the command line; None where nothing was."""

    broker: str | None
    speed: str | None
    campaign: str | None
    everything: bool
    until_idle_s: float | None


def play_and_tell(
    recording: str, runs: Path, options: LiveOptions, *, is_live: bool, of_others: bool, quiet: bool, json: bool
) -> None:
    """Play a recording, and tell what came of it.

    Args:
        recording: A recording's file, a pack, a run folder, or the name of a campaign below `runs`.
        runs: Where run folders are.
        options: How; the campaign's name is one.
        is_live: Whether --live was said.
        of_others: Whether anything was said that a live replay does not take.
        quiet: Whether nothing is shown.
        json: Whether the result is printed as JSON.

    Raises:
        SettingsError: When the options do not go together.
        StoreError: When the recording cannot be used.
        BrokerError: When the broker cannot be reached, or refuses us.
    """
    _check(options, is_live=is_live, of_others=of_others)
    speed = speed_of(options.speed or "1x")
    broker = broker_at(DEFAULT_URL if options.broker is None else options.broker)
    request = LiveRequest(
        find_recording(recording, runs), broker, speed, options.campaign, options.everything, options.until_idle_s
    )
    with playing(request, quiet=quiet or json) as told:
        played = play_live(request, told)
    if json:
        print_json(playing_json(request, played))
    elif not quiet:
        show(playing_table(request, played))


def _check(options: LiveOptions, *, is_live: bool, of_others: bool) -> None:
    if not is_live:
        raise SettingsError(
            "--broker, --speed, --all and --until-idle are of a live replay",
            expected="them together with --live",
            action="add --live, or leave them out for a replay without a broker",
        )
    if of_others:
        raise SettingsError(
            "A live replay makes no decisions: it takes no policy, settings, scenario or folder",
            expected="--live with --broker, --speed, --campaign, --all or --until-idle only",
            action="give the agent its scenario and policy (`entropilot agent`)",
        )
    if options.everything and (options.campaign is not None or options.until_idle_s is not None):
        raise SettingsError(
            "--all plays everything as it was, to its end",
            expected="--all without --campaign and --until-idle",
            action="leave them out",
        )
