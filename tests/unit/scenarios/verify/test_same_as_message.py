"""An event is compared with the message that brought it, and the first thing that differs is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.campaign.decide import decide_result
from agent.campaign.events import (
    AttemptFailed,
    Event,
    LateResultKept,
    MeasuredQuantity,
    RequestIssued,
    ResultAccepted,
    ResultContradicted,
)
from agent.campaign.state import RESULT_REFUSED, Attempt
from protocols.wire.messages import CandidateRequest, CandidateResult, FailureReason, WantedProperty
from protocols.wire.structure import CrystalStructure
from scenarios.verify.same_as_message import (
    by_attempt,
    knows_messages,
    other_field,
    other_than_answer,
    other_than_request,
    told,
)
from tests.support.campaigns import (
    NOW,
    PROPERTY,
    UNIT,
    Play,
    failure_of,
    quantity,
    result_of,
    small_plan,
    small_pool,
    with_all_that_came,
)

POOL = small_pool()
PLAN = small_plan(POOL)
ATTEMPT = Attempt("a-1", "c003", 0, 1, "simulator-1")
COPPER = CrystalStructure(
    cell=((3.6, 0.0, 0.0), (0.0, 3.6, 0.0), (0.0, 0.0, 3.6)), symbols=("Cu",), scaled_positions=((0.0, 0.0, 0.0),)
)


def accepted(message: CandidateResult) -> ResultAccepted:
    first = message.quantities[0]
    measured = MeasuredQuantity(first.name, first.value, first.unit)
    return ResultAccepted(
        "a-1", "c003", message.simulator, first.value, (measured,), message.duration_s, {}, message.message_id
    )


def test_the_event_of_a_message_says_the_same() -> None:
    message = result_of(ATTEMPT)
    assert other_than_answer(accepted(message), message, PLAN) is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"value": 1.5}, "value"),
        ({"quantities": (MeasuredQuantity(PROPERTY, 1.5, UNIT),)}, "quantities[0].value"),
        ({"simulator": "simulator-2"}, "simulator"),
        ({"message_id": "m-other"}, "message_id"),
        ({"duration_s": 77.0}, "duration_s"),
        ({"provenance": {"by": "hand"}}, "provenance.by"),
        ({"structure": COPPER}, "structure"),
        ({"candidate_id": "c004"}, "candidate_id"),
        ({"attempt_id": "a-2"}, "attempt_id"),
    ],
)
def test_a_field_that_the_message_does_not_say_is_named(change: dict[str, Any], path: str) -> None:
    message = result_of(ATTEMPT)
    event = accepted(message)
    found = other_than_answer(replace(event, **change), message, PLAN)
    assert found is not None
    assert found[0] == path


def test_an_event_of_old_without_a_message_id_is_compared_in_all_else() -> None:
    message = result_of(ATTEMPT)
    old = replace(accepted(message), message_id="")
    assert other_than_answer(old, message, PLAN) is None
    assert other_than_answer(replace(old, value=9.0), message, PLAN) is not None


def test_a_failure_and_a_refused_result_are_compared_by_what_their_messages_say() -> None:
    failure = failure_of(ATTEMPT, FailureReason.CRASHED)
    event = AttemptFailed(
        "a-1", "c003", failure.simulator, "crashed", failure.detail, permanent=False, message_id=failure.message_id
    )
    assert other_than_answer(event, failure, PLAN) is None
    assert other_than_answer(replace(event, reason="interrupted"), failure, PLAN) == (
        "reason",
        "interrupted",
        "crashed",
    )
    assert other_than_answer(replace(event, detail="it broke"), failure, PLAN) == (
        "detail",
        "it broke",
        failure.detail,
    )
    result = result_of(ATTEMPT, quantity(99.0))
    measured = (MeasuredQuantity(PROPERTY, 99.0, UNIT),)
    refused = replace(
        event, reason=RESULT_REFUSED, detail="99 is too much", message_id=result.message_id, quantities=measured
    )
    assert other_than_answer(refused, result, PLAN) is None
    for wrong in ((), (replace(measured[0], value=9.0),)):
        found = other_than_answer(replace(refused, quantities=wrong), result, PLAN)
        assert found is not None
        assert found[0].startswith("quantities")
    of_old = replace(refused, quantities=(), message_id="")
    assert other_than_answer(of_old, result, PLAN) is None


@pytest.mark.parametrize("kept", [
    LateResultKept("a-1", "c003", "simulator-1", (MeasuredQuantity(PROPERTY, 2.5, UNIT),), "it is observed", "m-1"),
    ResultContradicted("a-1", "c003", "simulator-1", (MeasuredQuantity(PROPERTY, 2.5, UNIT),), "m-1"),
])  # fmt: skip
def test_what_is_kept_beside_the_value_is_compared_with_its_message(kept: LateResultKept | ResultContradicted) -> None:
    message = result_of(ATTEMPT, quantity(2.5)).model_copy(update={"message_id": "m-1"})
    assert other_than_answer(kept, message, PLAN) is None
    other = replace(kept, quantities=(MeasuredQuantity(PROPERTY, 2.25, UNIT),))
    assert other_than_answer(other, message, PLAN) == ("quantities[0].value", 2.25, 2.5)
    assert other_than_answer(replace(kept, message_id="m-2"), message, PLAN) == ("message_id", "m-2", "m-1")


def request(**changes: Any) -> CandidateRequest:
    fields: dict[str, Any] = {
        "campaign": PLAN.campaign, "message_id": "a-1", "sent_at": NOW, "attempt_id": "a-1", "candidate_id": "c003",
        "decision": 0, "attempt": 1, "family": "family-0", "properties": PLAN.property_names, "deadline_s": 1.0,
    }  # fmt: skip
    return CandidateRequest(**(fields | changes))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"candidate_id": "c004"}, "candidate_id"),
        ({"decision": 3}, "decision"),
        ({"attempt": 2}, "attempt"),
        ({"source_id": "mine"}, "source_id"),
        ({"properties": ("another",)}, "properties[0]"),
        ({"fidelity": "coarse"}, "fidelity"),
        ({"wanted": (WantedProperty(name=PROPERTY, unit="kJ"),)}, "wanted[0].unit"),
    ],
)
def test_a_request_asks_for_what_its_event_says(change: dict[str, Any], path: str) -> None:
    issued = RequestIssued("a-1", "c003", 0, 1, "simulator-1")
    assert other_than_request(issued, "simulator-1", request(), PLAN) is None
    found = other_than_request(issued, "simulator-1", request(**change), PLAN)
    assert found is not None
    assert found[0] == path
    asked = other_than_request(issued, "simulator-2", request(), PLAN)
    assert asked == ("recipient", "simulator-1", "simulator-2")


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ({"a": 1}, {"a": 1, "b": None}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b"),
        ({"a": [1]}, {"a": [1, 2]}, "a"),
        ({"a": True}, {"a": 1}, "a"),
        ({"a": "x"}, {}, "a"),
    ],
)
def test_the_first_place_that_differs_is_found(one: Any, other: Any, path: str | None) -> None:
    found = other_field(one, other)
    assert (None if found is None else found[0]) == path


def test_long_values_are_cut_and_events_are_found_by_attempt() -> None:
    assert told("x" * 500).endswith("…")
    assert told([1, "é"]) == '[1, "é"]'
    event = accepted(result_of(ATTEMPT))
    events: list[Event] = [RequestIssued("a-1", "c003", 0, 1, "simulator-1"), event]
    assert by_attempt(events) == {"a-1": [(2, event)]}
    assert knows_messages(events)
    assert not knows_messages([events[0], replace(event, message_id="")])


def test_what_came_with_a_value_is_compared_too() -> None:
    played = Play(POOL, PLAN)
    played.settle()
    attempt = played.awaited[0]
    message = with_all_that_came(result_of(attempt))
    (event,) = decide_result(played.campaign, message).events
    assert isinstance(event, ResultAccepted)
    assert other_than_answer(event, message, PLAN) is None
    changes: tuple[dict[str, Any], ...] = (
        {"replicates": ()},
        {"conditions": ()},
        {"remarks": {**event.remarks, "batch": "B"}},
        {"files": (replace(event.files[0], sha256="1" * 64),)},
        {"quantities": tuple(replace(each, standard_deviation=9.0) for each in event.quantities)},
    )
    for change in changes:
        found = other_than_answer(replace(event, **change), message, PLAN)
        assert found is not None
        assert found[0].split(".")[0].split("[")[0] == next(iter(change))
