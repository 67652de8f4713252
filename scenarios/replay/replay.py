"""Replays a recording in virtual time: no broker, no simulator, no waiting; every decision is made again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.acquisition.base import AcquisitionContext, Ask, Proposal
from agent.acquisition.registry import policy_fingerprint
from agent.campaign.context import pool_arrays
from agent.campaign.events import CampaignStarted
from agent.campaign.plan import CampaignPlan
from agent.campaign.state import Campaign
from agent.pool.candidates import Pool
from agent.runtime.policy_runner import make_policy_runner
from agent.settings import CampaignSettings
from agent.versions import versions
from protocols.errors import StoreError
from protocols.recording.lines import EventRow, TransactionRow
from protocols.recording.parts import size_of
from protocols.recording.reader import open_recording
from protocols.settings.user_code import code_digest
from scenarios.display.progress import ProgressCall
from scenarios.replay.findings import ReplayOutcome
from scenarios.replay.follow import Followed, Follower
from scenarios.replay.infer import Inference, Requests, RequestsHeard
from scenarios.settings.stored import arithmetic_of
from scenarios.sources.recording_source import Source
from scenarios.world.initial_events import initial_events

FOLLOWING: Final = "replaying"

MAX_CAMPAIGNS_LISTED: Final = 10

ROWS_PER_REPORT: Final = 500
"""Rows between two reports of progress: a few hundredths of a second."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found, and how long it took.

    Attributes:
        path: The recording.
        campaign: Its name.
        policy: That made the decisions again.
        outcome: What was found.
        replay_s: How long the replay took, without making the pool [s].
        other_versions: Package -> version then and now, where they differ.
        note: What a person should know of the file.
    """

    path: Path
    campaign: str
    policy: str
    outcome: ReplayOutcome
    replay_s: float
    other_versions: Mapping[str, tuple[str, str]]
    note: str = ""

    @property
    def speed(self) -> float:
        """How many times faster than the campaign the replay was."""
        return self.outcome.recorded_s / self.replay_s if self.replay_s else 0.0


def require_identical(replay: Replay) -> None:
    """Raise when not everything is as recorded.

    Raises:
        StoreError: With the first difference.
    """
    outcome = replay.outcome
    if outcome.is_identical:
        return
    first = outcome.first_difference
    raise StoreError(
        f"The replay is not what was recorded: {'' if first is None else f'row {first.at.row}, {first.what}'}",
        expected=f"{outcome.decisions:,} identical decisions and nothing else; {outcome.identical:,} are",
        action="see what changed the decisions: the code, the versions of the packages, or the scenario",
    )


def replay(source: Source, progress: ProgressCall, *, campaign: str | None = None) -> Replay:
    """Feed a recording to the agent's core, and make every decision again.

    Args:
        source: The recording and its world.
        progress: For a progress bar.
        campaign: Which one, where the recording holds several.

    Raises:
        StoreError: When the file is not what was written, by its line; or when the lab chose for itself.
    """
    if source.of_a_lab:
        raise StoreError(
            f"A shadow heard {source.path}: the lab chose for itself, not the policy of its scenario",
            expected="the recording of an agent",
            action="see both side by side with `entropilot report`; `what-if` plays another campaign on the lab's "
            "results, `play` plays the lab; if an agent chose there, name its scenario with --scenario",
        )
    settings = source.scenario.campaign
    with (
        arithmetic_of(source.header),
        asking(source.world.pool, settings) as ask,
    ):
        follower = Follower(source.world.pool, ask)
        began = time.perf_counter()
        note = follow(source, follower, progress, campaign=campaign)
        outcome = follower.finish()
        took_s = time.perf_counter() - began
    now = versions()
    differing = {name: (was, now[name]) for name, was in source.header.versions.items() if now.get(name, was) != was}
    plan = None if follower.campaign is None else follower.campaign.plan
    name = source.header.campaign if plan is None else plan.campaign
    notes = "; ".join(filter(None, (note, "" if plan is None else _other_code(plan, settings))))
    return Replay(source.path, name, settings.policy, outcome, took_s, differing, notes)


def _other_code(recorded: CampaignPlan, settings: CampaignSettings) -> str:
    """Say that a policy's file is not the one that decided; empty where it is, or where that cannot be told."""
    today = policy_fingerprint(settings.policy, settings.policy_options, settings.code)
    is_ours = not code_digest(settings.policy, settings.code)
    if is_ours or settings.policy != recorded.policy or today == recorded.fingerprint:
        return ""
    return (
        f"the policy {settings.policy} is not the one that decided: its file, its options or the versions of the "
        f"packages are others (fingerprint {recorded.fingerprint} in the recording, {today} now)"
    )


