"""A recorded lab is found by candidate and attempt, with its times, and keeps apart what it said unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocols.wire.topics import PREFIX
from scenarios.play.recorded_lab import AnswerLookup, RecordedLab, labs_in
from tests.support import sample_messages as messages
from tests.support.samples.recorded import Rows

RESULTS = f"{PREFIX}/{messages.CAMPAIGN}/result/{messages.SIMULATOR}"


def lab_of(rows: Rows) -> RecordedLab:
    return labs_in(rows)[messages.CAMPAIGN]


def times(lab: RecordedLab, candidate: str, attempt: int = 1) -> list[float]:
    return [round(answer.after_s, 6) for answer in lab.find(candidate, attempt).answers]


def test_all_answers_of_an_attempt_are_kept_with_their_time_after_its_first_request() -> None:
    rows = Rows()
    rows.asked(1.0, "x")
    rows.asked(1.5, "x")
    rows.answered(2.0, "x")
    rows.answered(2.25, "x")
    rows.failed(4.0, "x")
    assert times(lab_of(rows), "x") == [1.0, 1.25, 3.0]


def test_a_message_whose_signature_did_not_hold_is_not_the_labs() -> None:
    rows = Rows()
    rows.asked(1.0, "x")
    rows.answered(2.0, "x")
    rows.answered(3.0, "x")
    forged = [replace(row, signature_fault="another key") if row.time_s == 2.0 else row for row in rows]
    lab = labs_in(forged)[messages.CAMPAIGN]
    assert times(lab, "x") == [2.0]


def test_every_attempt_has_its_own_answers_and_silence_stays_silence() -> None:
    rows = Rows()
    rows.asked(0.0, "x", 1)
    rows.failed(1.0, "x", 1)
    rows.asked(1.0, "x", 2)
    rows.asked(9.0, "x", 3)
    rows.answered(9.5, "x", 3)
    lab = lab_of(rows)
    assert [times(lab, "x", attempt) for attempt in (1, 2, 3)] == [[1.0], [], [0.5]]
    assert lab.find("x", 2).is_known


def test_beyond_the_recorded_attempts_the_last_answer_is_given_again() -> None:
    rows = Rows()
    rows.asked(0.0, "x", 1)
    rows.failed(1.0, "x", 1)
    rows.asked(1.0, "x", 2)
    rows.answered(1.5, "x", 2)
    found = lab_of(rows).find("x", 7)
    assert found.is_extra_attempt
    assert b"candidate_result" in found.answers[0].payload


def test_a_candidate_that_was_never_answered_for_is_silence_and_one_that_was_never_asked_for_is_unknown() -> None:
    rows = Rows()
    rows.asked(0.0, "x")
    rows.asked(0.0, "y")
    rows.answered(0.1, "y")
    lab = lab_of(rows)
    assert lab.find("x", 1) == AnswerLookup(())
    assert lab.find("x", 2) == AnswerLookup((), is_extra_attempt=True)
    assert not lab.find("z", 1).is_known


def test_of_two_campaigns_of_one_name_the_first_one_counts() -> None:
    rows = Rows()
    rows.asked(0.0, "x")
    rows.asked(5.0, "x", uid="later")
    rows.answered(6.0, "x", uid="later")
    rows.answered(7.0, "x")
    lab = lab_of(rows)
    assert times(lab, "x") == [7.0]
    assert not lab.unsolicited


def test_an_answer_whose_request_was_not_heard_is_known_by_its_attempts_id() -> None:
    rows = Rows()
    rows.answered(3.0, "x", 2)
    rows.answered(3.5, "x", 2)
    assert times(lab_of(rows), "x", 2) == [0.0, 0.5]


@pytest.mark.parametrize("forged", [{"candidate_id": "y"}, {"simulator": "sim-2"}])
def test_a_forged_answer_answers_nobody_and_is_said_again_as_it_was(forged: dict[str, str]) -> None:
    rows = Rows()
    rows.asked(0.0, "x")
    message = messages.result("then-d000001-x-a1", **({"candidate_id": "x"} | forged))
    rows.add(1.0, message)
    rows.answered(2.0, "x")
    lab = lab_of(rows)
    assert times(lab, "x") == [2.0]
    assert [(each.after_s, each.requests, each.answers) for each in lab.unsolicited] == [(1.0, 1, 0)]


def test_what_the_lab_says_unasked_has_its_place_and_its_time_and_the_agents_words_are_left_out() -> None:
    rows = Rows()
    rows.add(1.0, messages.status())
    rows.add(1.5, messages.status("agent"))
    rows.asked(2.0, "x")
    rows.add(2.5, messages.receipt())
    rows.answered(3.0, "x")
    rows.say(3.5, RESULTS, b"\xff garbage")
    rows.add(4.0, messages.control())
    rows.say(4.5, "other/topic", b"of others")
    unsolicited = lab_of(rows).unsolicited
    assert [each.channel for each in unsolicited] == [
        f"status/{messages.SIMULATOR}",
        f"result/{messages.SIMULATOR}",
        "control",
    ]
    assert [(each.after_s, each.requests, each.answers) for each in unsolicited] == [
        (-1.0, 0, 0),
        (1.5, 1, 1),
        (2.0, 1, 1),
    ]
    assert [each.retain for each in unsolicited] == [True, False, False]
