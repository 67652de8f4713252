"""Orders of an operator that are not obeyed: those of an earlier campaign, and those that change nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.campaign import decide
from agent.campaign.events import (
    CampaignPaused,
    CampaignResumed,
    CampaignStarted,
    CampaignStopping,
    CandidateExcluded,
    ControlNoted,
    ControlRefused,
    StartSetLoaded,
)
from agent.campaign.life_cycle import Phase
from agent.campaign.people.controls import CLOCK_TOLERANCE_S, MAX_CONTROLS_NOTED, MAX_CONTROLS_REFUSED
from agent.campaign.people.orders import MAX_PAUSES_AHEAD
from agent.campaign.state import Campaign
from protocols.errors import MessageError
from protocols.wire.messages import Control, ControlAction
from tests.support.campaigns import NOW, Play, control, quantity, small_plan, small_pool, state_of

POOL = small_pool()


def begun(began_at: object = NOW) -> Campaign:
    """A campaign that has begun at some time, or nobody knows when."""
    campaign = Campaign(POOL)
    campaign.apply(CampaignStarted(small_plan(POOL), {}, (), began_at))  # type: ignore[arg-type]
    campaign.apply(StartSetLoaded((), ()))
    return campaign


@pytest.mark.parametrize("action", ControlAction)
@pytest.mark.parametrize("earlier", [timedelta(seconds=CLOCK_TOLERANCE_S + 1), timedelta(hours=5), timedelta(days=900)])
def test_an_order_that_was_sent_before_the_campaign_began_is_refused_and_the_clocks_are_named(
    action: ControlAction, earlier: timedelta
) -> None:
    campaign = begun()
    before = state_of(campaign)
    order = control(action, "c003", quantity=quantity(1.0), sent_at=NOW - earlier)
    with pytest.raises(MessageError) as refused:
        decide.decide_control(campaign, order)
    assert refused.value.reason == "stale"
    assert "one of the two clocks is off" in str(refused.value)
    assert f"{earlier.total_seconds():.0f} s before" in str(refused.value)
    assert state_of(campaign) == before


@pytest.mark.parametrize("later", [timedelta(seconds=-CLOCK_TOLERANCE_S), timedelta(0), timedelta(days=3)])
def test_an_order_of_the_campaign_s_own_time_is_obeyed(later: timedelta) -> None:
    outcome = decide.decide_control(begun(), control(ControlAction.STOP, sent_at=NOW + later))
    assert isinstance(outcome.events[0], CampaignStopping)


def test_a_campaign_that_does_not_say_when_it_began_takes_every_order_of_its_name() -> None:
    order = control(ControlAction.STOP, sent_at=NOW - timedelta(days=900))
    assert decide.decide_control(begun(None), order).disposition == "carried out"


def test_an_order_that_was_carried_out_is_nothing_when_the_broker_brings_it_again_as_a_kept_one() -> None:
    campaign, order = begun(), control(ControlAction.PAUSE)
    with pytest.raises(MessageError, match="retain flag"):
        decide.decide_control(campaign, order, retained=True)
    for event in decide.decide_control(campaign, order).events:
        campaign.apply(event)
    assert decide.decide_control(campaign, order, retained=True).events == ()


def test_who_asked_and_who_signed_stands_in_the_event() -> None:
    order = control(ControlAction.EXCLUDE_CANDIDATE, "c003", operator="ada", reason="toxic")
    (event,) = decide.decide_control(begun(), order, signed_by="ada").events
    assert event == CandidateExcluded("c003", "toxic", order.message_id, "ada", "ada")


def test_orders_that_change_nothing_are_noted_up_to_a_bound_and_then_only_counted() -> None:
    played = Play(POOL, small_plan(POOL))
    played.settle()
    outcomes = []
    for _ in range(MAX_CONTROLS_NOTED + 20):
        outcomes.append(decide.decide_control(played.campaign, control(ControlAction.RESUME)))
        played.take(outcomes[-1])
    assert len(played.of_kind(ControlNoted)) == MAX_CONTROLS_NOTED
    assert {outcome.disposition for outcome in outcomes} == {"changes nothing"}
    assert len(played.campaign.orders.seen) == MAX_CONTROLS_NOTED


def test_an_order_that_was_only_counted_changes_nothing_when_it_comes_again_after_a_later_one() -> None:
    played = Play(POOL, small_plan(POOL))
    played.settle()

    def order(action: ControlAction, at_s: float) -> Control:
        return control(action, sent_at=NOW + timedelta(seconds=at_s))

    resumptions = [order(ControlAction.RESUME, each) for each in range(MAX_CONTROLS_NOTED + 20)]
    for each in resumptions:
        played.take(decide.decide_control(played.campaign, each))
    played.take(decide.decide_control(played.campaign, order(ControlAction.PAUSE, 1_000)))
    for each in resumptions[:MAX_CONTROLS_NOTED]:
        assert decide.decide_control(played.campaign, each).disposition == "changes nothing"
    for each in resumptions[MAX_CONTROLS_NOTED:]:
        with pytest.raises(MessageError, match="it may be one that comes again") as refused:
            decide.decide_control(played.campaign, each)
        assert refused.value.reason == "stale"
    played.take(decide.decide_control(played.campaign, order(ControlAction.RESUME, 1_001)))
    assert played.campaign.phase is Phase.RUNNING
    with pytest.raises(MessageError, match="not sent before that"):
        decide.decide_control(played.campaign, order(ControlAction.PAUSE, 1_000.5))
    assert decide.decide_control(played.campaign, order(ControlAction.STOP, 3)).disposition == "carried out"


def test_as_long_as_all_are_remembered_the_clocks_of_two_operators_may_differ() -> None:
    played = Play(POOL, small_plan(POOL))
    played.settle()
    played.take(decide.decide_control(played.campaign, control(ControlAction.PAUSE, sent_at=NOW + timedelta(hours=1))))
    resumed = decide.decide_control(played.campaign, control(ControlAction.RESUME, sent_at=NOW))
    assert resumed.disposition == "carried out"


def test_who_pauses_and_resumes_for_ever_fills_no_journal_and_the_campaign_goes_on() -> None:
    played = Play(POOL, small_plan(POOL))
    played.settle()
    refused = []

    def order(action: ControlAction, at_s: float) -> decide.Consequence:
        outcome = decide.decide_control(played.campaign, control(action, sent_at=NOW + timedelta(seconds=at_s)))
        played.take(outcome)
        return outcome

    for turn in range(5_000):
        outcome = order((ControlAction.PAUSE, ControlAction.RESUME)[turn % 2], turn)
        if outcome.disposition == "refused":
            refused.append(outcome)
    assert len(played.of_kind(CampaignPaused)) == len(played.of_kind(CampaignResumed)) == MAX_PAUSES_AHEAD
    assert len(played.of_kind(ControlNoted)) == MAX_CONTROLS_NOTED
    assert len(refused) == 2_500 - MAX_PAUSES_AHEAD
    assert len(played.of_kind(ControlRefused)) == MAX_CONTROLS_REFUSED < len(refused)
    assert refused[0].ack is not None
    assert "can be paused again after the next one" in refused[0].ack.detail
    assert played.campaign.phase is Phase.RUNNING

    played.answer(played.awaited[0])
    for action, at_s in ((ControlAction.PAUSE, 6_000), (ControlAction.RESUME, 6_001)):
        assert order(action, at_s).disposition == "carried out"
    third = order(ControlAction.PAUSE, 6_002)
    assert third.ack is not None
    assert "65 times, and 1 candidates have" in third.ack.detail
    assert order(ControlAction.STOP, 6_003).disposition == "carried out"


def test_a_campaign_that_paused_itself_costs_no_operator_a_pause_and_can_always_be_resumed() -> None:
    campaign = begun()
    for turn in range(MAX_PAUSES_AHEAD):
        campaign.apply(CampaignPaused("ordered", f"pause-{turn}"))
        campaign.apply(CampaignResumed("ordered", f"resume-{turn}"))
    campaign.apply(CampaignPaused("nobody answers"))
    assert campaign.orders.pauses == MAX_PAUSES_AHEAD
    assert decide.decide_control(campaign, control(ControlAction.RESUME)).disposition == "carried out"
