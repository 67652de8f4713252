"""What comes with a value: kept, and its uncertainty used; whatever is told, the value is what it was."""

from __future__ import annotations

from typing import Any

import pytest

from agent.campaign import decide
from agent.campaign.event_descriptions import observations_of
from agent.campaign.events import MeasuredQuantity, RawFileLink, ResultAccepted, dump_event, load_event
from agent.campaign.state import Attempt
from protocols.wire.messages import (
    AddedCandidate,
    CandidateResult,
    ControlAction,
    ControlStatus,
    Quantity,
    RawFile,
    ReceiptStatus,
)
from tests.support.campaigns import Play, quantity, result_of, small_plan, small_pool

POOL = small_pool()


def playing() -> Play:
    """A campaign whose first request is out."""
    played = Play(POOL, small_plan(POOL))
    played.settle()
    return played


FILE = RawFile(name="a.csv", uri="file:///raw/a.csv", sha256="0" * 64, size_bytes=12)
HEAT = Quantity(name="temperature", value=353.4, unit="K", standard_deviation=0.2)


def with_all_that_came(attempt: Attempt, **told: Any) -> CandidateResult:
    said = {"conditions": (HEAT,), "remarks": {"batch": "A"}, "files": (FILE,)}
    return result_of(attempt, quantity(0.25)).model_copy(update=said | told)


def test_the_journal_keeps_what_came_with_a_value() -> None:
    played = playing()
    message = with_all_that_came(played.awaited[0], replicates=(0.2, 0.25, 0.3))
    (event,) = decide.decide_result(played.campaign, message).events
    assert isinstance(event, ResultAccepted)
    assert event.replicates == (0.2, 0.25, 0.3)
    assert event.conditions == (MeasuredQuantity("temperature", 353.4, "K", 0.2),)
    assert event.remarks == {"batch": "A"}
    assert event.files == (RawFileLink("a.csv", "file:///raw/a.csv", "0" * 64, 12),)
    assert event.standard_deviation == pytest.approx(0.05 / 3**0.5)
    assert event.quantities[0].standard_deviation == event.standard_deviation
    played.fold(event)
    known = played.campaign.uncertainties[played.campaign.pool.index_of[event.candidate_id], 0]
    assert known == event.standard_deviation


def test_what_the_lab_says_of_a_value_s_uncertainty_holds_whatever_replicates_there_are() -> None:
    played = playing()
    sure = quantity(0.25).model_copy(update={"standard_deviation": 0.01})
    message = result_of(played.awaited[0], sure).model_copy(update={"replicates": (0.2, 0.3)})
    (event,) = decide.decide_result(played.campaign, message).events
    assert isinstance(event, ResultAccepted)
    assert event.standard_deviation == 0.01


def test_the_same_replicates_again_are_a_repetition_and_others_contradict() -> None:
    played = playing()
    attempt = played.awaited[0]
    played.take(decide.decide_result(played.campaign, with_all_that_came(attempt, replicates=(0.2, 0.3))))
    for replicates, status in (((0.2, 0.3), ReceiptStatus.DUPLICATE), ((0.1, 0.4), ReceiptStatus.CONTRADICTS)):
        ack = decide.decide_result(played.campaign, with_all_that_came(attempt, replicates=replicates)).ack
        assert ack is not None
        assert ack.status is status


def test_an_operator_s_value_is_known_as_well_as_the_operator_says() -> None:
    played = playing()
    told = quantity(1.5).model_copy(update={"standard_deviation": 0.5})
    played.steer(ControlAction.ADD_OBSERVATION, "c009", quantity=told)
    played.steer(ControlAction.ADD_OBSERVATION, "c008", quantity=quantity(1.5))
    known = [played.campaign.uncertainties[played.campaign.pool.index_of[each], 0] for each in ("c009", "c008")]
    assert known == [0.5, 0.0]


def test_a_candidate_that_an_operator_adds_brings_what_is_to_be_set_for_it() -> None:
    played = playing()
    temperature = Quantity(name="temperature", value=300.0, unit="K")
    added = AddedCandidate(
        candidate_id="new",
        family="family-0",
        features=(0.0, 0.0, 0.0),
        parameters=(temperature,),
        labels={"solvent": "a"},
    )
    played.steer(ControlAction.ADD_CANDIDATES, candidates=(added,))
    parameters = played.campaign.pool.candidate("new").parameters
    assert parameters is not None
    assert (parameters.quantities(), parameters.labels()) == ((temperature,), {"solvent": "a"})
    too_long = added.model_copy(
        update={"candidate_id": "long", "labels": {f"label-{place}": "x" * 500 for place in range(17)}}
    )
    receipt = played.steer(ControlAction.ADD_CANDIDATES, candidates=(too_long,))
    assert receipt.status is ControlStatus.REFUSED
    assert "parameters and labels take" in receipt.detail


def test_the_dataset_shows_what_came_with_a_value_and_nothing_where_nothing_did() -> None:
    played = playing()
    (event,) = decide.decide_result(
        played.campaign, with_all_that_came(played.awaited[0], replicates=(0.2, 0.3))
    ).events
    (shown,) = observations_of(event)
    assert shown.standard_deviation == pytest.approx(0.05)
    assert set(shown.details) == {"replicates", "conditions", "remarks", "files"}
    (plain,) = decide.decide_result(played.campaign, result_of(played.awaited[0])).events
    (bare,) = observations_of(plain)
    assert (bare.standard_deviation, bare.details) == (None, {})


def test_a_journal_of_before_is_read() -> None:
    played = playing()
    (event,) = decide.decide_result(played.campaign, result_of(played.awaited[0])).events
    kind, payload = dump_event(event)
    assert load_event(kind, payload) == event
    old = payload[: payload.index(',"standard_deviation":null,"replicates"')] + "}"
    assert load_event(kind, old) == event
