"""What is folded of absence and silence: bounded, and forgotten with the candidate's outcome."""

from __future__ import annotations

from agent.campaign.absence import MAX_REQUEUES, Absence


def test_only_silence_brings_a_candidate_back_and_only_so_often() -> None:
    absence = Absence()
    absence.failed.add("failed")
    for which, in_silence in (("silent", True), ("failed", True), ("refused", False)):
        absence.abandon(which, in_silence=in_silence)
    absence.recall("why")
    assert (list(absence.returning), absence.why) == (["silent"], "why")
    for _ in range(MAX_REQUEUES):
        absence.requeue("silent")
    absence.abandon("silent", in_silence=True)
    assert not absence.unanswered
    assert not absence.returning


def test_a_candidate_with_an_outcome_does_not_come_back() -> None:
    absence = Absence()
    absence.abandon("a", in_silence=True)
    absence.abandon("b", in_silence=True)
    absence.close("a")
    absence.recall("why")
    absence.close("b")
    assert not absence.returning


def test_what_is_handed_on_counts_as_no_attempt() -> None:
    absence = Absence()
    absence.hand_on("a")
    absence.hand_on("a")
    absence.forgive("a", 1)
    assert (absence.handed_on["a"], absence.forgiven["a"]) == (2, 3)
