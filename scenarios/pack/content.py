"""What goes into a pack: the scenario that a name means, its pool, and its recording where there is one.

A pack is made to be handed on: nothing goes in that holds a password, and what cannot go in is said.
"""

from __future__ import annotations

import re
from pathlib import Path

from protocols.errors import StoreError
from protocols.recording.reader import check_recording
from protocols.settings.fields import without_url_password
from protocols.wire.messages import ID_PATTERN
from scenarios.display.progress import ProgressCall
from scenarios.pack.writer import Content
from scenarios.settings.model import Scenario
from scenarios.settings.stored import shared_settings
from scenarios.sources.identify import identify
from scenarios.sources.kinds import RecordingPath, RunPath, ScenarioPath
from scenarios.sources.recording_source import Source, named_source
from scenarios.sources.scenario import Overrides, load_scenario
from scenarios.world.world import build_world


def content_of(
    name: str, runs: Path, progress: ProgressCall, *, scenario: str | None = None, with_recording: bool = True
) -> Content:
    """Return what a command wants to have packed.

    Args:
        name: A run folder, the name of a campaign below `runs`, a recording, or a scenario; a run comes before a
            scenario of its name.
        runs: Where run folders are.
        progress: For a progress bar.
        scenario: Of a recording whose first line does not say it.
        with_recording: Whether the recording goes along.

    Raises:
        StoreError: When there is no such thing, or the recording is not sound.
        SettingsError: When the scenario cannot be used.
        TableError: When its table cannot.
    """
    if isinstance(identify(name, runs, RunPath, RecordingPath, ScenarioPath), ScenarioPath):
        return _scenario_content(name, runs, progress)
    source = named_source(name, runs, scenario, progress)
    own = source.scenario.name
    if not with_recording:
        return Content(own, source.scenario, source.world.pool.digest, notes=_lacking(source.scenario))
    _require_no_password(source)
    check = check_recording(source.path)
    if check.problem:
        raise StoreError(
            f"{source.path}, {check.problem}",
            expected="a recording as it was written",
            action="restore it from a copy, or leave it out with --no-recording",
        )
    campaign = source.header.campaign if re.fullmatch(ID_PATTERN, source.header.campaign) else own
    notes = (*_lacking(source.scenario), *filter(None, (check.note,)))
    return Content(campaign, source.scenario, source.world.pool.digest, source.path, notes)


def _scenario_content(name: str, runs: Path, progress: ProgressCall) -> Content:
    """Return what a scenario's file says; what the environment adds is this machine's, and no part of it."""
    scenario = load_scenario(name, Overrides(), {}, runs=runs).settings
    return Content(scenario.name, scenario, build_world(scenario, progress).pool.digest, notes=_lacking(scenario))


def _require_no_password(source: Source) -> None:
    """Refuse a recording whose first line tells a password: what is in it cannot be left out.

    Raises:
        StoreError: When it does.
    """
    settings = source.header.scenario
    if settings is not None and without_url_password(settings) != settings:
        raise StoreError(
            f"The first line of {source.path} holds a URL with a password",
            expected="a recording that may be handed on",
            action="leave it out with --no-recording",
        )


def _lacking(scenario: Scenario) -> tuple[str, ...]:
    """Say what a scenario needs and a pack does not hold: code of the user's own, and passwords."""
    named = (scenario.campaign.policy, *(instrument.evaluator for instrument in scenario.instruments))
    own = tuple(f"{name} is code of your own and not in the pack" for name in dict.fromkeys(named) if ":" in name)
    settings = shared_settings(scenario)
    if without_url_password(settings) == settings:
        return own
    return (*own, "the password of a URL is not in the pack; whoever runs it gives the URL with --set")
