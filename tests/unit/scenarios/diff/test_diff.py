"""Two journals are the same if nothing differs but what belongs to a run alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from matplotlib.image import imread

from agent.campaign.events import CampaignStarted, DecisionMade, Event, RequestIssued, ResultAccepted
from protocols.tables.account import AccountEntry, Handling
from scenarios.diff.diff import JournalEvents, diff, load_journal
from scenarios.diff.report import _rows_of, draw_diff, verdict
from scenarios.settings.library import RECORDED
from tests.support.campaigns import NOW
from tests.support.goldens import GOLDENS
from tests.support.runs.played_runs import small_system, write_run


@pytest.fixture(scope="module")
def told() -> JournalEvents:
    return load_journal(str(GOLDENS / f"pool_runs_dry{RECORDED}"), Path("runs"), lambda *_: None)


def with_events(told: JournalEvents, events: list[Event]) -> JournalEvents:
    return dataclasses.replace(told, events=tuple(events))


def place_of(told: JournalEvents, kind: type[Event]) -> int:
    return next(place for place, event in enumerate(told.events) if isinstance(event, kind))


def test_answers_that_came_in_another_order_make_no_difference(told: JournalEvents) -> None:
    events = list(told.events)
    events.append(events.pop(place_of(told, ResultAccepted)))
    found = diff(told, with_events(told, events))
    assert found.is_same
    assert "answers came in another order" in verdict(found)


def test_another_value_or_one_answer_less_makes_one(told: JournalEvents) -> None:
    place, events = place_of(told, ResultAccepted), list(told.events)
    answer = events[place]
    assert isinstance(answer, ResultAccepted)
    other = dataclasses.replace(answer, value=answer.value + 1)
    assert not diff(told, with_events(told, [*events[:place], other, *events[place + 1 :]])).is_same
    assert not diff(told, with_events(told, [*events[:place], *events[place + 1 :]])).is_same


def test_another_decision_parts_them_after_the_results_of_then(told: JournalEvents) -> None:
    events = list(told.events)
    place = [place for place, event in enumerate(events) if isinstance(event, DecisionMade)][-1]
    last = events[place]
    assert isinstance(last, DecisionMade)
    events[place] = dataclasses.replace(last, candidate_ids=("another",))
    found = diff(told, with_events(told, events))
    assert not found.is_same
    assert found.parted_at == sum(isinstance(event, ResultAccepted) for event in events[:place]) > 10
    assert diff(told, told).parted_at is None


def test_where_only_settings_differ_it_says_so(told: JournalEvents) -> None:
    first = told.events[0]
    assert isinstance(first, CampaignStarted)
    other = dataclasses.replace(first, plan=told.plan.model_copy(update={"budget": told.plan.budget + 1}))
    found = diff(told, with_events(told, [other, *told.events[1:]]))
    assert not found.is_same
    assert "the settings differ" in verdict(found)


def test_declared_metrics_are_read_as_the_run_wrote_them(tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("one", "other")]
    for budget, folder in zip((4, 6), runs, strict=True):
        folder.mkdir()
        write_run(folder, *small_system(budget))
    one, other = (load_journal(str(folder), tmp_path, lambda *_: None) for folder in runs)
    told = {metric.name: values for metric, values in diff(one, other).declared.items()}
    assert set(told) == {"half_width", "widest", "edge_stability"}
    ends = tuple(each.trajectory.points[-1][1].value("half_width") for each in (one, other))
    assert told["half_width"] == ends
    assert None not in ends
    draw_diff(diff(one, other), tmp_path / "d.png")
    assert imread(tmp_path / "d.png").shape[1] == 1800
    assert "half-width" in {name for name, _ in _rows_of(diff(one, other))}


def test_a_run_that_declares_nothing_has_none(told: JournalEvents) -> None:
    assert diff(told, told).declared == {}


def test_when_a_campaign_began_and_who_signed_make_no_difference(told: JournalEvents) -> None:
    events = [
        dataclasses.replace(each, signed_by="furnace", message_id="m-1") if isinstance(each, ResultAccepted)
        else dataclasses.replace(each, began_at=NOW) if isinstance(each, CampaignStarted)
        else each
        for each in told.events
    ]  # fmt: skip
    assert events != list(told.events)
    assert diff(told, with_events(told, events)).is_same


def test_ids_of_the_table_and_what_was_read_make_no_difference_and_are_told(told: JournalEvents) -> None:
    entry = AccountEntry(handling=Handling.DROPPED, reason="no value", count=4)
    events = [
        dataclasses.replace(each, source_id=f"A {each.candidate_id}") if isinstance(each, RequestIssued)
        else dataclasses.replace(each, reading=(entry,)) if isinstance(each, CampaignStarted)
        else each
        for each in told.events
    ]  # fmt: skip
    other = with_events(told, events)
    assert diff(told, other).is_same
    place = place_of(other, ResultAccepted)
    result = other.events[place]
    assert isinstance(result, ResultAccepted)
    found = diff(other, with_events(other, [*events[:place], *events[place + 1 :]]))
    assert ("only in one", f"1 candidates: A {result.candidate_id} ({result.candidate_id})") in list(_rows_of(found))
