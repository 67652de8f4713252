"""What is to be set for a candidate is the same on its way through table, request and lab."""

from __future__ import annotations

from protocols.wire.messages import Quantity
from protocols.wire.parameters import ParameterColumns, Parameters

COLUMNS = ParameterColumns(("temperature", "flow"), ("K", "mL/min"), ("solvent",))
HOT = Parameters(COLUMNS, (353.15, 0.25), ("ethanol",))


def test_what_a_request_carries_is_read_back_the_same() -> None:
    again = Parameters.of(HOT.quantities(), HOT.labels())
    assert again == HOT
    assert HOT.quantities()[0] == Quantity(name="temperature", value=353.15, unit="K")
    assert HOT.labels() == {"solvent": "ethanol"}


def test_a_candidate_without_parameters_has_none() -> None:
    assert Parameters.of((), {}) is None


def test_two_say_the_same_in_whatever_order_and_not_in_another_unit() -> None:
    other_way = Parameters(
        ParameterColumns(("flow", "temperature"), ("mL/min", "K"), ("solvent",)), (0.25, 353.15), ("ethanol",)
    )
    in_celsius = Parameters(
        ParameterColumns(("temperature", "flow"), ("°C", "mL/min"), ("solvent",)), (353.15, 0.25), ("ethanol",)
    )
    assert other_way.content == HOT.content
    assert in_celsius.content != HOT.content
    assert Parameters(COLUMNS, (353.15, 0.25), ("water",)).content != HOT.content


def test_their_size_is_that_of_their_utf_8() -> None:
    plain, wide = (Parameters(ParameterColumns(labels=("a",)), (), (text,)) for text in ("x" * 100, "材" * 100))
    assert wide.size_bytes() == plain.size_bytes() + 200
