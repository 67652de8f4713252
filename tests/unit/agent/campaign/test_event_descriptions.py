"""Every kind of event has its row, and everybody who tells of events reads it there."""

from __future__ import annotations

import typing

import pytest

from agent.campaign import state
from agent.campaign.event_descriptions import (
    EVENT_DESCRIPTIONS,
    Observation,
    changes_dataset,
    in_words,
    observations_of,
)
from agent.campaign.events import (
    EVENT_TYPES,
    CampaignStarted,
    Event,
    MeasuredQuantity,
    ObservationAdded,
    RequestExpired,
    RequestIssued,
    ResultAccepted,
    StartSetLoaded,
)
from protocols.tables.account import AccountEntry, Handling
from tests.support.campaigns import small_plan, small_pool

RESULT = ResultAccepted("x-0-c001-1", "c001", "s1", 1.5, (MeasuredQuantity("gap", 2.5, "eV"),), 0.1)


def test_every_kind_of_event_has_a_row_and_no_row_is_of_nothing() -> None:
    assert list(EVENT_DESCRIPTIONS) == list(EVENT_TYPES) == list(typing.get_args(Event))


def test_every_kind_of_event_has_its_place_in_the_fold_of_the_state() -> None:
    assert set(state._FOLD) == set(EVENT_TYPES)


def test_every_kind_that_follows_the_start_has_a_line_of_its_own_in_the_log() -> None:
    names = {kind: row.log_name for kind, row in EVENT_DESCRIPTIONS.items()}
    assert {kind for kind, name in names.items() if not name} == {CampaignStarted, StartSetLoaded}
    assert len({name for name in names.values() if name}) == len(EVENT_TYPES) - 2


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_a_row_speaks_only_of_parts_that_its_event_has(kind: type[Event]) -> None:
    row, parts = EVENT_DESCRIPTIONS[kind], kind.__dataclass_fields__
    speaks_of_an_attempt = row.opens_request or row.closes_attempt is not None or row.attempt_in_words is not None
    assert not speaks_of_an_attempt or "attempt_id" in parts
    speaks_of_a_candidate = row.closes_candidate is not None or row.candidate_in_words is not None
    assert not speaks_of_a_candidate or "candidate_id" in parts


def test_an_observation_is_what_brings_values_into_the_dataset() -> None:
    start = StartSetLoaded(("c000",), (1.0,), ((3.0,),))
    assert list(observations_of(start)) == [Observation("c000", 1.0, (3.0,), "start set")]
    assert list(observations_of(RESULT, ["gap"])) == [Observation("c001", 1.5, (2.5,), "s1", "x-0-c001-1")]
    assert list(observations_of(ObservationAdded("c002", 4.0, "m1"))) == [Observation("c002", 4.0, (), "manual")]
    assert not changes_dataset(RequestExpired("x-0-c001-1", "c001"))
    assert list(observations_of(RequestExpired("x-0-c001-1", "c001"))) == []
    assert changes_dataset(StartSetLoaded((), ()))  # an empty start set is a point of the trajectory too


def test_a_person_reads_what_happened() -> None:
    assert in_words(RESULT) == "c001 is 1.5, says s1"
    started = CampaignStarted(small_plan(small_pool()))
    assert in_words(started) == "campaign demo starts: policy random, budget 6"


def test_what_was_not_taken_as_it_stands_is_counted_and_a_request_names_the_candidate_as_its_table_does() -> None:
    reading = tuple(
        AccountEntry(handling=handling, reason="why", count=count)
        for handling, count in ((Handling.DROPPED, 3), (Handling.FOLDED, 2), (Handling.DROPPED, 4))
    )
    started = CampaignStarted(small_plan(small_pool()), {}, reading)
    assert in_words(started).endswith("budget 6; of its table, 7 dropped, 2 folded")
    assert in_words(RequestIssued("x", "c1", 0, 1, "any", "C 1/α")) == "attempt 1 of C 1/α (c1) goes to any"
    assert in_words(RequestIssued("x", "c1", 0, 1, "any", "c1")) == "attempt 1 of c1 goes to any"
