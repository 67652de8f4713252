"""What `entropilot play` shows, while it plays and at the end."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scenarios.display.console import PlainConsole, status_line
from scenarios.play.playback import FULL_SPEED, LiveRequest
from scenarios.play.players import PlaybackStatus


@contextmanager
def playing(request: LiveRequest, *, quiet: bool) -> Iterator[Callable[[PlaybackStatus], None]]:
    """Show how far it is, in place, as long as a person watches; else say once that it connects, and that it plays."""
    url = request.broker.redacted_url
    where = f"playing {request.path.name} onto {url} at {speed_text(request.speed)}"
    console = PlainConsole(stderr=True)
    is_to_be_said = not quiet and not console.is_terminal
    if is_to_be_said:
        console.print(f"connecting to {url}", soft_wrap=True)
    with status_line(f"connecting to {url} (Ctrl-C ends it)", quiet=quiet) as show:

        def on_progress(playing: PlaybackStatus) -> None:
            nonlocal is_to_be_said
            if not playing.connected:
                return
            if is_to_be_said:
                console.print(where, soft_wrap=True)
                is_to_be_said = False
            show(Text(f"{where}: {_line(request, playing)}  (Ctrl-C ends it)"))

        yield on_progress


def playing_table(request: LiveRequest, playing: PlaybackStatus) -> RenderableType:
    """Return what was played."""
    table = Table.grid(padding=(0, 2))
    for name, count in _counts(request, playing):
        table.add_row(Text(f"  {name}", style="dim"), f"{count:,}")
    head = Text(f"{playing.said:,} messages in {playing.seconds:,.1f} s at {speed_text(request.speed)}", style="bold")
    return Group(head, table)


def playing_json(request: LiveRequest, playing: PlaybackStatus) -> str:
    """Return the same as JSON."""
    content = dataclasses.asdict(playing)
    played = content.pop("played")
    del content["connected"]  # else it is an error
    content["seconds"] = round(playing.seconds, 3)
    told = {"recording": str(request.path), "speed": speed_text(request.speed), **content}
    return json.dumps(told if request.is_whole else told | played, indent=2)


def speed_text(speed: float) -> str:
    """Return a speed as a person writes it."""
    return f"{speed:g}x" if math.isfinite(speed) else FULL_SPEED


def _line(request: LiveRequest, playing: PlaybackStatus) -> str:
    elapsed = f"{playing.seconds:,.0f} s"
    if request.is_whole:
        return f"{playing.said:,} messages, {elapsed}"
    played = playing.played
    if not played.asked:
        return f"nobody has asked yet, {elapsed}"
    return f"{played.answered:,} answered, {played.unknown:,} unknown, {playing.waiting:,} waiting, {elapsed}"


def _counts(request: LiveRequest, playing: PlaybackStatus) -> Iterator[tuple[str, int]]:
    """Yield what there is to tell: what is usual always, and the rest where it happened."""
    played = playing.played
    if not request.is_whole:
        yield "attempts asked for", played.asked
        yield "answered as recorded", played.answered
        yield "unknown to the recording: answered with a failure", played.unknown
    additional = {
        "beyond the recorded attempts: as the last one": played.extra_attempts,
        "left without an answer, as then": played.silent,
        "requests that came again": played.repeated,
        "statuses, controls and others, unsolicited": played.unsolicited,
        "still waiting": playing.waiting,
        "heard by nobody": playing.unheard,
        "refused by the broker": playing.refused,
    }
    yield from ((name, count) for name, count in additional.items() if count)
