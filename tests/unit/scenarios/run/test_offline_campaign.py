"""Offline play: the lab's answers are judged as the loop judges them, and the campaign ends where a run would."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from agent.campaign.events import StartSetLoaded
from agent.campaign.life_cycle import Phase
from agent.campaign.state import Attempt
from agent.settings import CampaignSettings
from protocols.wire.messages import ControlAction, FailureReason
from scenarios.run.offline import play_offline
from scenarios.run.offline_campaign import Failure, LabAnswer, OfflineCampaign, Silence, TimedControl
from tests.support.campaigns import control, first_available, quantity, small_plan, small_pool, value_of

POOL = small_pool(12)


def played(answer: LabAnswer | None = None, *controls: TimedControl, **changes: object) -> OfflineCampaign:
    def lab(attempt: Attempt) -> LabAnswer:
        return (quantity(value_of(attempt.candidate_id)),) if answer is None else answer

    campaign = OfflineCampaign(POOL, lab, first_available, controls=controls)
    campaign.begin(small_plan(POOL, **changes), StartSetLoaded(("c000",), (0.5,)))
    campaign.play()
    return campaign


def kinds(campaign: OfflineCampaign) -> Counter[str]:
    return Counter(type(change.event).__name__ for change in campaign.changes)


def test_it_plays_to_the_end_of_the_budget_and_says_so() -> None:
    campaign = played()
    assert campaign.campaign.phase is Phase.FINISHED
    assert campaign.ended == "the budget is spent"
    assert kinds(campaign)["ResultAccepted"] == 6


@pytest.mark.parametrize(
    ("answer", "ends_as"),
    [
        ((quantity(10.5),), "AttemptFailed"),
        ((quantity(0.5, unit="J"),), "AttemptFailed"),
        (Failure(FailureReason.CRASHED), "AttemptFailed"),
        (Silence(), "RequestExpired"),
    ],
)
def test_what_is_no_result_costs_an_attempt_and_the_lab_that_only_has_such_pauses_it(
    answer: LabAnswer, ends_as: str
) -> None:
    campaign = played(answer, max_attempts=2, give_up_after=3)
    assert kinds(campaign)[ends_as] == kinds(campaign)["RequestIssued"] == 6
    assert kinds(campaign)["CandidateAbandoned"] == 3
    assert campaign.campaign.phase is Phase.PAUSED
    assert campaign.ended.startswith("paused: the last 3 candidates were all")


def test_a_failure_that_another_attempt_would_repeat_costs_one_attempt() -> None:
    campaign = played(Failure(FailureReason.UNSUPPORTED), max_attempts=3, give_up_after=99)
    assert kinds(campaign)["RequestIssued"] == kinds(campaign)["CandidateAbandoned"] == 6


def test_controls_wait_for_their_result_and_one_that_cannot_be_carried_out_changes_nothing() -> None:
    pause, resume = control(ControlAction.PAUSE), control(ControlAction.RESUME)
    nobody = control(ControlAction.EXCLUDE_CANDIDATE, "nobody")
    campaign = played(None, TimedControl(2, pause), TimedControl(2, nobody), TimedControl(2, resume))
    names = [type(change.event).__name__ for change in campaign.changes]
    assert names[: names.index("CampaignPaused")].count("ResultAccepted") == 2
    assert campaign.ended == "the budget is spent"
    assert names.count("ControlRefused") == 1
    assert campaign.refused_messages == []


def test_a_pause_that_nobody_ends_is_the_end() -> None:
    campaign = played(None, TimedControl(1, control(ControlAction.PAUSE, reason="cleaning")))
    assert campaign.ended == "paused: cleaning"
    assert campaign.campaign.in_flight == {}


def test_values_out_of_range_are_refused_and_their_candidates_abandoned_as_in_a_run() -> None:
    values = np.array([value_of(which) for which in POOL.candidate_ids])
    believed = {"valid_range": (-2.0, 2.0), "max_attempts": 1, "give_up_after": 1000}
    fields = {"property": "formation_energy", "unit": "eV/atom", "budget": 9, "policy": "random"} | believed
    run = play_offline(POOL, values, [0, 1], CampaignSettings.model_validate(fields))
    assert len(run.acquired) + len(run.abandoned) == 9
    assert np.abs(values[run.acquired]).max() <= 2.0 < np.abs(values[run.abandoned]).min()
    assert (run.ended, run.is_finished, len(run.unknown)) == ("the budget is spent", True, 0)
    paused = play_offline(
        POOL,
        values,
        [0, 1],
        CampaignSettings.model_validate(fields | {"valid_range": (98.0, 99.0), "give_up_after": 4}),
    )
    assert (len(paused.abandoned), paused.is_finished) == (4, False)
