"""What a message promises by being one: bounded, finite, strict, unchangeable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from protocols.wire.limits import MAX_ABS_VALUE, MAX_FAMILIES, MAX_ID_LENGTH, MAX_QUANTITIES, MAX_TEXT_LENGTH
from protocols.wire.messages import (
    PERMANENT_FAILURES,
    AnyMessage,
    FailureReason,
    FamilyBias,
    Message,
    Quantity,
    cut,
)
from tests.support import sample_messages as messages


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
def test_a_message_cannot_be_changed_and_takes_no_field_of_its_own(message: AnyMessage) -> None:
    with pytest.raises(ValidationError):
        message.campaign = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        type(message).model_validate({**message.model_dump(), "colour": "red"})


@pytest.mark.parametrize("message", messages.one_of_each(), ids=lambda message: message.type)
@pytest.mark.parametrize("sent_at", [datetime(2026, 1, 2), "2026-01-02T03:04:05Z", 0])  # noqa: DTZ001 - that is the point
def test_a_time_has_a_zone_and_is_a_time(message: AnyMessage, sent_at: object) -> None:
    with pytest.raises(ValidationError):
        type(message).model_validate({**message.model_dump(), "sent_at": sent_at})


@pytest.mark.parametrize("name", ["a", "0", "a-b_c", "9" * MAX_ID_LENGTH])
def test_an_identifier_fits_a_topic_and_a_file_name(name: str) -> None:
    assert messages.receipt(attempt_id=name).attempt_id == name


@pytest.mark.parametrize(
    "name", ["", "A", "_a", "-a", "a.b", "a/b", "a b", "a+", "é", "a\n", "a" * (MAX_ID_LENGTH + 1)]
)
def test_any_other_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        messages.receipt(attempt_id=name)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1.01 * MAX_ABS_VALUE, "1", True, None])
def test_a_value_is_a_finite_number_in_range(value: object) -> None:
    with pytest.raises(ValidationError):
        Quantity.model_validate({"name": "energy", "value": value, "unit": "eV"})


@pytest.mark.parametrize("value", [0, -0.0, MAX_ABS_VALUE, -MAX_ABS_VALUE, 5e-324])
def test_a_value_at_its_bounds_passes(value: float) -> None:
    assert Quantity(name="energy", value=value, unit="").value == value


@pytest.mark.parametrize("deviation", [-1e-9, float("nan"), float("inf"), "0"])
def test_a_standard_deviation_is_not_negative(deviation: object) -> None:
    with pytest.raises(ValidationError):
        Quantity.model_validate({"name": "energy", "value": 0.0, "unit": "", "standard_deviation": deviation})


@pytest.mark.parametrize(
    ("make", "field", "good", "bad"),
    [
        (messages.request, "deadline_s", 30 * 86400.0, 30 * 86400.0 + 1),
        (messages.request, "deadline_s", 1e-9, 0.0),
        (messages.request, "attempt", 1, 0),
        (messages.request, "decision", 0, -1),
        (messages.request, "family", "x", ""),
        (messages.request, "properties", ("p",) * MAX_QUANTITIES, ("p",) * (MAX_QUANTITIES + 1)),
        (messages.request, "properties", ("p",), ()),
        (messages.result, "quantities", (messages.ENERGY,) * MAX_QUANTITIES, (messages.ENERGY,) * (MAX_QUANTITIES + 1)),
        (messages.result, "quantities", (messages.ENERGY,), ()),
        (messages.result, "duration_s", 0.0, float("inf")),
        (messages.failure, "detail", "x" * MAX_TEXT_LENGTH, "x" * (MAX_TEXT_LENGTH + 1)),
        (messages.failure, "reason", FailureReason.UNSUPPORTED, "bored"),
        (messages.receipt, "protocol", 1, 2),
    ],
)
def test_a_field_has_bounds(make: Any, field: str, good: object, bad: object) -> None:
    assert getattr(make(**{field: good}), field) == good
    with pytest.raises(ValidationError):
        make(**{field: bad})


@pytest.mark.parametrize("source_id", ["mp-149", "MP 10/α", " ", "材料", "x" * 500, "C:\\cells\\1.cif", "a\u200bb"])
def test_an_id_of_a_table_is_any_line_of_text(source_id: str) -> None:
    assert messages.request(source_id=source_id).source_id == source_id


@pytest.mark.parametrize("source_id", ["", "x" * 501, "a\nb", "a\n", "a\x00b", "a\x7f", "a\x85b", "a\u2028b"])
def test_an_id_of_a_table_has_no_control_character_and_an_end(source_id: str) -> None:
    with pytest.raises(ValidationError, match="source_id"):
        messages.request(source_id=source_id)


def test_a_report_is_bounded_however_many_families_there_are() -> None:
    report = messages.metrics_report().model_dump()
    family = FamilyBias(family="f", size=1, entropy=None).model_dump()
    model = type(messages.metrics_report())
    assert len(model.model_validate({**report, "families": (family,) * MAX_FAMILIES}).families) == MAX_FAMILIES
    with pytest.raises(ValidationError):
        model.model_validate({**report, "families": (family,) * (MAX_FAMILIES + 1)})


def test_the_failures_that_another_attempt_cannot_mend_are_those_of_the_question_itself() -> None:
    assert {"invalid_request", "unsupported", "unknown_candidate"} == PERMANENT_FAILURES


@pytest.mark.parametrize("length", [0, 1, MAX_TEXT_LENGTH, MAX_TEXT_LENGTH + 1, 10_000])
def test_a_text_is_cut_to_what_may_travel_and_shows_it(length: int) -> None:
    text = cut("é" * length)
    assert len(text) == min(length, MAX_TEXT_LENGTH)
    assert text.endswith("…") is (length > MAX_TEXT_LENGTH)
    messages.failure(detail=text)


def test_every_message_carries_version_campaign_id_and_time() -> None:
    assert set(Message.model_fields) == {"protocol", "campaign", "message_id", "sent_at"}
    assert messages.status().sent_at == datetime(2026, 1, 2, 3, 4, 5, 678900, tzinfo=UTC)
