"""The metrics of a search for large values."""

from __future__ import annotations

from agent.acquisition.molecules.found import FoundMeter, found_metrics


def test_there_are_hits_where_there_is_a_threshold() -> None:
    assert [metric.name for metric in found_metrics("D", None)] == ["largest"]
    largest, hits = found_metrics("D", 3.0)
    assert (largest.unit, hits.short) == ("D", "hits (above 3 D)")
    assert not largest.lower_is_better


def test_the_largest_value_and_the_hits_follow_the_values() -> None:
    meter, plain = FoundMeter(3.0), FoundMeter(None)
    assert (meter.values(), plain.values()) == ((None, 0.0), (None,))
    for index, value in enumerate((1.0, 3.5, 3.0, 9.0)):
        meter.add(index, value)
        plain.add(index, value, 5.0)
    assert (meter.values(), plain.values()) == ((9.0, 2.0), (9.0,))
