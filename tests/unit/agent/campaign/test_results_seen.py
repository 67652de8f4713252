"""Which results of an attempt are known again, and how many of them are kept."""

from __future__ import annotations

import pytest

from agent.campaign.events import MeasuredQuantity
from agent.campaign.results_seen import (
    MAX_CONTRADICTIONS,
    MAX_KEPT_ASIDE,
    ResultSeen,
    content_of,
    is_contradiction,
    may_be_journalled,
    repeated,
)
from protocols.wire.messages import ReceiptStatus

ENERGY = MeasuredQuantity("energy", 0.5, "eV")
VOLUME = MeasuredQuantity("volume", 11.0, "Å³", 0.25)


def test_the_content_of_a_result_is_its_quantities_in_whatever_order() -> None:
    assert content_of((ENERGY, VOLUME)) == content_of([VOLUME, ENERGY])
    assert content_of((MeasuredQuantity("energy", 0.5, "eV", 0.0),)) == content_of((ENERGY,))


@pytest.mark.parametrize(
    "other",
    [
        MeasuredQuantity("energies", 0.5, "eV"),
        MeasuredQuantity("energy", 0.5000000000000001, "eV"),
        MeasuredQuantity("energy", 0.5, "meV"),
        MeasuredQuantity("energy", 0.5, "eV", 1e-9),
    ],
)
def test_any_part_of_a_quantity_makes_another_content(other: MeasuredQuantity) -> None:
    assert content_of((other,)) != content_of((ENERGY,))


def test_a_result_is_known_by_its_content_and_by_its_id_where_the_content_is_not_held() -> None:
    taken = ResultSeen("m-1", content_of((ENERGY,)), ReceiptStatus.ACCEPTED)
    of_old = ResultSeen("m-2", "", ReceiptStatus.REFUSED)
    seen = (taken, of_old)
    assert repeated(seen, "m-9", taken.content) is taken
    assert repeated(seen, "m-2", content_of((VOLUME,))) is of_old
    assert repeated(seen, "m-1", content_of((VOLUME,))) is None
    assert repeated((), "m-1", taken.content) is None


@pytest.mark.parametrize(
    ("became", "contradicted"),
    [
        (ReceiptStatus.ACCEPTED, True),
        (ReceiptStatus.LATE, True),
        (ReceiptStatus.REFUSED, False),
    ],
)
def test_what_was_refused_is_not_contradicted_but_corrected(became: ReceiptStatus, contradicted: bool) -> None:
    assert is_contradiction((ResultSeen("m", "c", became),)) is contradicted


@pytest.mark.parametrize(
    ("became", "bound"),
    [
        (ReceiptStatus.CONTRADICTS, MAX_CONTRADICTIONS),
        (ReceiptStatus.LATE, MAX_KEPT_ASIDE),
        (ReceiptStatus.REFUSED, MAX_KEPT_ASIDE),
    ],
)
def test_of_each_kind_a_few_are_journalled(became: ReceiptStatus, bound: int) -> None:
    seen = tuple(ResultSeen(f"m-{number}", str(number), became) for number in range(bound))
    assert may_be_journalled(seen[1:], became)
    assert not may_be_journalled(seen, became)
