"""A meter over a dataset whose values may go away: as one that never knew them."""

from __future__ import annotations

from agent.metrics import DatasetMeter


class Listing:
    """A meter whose only value is what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[float, ...]] = []

    def add(self, index: int, *values: float) -> None:
        self.told.append((index, *values))

    def values(self) -> tuple[float | None, ...]:
        return (float(len(self.told)),)


def test_what_is_corrected_keeps_its_place_and_what_goes_away_was_never_told() -> None:
    kept = DatasetMeter(Listing)
    for index in (3, 1, 2):
        kept.put(index, (float(index),))
    first = kept.meter
    kept.put(1, (9.0,))
    kept.remove(3)
    kept.put(3, (0.5,))
    assert kept.meter.told == [(1, 9.0), (2, 2.0), (3, 0.5)]
    assert first.told == [(3, 3.0), (1, 1.0), (2, 2.0)], "a meter forgets nothing"
