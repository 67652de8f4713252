"""Who is there: by their own word, with a grace that grows for those who come and go."""

from __future__ import annotations

import pytest

from agent.campaign.events import InstrumentAway, ResultAccepted
from agent.campaign.plan import Ordering
from agent.campaign.presence import decide_away, decide_back
from agent.runtime.presence import (
    MAX_DOUBLINGS,
    MAX_KNOWN,
    MIN_GRACE_S,
    STEADY_S,
    TOLD_AFTER_S,
    Presence,
    named,
)
from agent.runtime.transaction import InstrumentGone, InstrumentReturned
from protocols.wire.messages import Health, Status
from tests.support.campaigns import NOW, Play, small_plan, small_pool

POOL = small_pool(24)
ONLINE, OFFLINE = Health.ONLINE, Health.OFFLINE


class Watched:
    """A campaign of two instruments, and what is known of them."""

    def __init__(self, *recipients: str, request_timeout_s: float = 20.0) -> None:
        recipients = recipients or ("a", "b")
        plan = small_plan(POOL, recipients=recipients, parallel=4, budget=12, ordering=Ordering.AS_COMPLETED)
        self.game = Play(POOL, plan)
        self.game.settle()
        self.presence = Presence(recipients, request_timeout_s)

    def says(self, client: str, health: Health, now: float) -> list[str]:
        word = Status(
            campaign="demo", message_id="m", sent_at=NOW, client=client, role="simulator", health=health
        )  # fmt: skip
        return self.presence.hear([word], (), now)

    def due(self, now: float) -> list[InstrumentGone | InstrumentReturned]:
        return self.presence.due(self.game.campaign, now)

    def decided(self, now: float) -> list[InstrumentGone | InstrumentReturned]:
        """What is due, decided as the loop does."""
        inputs = self.due(now)
        for each in inputs:
            gone = isinstance(each, InstrumentGone)
            campaign = self.game.campaign
            outcome = decide_away(campaign, each.instrument, "x") if gone else decide_back(campaign, each.instrument)
            self.game.take(outcome)
        return inputs

    def wait_s(self, now: float) -> float | None:
        return self.presence.wait_s(self.game.campaign, now)

    def waiting(self, now: float) -> tuple[str, ...]:
        return self.presence.waiting_for(self.game.campaign, now)


def test_while_nobody_was_heard_nobody_is_away_and_people_are_told_whom_the_campaign_waits_for() -> None:
    lab = Watched()
    lab.presence.link_up(100.0)
    assert lab.waiting(100.0 + TOLD_AFTER_S / 2) == ()
    assert lab.wait_s(100.0) == TOLD_AFTER_S
    assert lab.waiting(100.0 + TOLD_AFTER_S) == ("a", "b")
    assert lab.due(1e9) == []
    assert not lab.presence.is_there("a")


def test_one_that_was_never_heard_of_is_away_a_grace_after_another_came() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    assert lab.says("a", ONLINE, 60.0) == ["a"]
    assert lab.waiting(100.0) == ("b",)
    assert lab.due(60.0 + MIN_GRACE_S - 0.1) == []
    assert lab.wait_s(60.0 + MIN_GRACE_S - 0.1) == pytest.approx(0.1)
    assert lab.decided(60.0 + MIN_GRACE_S) == [InstrumentGone("b", "it was never heard of")]
    assert lab.due(1e9) == [], "once is enough"
    assert lab.waiting(1e9) == (), "its work was given to the other"


def test_what_takes_hours_is_not_given_away_after_seconds() -> None:
    lab = Watched(request_timeout_s=36_000.0)
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    lab.says("b", ONLINE, 0.0)
    lab.says("b", OFFLINE, 10.0)
    assert lab.due(10.0 + 3_599.0) == []
    assert lab.due(10.0 + 3_600.0) == [InstrumentGone("b", "it says so")]


def test_a_link_that_was_down_begins_every_grace_anew_and_nobody_is_judged_meanwhile() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    lab.presence.link_down()
    assert (lab.due(1e6), lab.waiting(1e6), lab.wait_s(1e6)) == ([], (), None)
    lab.presence.link_up(1e6)
    assert lab.due(1e6 + MIN_GRACE_S - 0.1) == []
    assert lab.due(1e6 + MIN_GRACE_S) == [InstrumentGone("b", "it was never heard of")]


