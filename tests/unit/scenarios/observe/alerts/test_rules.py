"""Tests of what calls for an alert."""

from __future__ import annotations

from dataclasses import replace

from scenarios.observe.alerts.rules import conditions_of
from scenarios.observe.alerts.settings import AlertRules
from scenarios.observe.figures import InstrumentFigures, RunFigures

NOTHING = AlertRules(paused_itself=False, agent_gone_s=None, unreadable=False)
RUNNING = RunFigures("mine", "running", in_flight=2, mean_gap=0.5, best_mean_gap=0.4)


def kinds(run: RunFigures, rules: AlertRules, **more: object) -> list[tuple[str, str]]:
    return [(each.kind, each.subject) for each in conditions_of(run, rules, **more)]  # type: ignore[arg-type]


def test_a_campaign_that_just_runs_calls_for_nothing() -> None:
    every = AlertRules(finished=True, instrument_silent_s=1, quarantined_per_minute=1, bias_above_best=0.2)
    assert kinds(RUNNING, every) == []


def test_a_pause_that_nobody_ordered_is_one_and_an_operator_s_is_none() -> None:
    rules = NOTHING.model_copy(update={"paused_itself": True})
    assert kinds(replace(RUNNING, phase="paused", is_paused_by_itself=True), rules) == [("paused_itself", "")]
    assert kinds(replace(RUNNING, phase="paused"), rules) == []


def test_an_agent_that_is_gone_must_be_so_for_a_while() -> None:
    rules = NOTHING.model_copy(update={"agent_gone_s": 60.0})
    (found,) = conditions_of(replace(RUNNING, phase="interrupted"), rules)
    assert (found.kind, found.after_s) == ("agent_gone", 60.0)
    assert "2 requests in flight" in found.words


def test_only_an_instrument_that_holds_requests_is_expected_to_speak() -> None:
    rules = NOTHING.model_copy(update={"instrument_silent_s": 600.0})
    instruments = (
        InstrumentFigures("busy", in_flight=1, silent_s=601),
        InstrumentFigures("idle", in_flight=0, silent_s=10_000),
        InstrumentFigures("quick", in_flight=3, silent_s=599),
        InstrumentFigures("new", in_flight=1, oldest_s=10, silent_s=None),
        InstrumentFigures("mute", in_flight=1, oldest_s=900, silent_s=None),
        InstrumentFigures("asked-just-now", in_flight=1, oldest_s=10, silent_s=10_000),
    )
    found = kinds(replace(RUNNING, instruments=instruments), rules)
    assert found == [("instrument_silent", "busy"), ("instrument_silent", "mute")]
    assert kinds(replace(RUNNING, phase="finished", instruments=instruments), rules) == []


def test_a_rate_that_is_not_known_yet_is_none() -> None:
    rules = NOTHING.model_copy(update={"quarantined_per_minute": 5.0})
    assert kinds(RUNNING, rules, per_minute=None) == []
    assert kinds(RUNNING, rules, per_minute=5.0) == []
    assert kinds(RUNNING, rules, per_minute=6.0) == [("quarantine_rate", "")]


def test_bias_begins_above_the_bound_and_ends_half_way_back() -> None:
    rules = NOTHING.model_copy(update={"bias_above_best": 0.2})
    held = frozenset({"bias_above_best"})
    for gap, begins, goes_on in ((0.59, False, True), (0.61, True, True), (0.49, False, False)):
        run = replace(RUNNING, mean_gap=gap)
        assert bool(kinds(run, rules)) is begins
        assert bool(kinds(run, rules, held=held)) is goes_on


def test_what_cannot_be_read_says_why() -> None:
    (found,) = conditions_of(RunFigures("mine", "unreadable", problem="it is damaged"), AlertRules())
    assert (found.kind, found.words) == ("unreadable", "it is damaged")
