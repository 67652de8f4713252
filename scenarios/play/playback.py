"""Plays a recording onto a real broker: to develop an agent, a dashboard or another program against it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError, StoreError
from protocols.link.broker_settings import BrokerSettings
from protocols.link.failures import never_linked
from protocols.recording.lines import MessageRow
from protocols.recording.reader import open_recording
from protocols.wire.fresh_ids import fresh_id
from protocols.wire.topics import lab_subscriptions
from scenarios.play.link import LiveLink, live_session
from scenarios.play.players import LabPlayback, OnProgress, PlaybackStatus, Player, WholePlayer
from scenarios.play.recorded_lab import RecordedLab, labs_in
from scenarios.play.schedule import LiveSchedule

FULL_SPEED: Final = "max"

MAX_SPEED: Final = 1e6
"""Fastest speed that is a number: a campaign of a week in a second. Beyond it there is `max`."""

MAX_CAMPAIGNS_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What is to be played.

    Attributes:
        path: The recording.
        broker: Where.
        speed: How many times faster than recorded; infinite for as fast as it goes.
        campaign: Whose requests are answered; None for the recorded campaign's.
        is_whole: Whether both sides are played, as they were, for those who watch.
        until_idle_s: Silence after which it is over, also when nobody has ever asked; None: it waits for the first
            request, and then as long as the agent says that it is there.
    """

    path: Path
    broker: BrokerSettings
    speed: float = 1.0
    campaign: str | None = None
    is_whole: bool = False
    until_idle_s: float | None = None


def speed_of(text: str) -> float:
    """Return the speed that a person means: "1x", "10x", "2.5", or "max", which is infinite.

    Raises:
        SettingsError: When it is none.
    """
    if text == FULL_SPEED:
        return math.inf
    with contextlib.suppress(ValueError):
        speed = float(text.removesuffix("x"))
        if 0 < speed <= MAX_SPEED:
            return speed
    raise SettingsError(
        f"{text!r} is no speed",
        expected=f"1x as recorded, 10x ten times as fast (any number above 0, up to {MAX_SPEED:,.0f}), or {FULL_SPEED}",
        action="leave --speed out for 1x",
    )


def require_possible(request: LiveRequest) -> None:
    """Check that what is said of a playback goes together.

    Raises:
        SettingsError: When it does not.
    """
    if request.is_whole and (request.campaign is not None or request.until_idle_s is not None):
        raise SettingsError(
            "--all plays everything as it was, to its end",
            expected="--all without --campaign and --until-idle",
            action="leave them out",
        )


def chosen_lab(path: Path, campaign: str | None) -> RecordedLab:
    """Return the recorded lab that answers.

    Args:
        path: The recording.
        campaign: Whose requests are to be answered: the lab of that name, or the only one.

    Raises:
        StoreError: When the file is not what was written, or holds no answers, or those of several other campaigns.
    """
    with open_recording(path) as recording:
        labs = {name: lab for name, lab in labs_in(recording.rows()).items() if lab.given}
    if campaign in labs:
        return labs[campaign]
    if len(labs) == 1:
        return next(iter(labs.values()))
    if not labs:
        raise StoreError(
            f"{path} holds no answer of a lab",
            expected="a recording in which results or failures were recorded",
            action="play both sides with --all, or record while a campaign runs",
        )
    raise StoreError(
        f"{path} holds {len(labs)} campaigns" + ("" if campaign is None else f", and {campaign!r} is none of them"),
        expected=f"one of {', '.join(sorted(labs)[:MAX_CAMPAIGNS_LISTED])}",
        action="name it with --campaign",
    )


def play_live(request: LiveRequest, on_progress: OnProgress) -> PlaybackStatus:
    """Play a recording until it is over or the process is asked to end.

    Args:
        request: What is to be played.
        on_progress: Called now and then with how far it is.

    Raises:
        StoreError: When the recording cannot be used.
        BrokerError: When the broker cannot be reached, or refuses us.
    """
    player = _whole(request) if request.is_whole else _lab(request)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        played = runner.run(player.run(on_progress))
    if not played.connected:
        raise never_linked(request.broker.address(), player.last_down)
    return played


def _whole(request: LiveRequest) -> Player:
    _require_messages(request.path)
    link = LiveLink(live_session(request.broker, f"entropilot-replay-{fresh_id()[:12]}"))
    return WholePlayer(request.path, request.speed, link)


def _lab(request: LiveRequest) -> Player:
    lab = chosen_lab(request.path, request.campaign)
    campaign = request.campaign or lab.campaign
    session = live_session(request.broker, f"entropilot-{campaign}-replay", lab_subscriptions(campaign))
    return LabPlayback(
        LiveSchedule(lab, campaign, request.speed),
        LiveLink(session),
        campaign=campaign,
        simulators={each: lab.abilities.get(each) for each in lab.simulators},
        until_idle_s=request.until_idle_s,
    )


def _require_messages(path: Path) -> None:
    """Read a recording once, so that a damaged one is told before half of it was said."""
    with open_recording(path) as recording:
        if not sum(isinstance(row, MessageRow) for row in recording.rows()):
            raise StoreError(
                f"{path} holds no message", expected="a recording of a campaign", action="name another recording"
            )