@contextmanager
def asking(pool: Pool, settings: CampaignSettings) -> Iterator[Ask]:
    """Let the policy of a campaign be asked where a run asks it, so that the same arithmetic gives the same sums.

    Raises:
        SettingsError: When there is no such policy, or it does not take these options.
    """
    policy_runner = make_policy_runner(pool_arrays(pool), settings.policy, settings.policy_options, settings.code)
    with asyncio.Runner() as runner:

        def ask(context: AcquisitionContext, count: int) -> Proposal:
            return policy_runner.propose_inline(context, count) or runner.run(policy_runner.propose(context, count))

        try:
            yield ask
        finally:
            runner.run(policy_runner.close())


def follow(source: Source, follower: Follower, progress: ProgressCall, *, campaign: str | None = None) -> str:
    """Feed a recording to a follower; return what a person should know of the file.

    A recording without notes (of a recorder beside the agent, or of the first format) is read twice: what the agent
    did is then told from its requests.

    Raises:
        StoreError: When the file is not what was written, by its line; when it is not of the campaign that is wanted.
    """
    requests = _requests_instead_of_notes(source.path)
    if requests is None and campaign not in {None, source.header.campaign}:
        raise StoreError(
            f"The recording is not of campaign {campaign!r}",
            expected=f"the campaign that its first line names, {source.header.campaign!r}",
            action="leave --campaign out, or name another recording",
        )
    inference = None if requests is None else _inference(source, follower, requests, campaign)
    size = size_of(source.path)
    with open_recording(source.path) as recording:
        for number, row in enumerate(recording.rows()):
            if number % ROWS_PER_REPORT == 0:
                progress(FOLLOWING, recording.bytes_read, size)
            if inference is None:
                follower.take(row)
            else:
                inference.take(row)
    progress(FOLLOWING, size, size)
    return recording.note


def follow_to_the_end(
    source: Source, followed: Followed, progress: ProgressCall, *, campaign: str | None = None
) -> tuple[Campaign, str]:
    """Follow a recording as it is, asking nobody; return the campaign at its end, and what to know of the file.

    Args:
        source: The recording and its world.
        followed: Called with every transaction.
        progress: For a progress bar.
        campaign: Which one, where the recording holds several.

    Raises:
        StoreError: When the file is not what was written, or the rules of today cannot follow it.
    """
    follower = Follower(source.world.pool, None, followed=followed)
    note = follow(source, follower, progress, campaign=campaign)
    lost = follower.finish().lost
    if lost or follower.campaign is None:
        raise StoreError(
            f"{source.path} cannot be followed to its end: {lost or 'no campaign begins in it'}",
            expected="a recording that the rules of today can follow",
            action="`entropilot replay` tells where it differs",
        )
    return follower.campaign, note


def _requests_instead_of_notes(path: Path) -> dict[str, Requests] | None:
    """Return what the requests in a recording tell; None where it says itself what the agent did."""
    heard = RequestsHeard()
    with open_recording(path) as recording:
        for row in recording.rows():
            if isinstance(row, EventRow | TransactionRow):
                return None
            heard.note(row)
    return heard.found()


def _inference(source: Source, follower: Follower, found: Mapping[str, Requests], campaign: str | None) -> Inference:
    wanted = campaign or source.header.campaign or next(iter(found), "")
    if not found:
        raise StoreError(
            "The recording holds no requests at all",
            expected="a recording of a campaign that asked for something",
            action="record the agent's campaign again; `entropilot verify` tells how many messages this one holds",
        )
    if wanted not in found or (not campaign and not source.header.campaign and len(found) > 1):
        there = ", ".join(sorted(found)[:MAX_CAMPAIGNS_LISTED]) or "none"
        raise StoreError(
            f"The recording holds no requests of campaign {wanted!r}"
            if len(found) < 2 or campaign  # noqa: PLR2004
            else f"The recording holds requests of {len(found)} campaigns",
            expected=f"one whose requests were recorded; there are: {there}",
            action="name one with --campaign",
        )
    requests = found[wanted]
    if (first := min(requests.of_decision, default=0)) > 0:
        raise StoreError(
            f"The recording begins with decision {first}: what was decided before was not heard",
            expected="a campaign from its first request on",
            action="start `entropilot record` before the agent; the agent's own recording.jsonl has everything",
        )
    plan, start_set = initial_events(source.scenario, source.world, campaign=requests.campaign, uid=requests.uid)
    if not requests.signatures_told:  # what nobody looked at cannot be required
        plan = plan.model_copy(update={"require_signatures": False})
    started = CampaignStarted(plan, source.header.versions)
    return Inference(follower, requests, started, start_set, source.scenario.campaign.request_timeout_s)
