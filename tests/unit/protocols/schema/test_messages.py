"""The parts of the schema maker that today's messages do not need and tomorrow's may."""

from __future__ import annotations

from typing import Any

from protocols.schema.messages import _clean, _reached


def test_a_number_without_a_bound_gets_the_largest_that_is_finite() -> None:
    assert _clean({"type": "number"})["maximum"] < float("inf")
    assert _clean({"type": "number", "maximum": 3})["maximum"] == 3


def test_a_part_that_is_referred_to_twice_or_by_itself_is_found_once() -> None:
    schemas: dict[str, dict[str, Any]] = {
        "A": {"items": {"$ref": "#/A"}},
        "B": {"anyOf": [{"$ref": "#/A"}, {"$ref": "#/A"}]},
    }
    assert _reached(schemas["B"], schemas, "#/") == ["A"]
