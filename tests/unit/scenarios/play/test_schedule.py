"""A live schedule says everything at its time: recorded delays by the speed, repeats until the receipt, controls."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from protocols.wire.codec import decode
from protocols.wire.messages import AnyMessage, CandidateFailure, CandidateResult, Control, FailureReason
from protocols.wire.topics import ANY_SIMULATOR, Channel, parse
from scenarios.play.messages import UNKNOWN
from scenarios.play.recorded_lab import labs_in
from scenarios.play.schedule import MAX_RESENDS, RESEND_S, SILENT_STALLED_S, STALLED_S, LiveSchedule
from tests.support import sample_messages as messages
from tests.support.samples.recorded import Rows, asking, attempt_id

NOW = datetime(2026, 5, 6, tzinfo=UTC)
LIVE = "another"


def schedule_of(rows: Rows, speed: float = 1.0) -> LiveSchedule:
    return LiveSchedule(labs_in(rows)[messages.CAMPAIGN], LIVE, speed)


def said(schedule: LiveSchedule, now_s: float) -> list[AnyMessage]:
    return [decode(message.topic, message.payload) for message in schedule.take_due(now_s, NOW)]


def ask(schedule: LiveSchedule, now_s: float, candidate: str, attempt: int = 1, recipient: str = "sim-9") -> None:
    schedule.ask(asking(candidate, attempt, campaign=LIVE), recipient, now_s)


def one_answer(after_s: float = 3.0) -> Rows:
    rows = Rows()
    rows.asked(1.0, "x")
    rows.answered(1.0 + after_s, "x")
    return rows


@pytest.mark.parametrize(("speed", "at_s"), [(1.0, 13.0), (10.0, 10.3), (math.inf, 10.0)])
def test_an_answer_comes_after_its_recorded_time_by_the_speed_written_for_the_attempt_that_asks(
    speed: float, at_s: float
) -> None:
    schedule = schedule_of(one_answer(), speed)
    ask(schedule, 10.0, "x")
    assert schedule.next_s() == pytest.approx(at_s)
    assert said(schedule, at_s - 1e-6) == []
    (answer,) = said(schedule, at_s + 1e-6)
    assert isinstance(answer, CandidateResult)
    assert (answer.campaign, answer.attempt_id, answer.simulator) == (LIVE, attempt_id("x", 1, "now"), "sim-9")
    assert (answer.candidate_id, answer.quantities, answer.sent_at) == ("x", messages.result().quantities, NOW)
    assert answer.message_id != messages.result().message_id


def test_a_request_to_anybody_is_answered_by_whom_the_recording_names() -> None:
    schedule = schedule_of(one_answer(), math.inf)
    ask(schedule, 0.0, "x", recipient=ANY_SIMULATOR)
    (message,) = schedule.take_due(0.0, NOW)
    assert parse(message.topic).client == messages.SIMULATOR


def test_requests_are_answered_whatever_their_order() -> None:
    rows = Rows()
    for number, candidate in enumerate("abc"):
        rows.asked(number, candidate)
        rows.answered(number + 0.5, candidate)
    schedule = schedule_of(rows, math.inf)
    for candidate in "cab":
        ask(schedule, 0.0, candidate)
    assert [each.candidate_id for each in said(schedule, 0.0) if isinstance(each, CandidateResult)] == ["c", "a", "b"]
    assert schedule.played.answered == 3


def test_what_was_never_answered_gets_a_permanent_failure_that_says_so_and_is_counted() -> None:
    schedule = schedule_of(one_answer())
    ask(schedule, 0.0, "y")
    (answer,) = said(schedule, 0.0)
    assert isinstance(answer, CandidateFailure)
    assert (answer.reason, answer.detail) == (FailureReason.UNKNOWN_CANDIDATE, UNKNOWN)
    assert (schedule.played.unknown, schedule.played.answered) == (1, 0)


def test_the_last_answer_comes_again_with_longer_pauses_until_its_receipt() -> None:
    schedule = schedule_of(one_answer(), math.inf)
    ask(schedule, 0.0, "x")
    first = said(schedule, 0.0)
    assert said(schedule, RESEND_S - 0.01) == []
    assert said(schedule, RESEND_S) == first
    assert schedule.next_s() == pytest.approx(3 * RESEND_S)
    schedule.receive(attempt_id("x", 1, "now"), 2.0)
    assert schedule.is_idle
    assert said(schedule, 1e6) == []


def test_an_answer_that_nobody_ever_acknowledges_is_repeated_a_bounded_number_of_times() -> None:
    schedule = schedule_of(one_answer(), math.inf)
    ask(schedule, 0.0, "x")
    count, now_s = 0, 0.0
    while (due_s := schedule.next_s()) is not None:
        now_s = due_s
        count += len(said(schedule, now_s))
    assert count == 1 + MAX_RESENDS


def test_a_repeated_request_is_answered_again_but_not_while_its_answer_is_still_to_come() -> None:
    schedule = schedule_of(one_answer(3.0))
    ask(schedule, 0.0, "x")
    ask(schedule, 1.0, "x")
    (first,) = said(schedule, 3.0)
    ask(schedule, 3.1, "x")
    assert said(schedule, 3.1) == [first]
    schedule.receive(attempt_id("x", 1, "now"), 3.2)
    ask(schedule, 50.0, "x")
    assert said(schedule, 50.0) == [first]
    assert schedule.is_idle
    assert (schedule.played.asked, schedule.played.repeated) == (1, 3)


def test_silence_is_kept_and_waits_until_the_agent_asks_again() -> None:
    rows = one_answer()
    rows.asked(9.0, "y", 1)
    rows.asked(12.0, "y", 2)
    rows.answered(12.5, "y", 2)
    schedule = schedule_of(rows)
    ask(schedule, 0.0, "y")
    assert (schedule.next_s(), schedule.waiting, schedule.played.silent) == (None, 1, 1)
    ask(schedule, 5.0, "y", 2)
    assert len(said(schedule, 5.5)) == 1
    assert schedule.waiting == 0


def controlled() -> Rows:
    """A control between the answers to x and y."""
    rows = Rows()
    rows.asked(0.0, "x")
    rows.answered(1.0, "x")
    rows.asked(2.0, "y")
    rows.add(4.0, messages.control())
    rows.answered(5.0, "y")
    return rows


def test_what_was_said_unasked_comes_at_its_time_after_the_first_request() -> None:
    schedule = schedule_of(controlled(), speed=2.0)
    assert schedule.next_s() is None
    ask(schedule, 100.0, "x")
    (control,) = [each for each in said(schedule, 102.0) if isinstance(each, Control)]
    assert (control.campaign, control.message_id) == (LIVE, messages.control().message_id)
    assert not schedule.has_more_unsolicited


def test_at_full_speed_what_was_said_unasked_keeps_its_place_among_requests_and_answers() -> None:
    schedule = schedule_of(controlled(), math.inf)
    ask(schedule, 0.0, "x")
    assert [type(each) for each in said(schedule, 0.0)] == [CandidateResult]
    ask(schedule, 0.1, "y")
    assert [type(each) for each in said(schedule, 0.1)] == [Control, CandidateResult]


def test_at_full_speed_that_holds_with_several_requests_in_flight_too() -> None:
    schedule = schedule_of(controlled(), math.inf)
    ask(schedule, 0.0, "x")
    ask(schedule, 0.0, "y")
    assert [type(each) for each in said(schedule, 0.0)] == [CandidateResult, Control, CandidateResult]


def test_at_full_speed_an_answer_that_is_said_again_makes_no_place_for_what_was_said_unasked() -> None:
    schedule = schedule_of(twice_then_controlled(), math.inf)
    ask(schedule, 0.0, "x")
    ask(schedule, 0.0, "y")
    assert [type(each) for each in said(schedule, 0.0)] == [CandidateResult] * 3
    ask(schedule, 0.1, "x")
    assert [type(each) for each in said(schedule, 0.1)] == [CandidateResult] * 2
    ask(schedule, 0.2, "z")
    assert [type(each) for each in said(schedule, 0.2)] == [CandidateResult, Control]


def twice_then_controlled() -> Rows:
    """A control after the answers to x, which came twice, to y and to z."""
    rows = Rows()
    for time_s, candidate in enumerate("xyz"):
        rows.asked(time_s, candidate)
        rows.answered(time_s + 0.5, candidate)
    rows.answered(4.0, "x")
    rows.add(5.0, messages.control())
    return rows


def test_what_has_an_answer_counts_as_answered_when_all_of_it_was_said() -> None:
    rows = one_answer(3.0)
    rows.answered(6.0, "x")
    schedule = schedule_of(rows)
    ask(schedule, 0.0, "x")
    counts = []
    for now_s in (0.0, 3.0, 5.0, 7.0):
        said(schedule, now_s)
        counts.append(schedule.played.answered)
    assert counts == [0, 0, 1, 1]


def test_at_full_speed_silence_holds_back_what_comes_next_for_longer_and_not_for_ever() -> None:
    rows = controlled()
    rows.asked(6.0, "z")
    schedule = schedule_of(rows, math.inf)
    ask(schedule, 0.0, "z")
    assert schedule.next_s() == SILENT_STALLED_S
    assert said(schedule, SILENT_STALLED_S - 0.1) == []
    assert [type(each) for each in said(schedule, SILENT_STALLED_S)] == [Control]
    assert schedule.waiting == 0


def test_a_candidate_that_the_lab_only_met_with_silence_meets_it_again_and_is_counted() -> None:
    rows = one_answer()
    rows.asked(9.0, "y", 1)
    rows.asked(12.0, "y", 2)
    schedule = schedule_of(rows)
    for attempt in (1, 2, 3):
        ask(schedule, 0.0, "y", attempt)
    assert said(schedule, 1e6) == []
    played = schedule.played
    assert (played.asked, played.silent, played.extra_attempts, played.unknown, played.answered) == (3, 3, 1, 0, 0)


def test_at_full_speed_a_silent_agent_hears_what_comes_next_after_a_while() -> None:
    schedule = schedule_of(controlled(), math.inf)
    ask(schedule, 0.0, "x")
    said(schedule, 0.0)
    schedule.receive(attempt_id("x", 1, "now"), 0.5)
    assert schedule.next_s() == 0.5 + STALLED_S
    assert [type(each) for each in said(schedule, 0.5 + STALLED_S)] == [Control]


def test_garbage_is_said_as_it_was_on_the_live_campaigns_topic() -> None:
    rows = one_answer()
    rows.say(1.5, f"entropilot/v1/{messages.CAMPAIGN}/result/sim-1", b"\xff")
    schedule = schedule_of(rows)
    ask(schedule, 0.0, "x")
    (message,) = schedule.take_due(0.5, NOW)
    assert (message.topic, message.payload) == (f"entropilot/v1/{LIVE}/{Channel.RESULT.value}/sim-1", b"\xff")
