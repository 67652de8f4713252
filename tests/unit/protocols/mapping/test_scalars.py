"""Properties on topics of their own are held until their result is whole, and acknowledged with it, never before."""

from __future__ import annotations

from typing import Any

from protocols.link.transport import Delivery
from protocols.mapping.scalars import HeldScalars
from protocols.wire.messages import Quantity
from tests.support.mapping.samples import heard

T = Quantity(name="t", value=900.0, unit="K")


def told(payload: str = "900", **options: Any) -> Delivery:
    return heard("pv/F1/t", payload, **options)


def test_what_was_told_goes_with_a_result_and_is_acknowledged_before_it() -> None:
    held, result = HeldScalars(), heard("lab/F1/done", "x")
    scalar = told()
    assert held.keep("furnace", scalar, T) == []
    assert (held.of("furnace"), held.of("oven")) == ({"t": T}, {})
    assert held.complete("furnace", result).deliveries == (scalar, result)
    assert held.of("furnace") == {}


def test_a_newer_value_takes_the_place_of_an_older_one_which_is_acknowledged() -> None:
    held, first, second = HeldScalars(), told("900"), told("901")
    held.keep("furnace", first, T)
    newer = Quantity(name="t", value=901.0, unit="K")
    assert held.keep("furnace", second, newer) == [first]
    assert held.of("furnace") == {"t": newer}


def test_what_the_broker_kept_from_before_is_not_counted() -> None:
    held, old = HeldScalars(), told(retain=True)
    assert held.keep("furnace", old, T) == [old]
    assert held.of("furnace") == {}


def test_what_comes_again_counts_only_beside_a_result_that_comes_again() -> None:
    held = HeldScalars()
    held.keep("furnace", told(redelivered=True), T)
    assert held.of("furnace", heard("lab/F1/done", "x")) == {}
    assert held.of("furnace", heard("lab/F1/done", "x", redelivered=True)) == {"t": T}


def test_what_comes_again_over_a_link_that_blinked_is_what_it_was() -> None:
    held, first = HeldScalars(), told()
    held.keep("furnace", first, T)
    assert held.keep("furnace", told(redelivered=True), T) == [first]
    assert held.of("furnace") == {"t": T}


def test_a_request_begins_anew_and_says_what_was_never_whole() -> None:
    held, scalar, result, later = HeldScalars(), told(), heard("lab/F1/done", "x"), heard("lab/F1/done", "y")
    held.keep("furnace", scalar, T)
    assert held.hold("furnace", result) is None
    assert held.hold("furnace", later) is result
    assert held.held("furnace") is later
    assert held.begin("furnace") == ([scalar], later)
    assert held.begin("furnace") == ([], None)