def test_who_comes_back_is_due_at_once_where_that_changes_something() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    lab.decided(MIN_GRACE_S)
    assert lab.says("b", ONLINE, 9.0) == ["b"]
    assert lab.wait_s(9.0) == 0.0
    assert lab.decided(9.0) == [InstrumentReturned("b")]
    assert lab.says("b", ONLINE, 39.0) == [], "it says so now and then"
    assert lab.due(39.0) == []


def test_returns_are_decided_before_absences_so_that_somebody_is_there() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    lab.decided(MIN_GRACE_S)
    lab.says("a", OFFLINE, 10.0)
    lab.says("b", ONLINE, 100.0)
    assert lab.decided(100.0) == [InstrumentReturned("b")]
    assert lab.decided(100.0 + MIN_GRACE_S) == [InstrumentGone("a", "it says so")]
    assert {each.recipient for each in lab.game.awaited} == {"b"}


def test_an_instrument_that_blinks_is_never_away() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    for second in range(300):
        lab.says("b", OFFLINE if second % 2 else ONLINE, float(second))
        assert lab.decided(float(second)) == []


def test_the_grace_doubles_with_every_absence_and_is_short_again_after_a_long_presence() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    now, doubled = 0.0, [MIN_GRACE_S * 2**each for each in range(MAX_DOUBLINGS + 1)]
    for grace_s in (*doubled, doubled[-1], doubled[-1]):
        lab.says("b", ONLINE, now)
        lab.decided(now)
        lab.says("b", OFFLINE, now)
        assert lab.decided(now + 0.99 * grace_s) == []
        now += grace_s
        assert lab.decided(now) == [InstrumentGone("b", "it says so")]
    lab.says("b", ONLINE, now)
    lab.decided(now)
    lab.says("b", OFFLINE, now + STEADY_S)
    assert lab.decided(now + STEADY_S + MIN_GRACE_S) == [InstrumentGone("b", "it says so")]
    assert len(lab.game.of_kind(InstrumentAway)) == len(doubled) + 3


def test_who_answers_and_has_no_status_is_there_but_no_answer_contradicts_a_word() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    answer = ResultAccepted("x", "c000", "a", 0.5, (), 1.0)
    assert lab.presence.hear((), [answer], 5.0) == ["a"]
    lab.says("a", OFFLINE, 6.0)
    assert lab.presence.hear((), [answer], 7.0) == []
    assert not lab.presence.is_there("a"), "the answer was older than the word"


def test_whoever_may_answer_is_there_as_long_as_anybody_is() -> None:
    lab = Watched("any")
    lab.presence.link_up(0.0)
    assert lab.waiting(10.0) == ("any",)
    assert lab.says("x", ONLINE, 10.0) == ["any"]
    lab.says("y", ONLINE, 11.0)
    assert set(lab.presence.there) == {"x", "y"}
    lab.says("x", OFFLINE, 12.0)
    assert lab.presence.is_there("any")
    lab.says("y", OFFLINE, 13.0)
    assert not lab.presence.is_there("any")
    assert lab.due(1e9) == []
    assert named(lab.waiting(1e9)) == "an instrument"


def test_strangers_are_not_remembered_and_of_those_that_may_answer_a_bounded_number() -> None:
    lab, anybody = Watched(), Watched("any")
    for number in range(3 * MAX_KNOWN):
        lab.says(f"stranger-{number}", ONLINE, 0.0)
        anybody.says(f"stranger-{number}", ONLINE, 0.0)
    lab.says("agent", ONLINE, 0.0)
    assert lab.presence.there == ()
    assert len(anybody.presence.there) == MAX_KNOWN


def test_when_nothing_more_is_asked_for_it_does_not_matter_who_is_there() -> None:
    lab = Watched()
    lab.presence.link_up(0.0)
    lab.says("a", ONLINE, 0.0)
    while lab.game.awaited:
        lab.game.answer(lab.game.awaited[0])
    assert lab.due(1e9) == []
    assert lab.wait_s(1e9) is None
