"""Tests of telling each occurrence once."""

from __future__ import annotations

from dataclasses import replace

from scenarios.observe.alerts.occurrences import Alert, Occurrences, Remembered
from scenarios.observe.alerts.settings import AlertRules
from scenarios.observe.figures import RunFigures

RULES = AlertRules(finished=True, agent_gone_s=60, quarantined_per_minute=5)
RUNNING = RunFigures("mine", "running", "mine")
PAUSED = replace(RUNNING, phase="paused", is_paused_by_itself=True, reason="ten failures in a row")


def told(alerts: list[Alert]) -> list[str]:
    return [each.kind for each in alerts]


def test_what_goes_on_is_told_once_and_what_comes_again_is_another() -> None:
    seen = Occurrences(RULES)
    looks = [seen.look([run], float(now)) for now, run in enumerate((RUNNING, PAUSED, PAUSED, RUNNING, PAUSED))]
    assert [told(each) for each in looks] == [[], ["paused_itself"], [], [], ["paused_itself"]]
    first, second = looks[1][0], looks[4][0]
    assert first.id != second.id
    assert (first.words, first.run, first.since) == ("ten failures in a row", "mine", "1970-01-01T00:00:01.000Z")


def test_a_restart_tells_nothing_twice_and_nothing_too_little() -> None:
    before = Occurrences(RULES)
    before.look([PAUSED, replace(RUNNING, run="other")], 0.0)
    kept = Remembered.model_validate_json(before.to_remember().model_dump_json())
    after = Occurrences(RULES, kept)
    assert told(after.look([PAUSED, replace(RUNNING, run="other", phase="finished")], 100.0)) == ["finished"]


def test_what_must_hold_for_a_while_is_told_then_and_not_when_it_passes() -> None:
    seen, gone = Occurrences(RULES), replace(RUNNING, phase="interrupted")
    seen.look([RUNNING], 0.0)
    assert told(seen.look([gone], 10.0)) == []
    assert told(seen.look([RUNNING], 65.0)) == []
    assert told(seen.look([gone], 70.0)) == []
    assert told(seen.look([gone], 129.0)) == []
    assert told(seen.look([gone], 130.0)) == ["agent_gone"]
    assert told(seen.look([gone], 1_000.0)) == []


def test_what_was_over_before_it_was_seen_first_is_no_news() -> None:
    seen = Occurrences(RULES)
    for phase in ("finished", "interrupted"):
        old = replace(RUNNING, run=phase, phase=phase)
        assert [told(seen.look([old], now)) for now in (0.0, 1_000.0)] == [[], []]
    assert told(Occurrences(RULES).look([PAUSED], 0.0)) == ["paused_itself"], "this still wants somebody"


def test_messages_that_were_put_aside_are_counted_over_a_minute() -> None:
    seen = Occurrences(RULES)
    looks = []
    for now, count in ((0, 100), (10, 103), (20, 106), (30, 107), (80, 107), (90, 107), (100, 113)):
        looks.append(told(seen.look([replace(RUNNING, quarantined={"not_json": count})], float(now))))
    assert looks == [[], [], ["quarantine_rate"], [], [], [], ["quarantine_rate"]]


def test_a_run_that_is_gone_is_forgotten() -> None:
    seen = Occurrences(RULES)
    seen.look([PAUSED], 0.0)
    seen.look([], 1.0)
    assert seen.to_remember() == Remembered()
